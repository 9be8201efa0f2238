// Products of bytes: avx2_products.inc. Of four bits vpmaddubsw adds two products of at most 15 * 128, so nothing
// saturates, and sum w x = sum (w + 8) x - 8 sum x.
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

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avx2_products.inc"

#include "quaver/kernels/dispatch/sums256.inc"

// acc = start + W x for 16 rows; cols is a multiple of 8.
inline void run_nibble_block(const std::int8_t* packed, std::size_t cols, const std::int8_t* x,
                             const std::int32_t* start, std::int32_t* acc) {
  const __m256i lower = _mm256_set1_epi8(0x0f), ones = _mm256_set1_epi16(1);
  __m256i sum[2] = {load_sums(start), load_sums(start + 8)}, sum_x = _mm256_setzero_si256();
  for (std::size_t c = 0; c < cols; c += 8) {
    const __m256i xx = broadcast(x + c), next = broadcast(x + c + 4);
    const __m256i eights = _mm256_set1_epi8(8);
    sum_x = _mm256_add_epi32(
        sum_x, _mm256_madd_epi16(_mm256_add_epi16(_mm256_maddubs_epi16(eights, xx), _mm256_maddubs_epi16(eights, next)),
                                 ones));
    for (std::size_t u = 0; u < 2; ++u, packed += kWidth) {
      const __m256i v = load_bytes(packed);
      const __m256i pairs =
          _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(v, lower), xx),
                           _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next));
      sum[u] = _mm256_add_epi32(sum[u], _mm256_madd_epi16(pairs, ones));
    }
  }
  for (std::size_t u = 0; u < 2; ++u) store_sums(acc + 8 * u, _mm256_sub_epi32(sum[u], sum_x));
}

#include "quaver/kernels/matvec/matvec256.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const MatvecPath kAvx2Matvec{Isa::kAvx2, {{pack_bytes256, run_bytes}, {{kI4, {pack_nibbles256, run_nibbles}}}}};

}  // namespace quaver

#endif
