// Products of bytes: avxvnni_products.inc. Of four bits sum w x = sum (w + 8) x - 8 sum x.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/matvec/pack256.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

#include "quaver/kernels/dispatch/begin_avxvnni.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avxvnni_products.inc"

#include "quaver/kernels/dispatch/sums256.inc"

// acc = start + W x for 16 rows; cols is a multiple of 8.
inline void run_nibble_block(const std::int8_t* packed, std::size_t cols, const std::int8_t* x,
                             const std::int32_t* start, std::int32_t* acc) {
  const __m256i lower = _mm256_set1_epi8(0x0f), eights = _mm256_set1_epi8(8);
  __m256i sums[2] = {load_sums(start), load_sums(start + 8)}, eight_x = _mm256_setzero_si256();
  for (std::size_t c = 0; c < cols; c += 8) {
    const __m256i xx = broadcast(x + c), next = broadcast(x + c + 4);
    add_four_products(eight_x, eights, xx);
    add_four_products(eight_x, eights, next);
    for (std::size_t r = 0; r < 2; ++r, packed += kWidth) {
      const __m256i v = load_bytes(packed);
      add_four_products(sums[r], _mm256_and_si256(v, lower), xx);
      add_four_products(sums[r], _mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next);
    }
  }
  for (std::size_t r = 0; r < 2; ++r) store_sums(acc + 8 * r, _mm256_sub_epi32(sums[r], eight_x));
}

#include "quaver/kernels/matvec/matvec256.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const MatvecPath kAvxVnniMatvec{Isa::kAvxVnni, {{pack_bytes256, run_bytes}, {{kI4, {pack_nibbles256, run_nibbles}}}}};

}  // namespace quaver

#endif
