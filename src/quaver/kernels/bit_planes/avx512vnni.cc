// AVX-512 without an instruction that counts bits: as in AVX2.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/bit_planes/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 64;

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/bit_planes/vector.inc"

// Looked up by halves of a byte.
QUAVER_INLINE Words byte_counts(Words bits) {
  const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i nibble = _mm512_set1_epi8(15), v = reinterpret_cast<__m512i>(bits);
  const __m512i lower = _mm512_shuffle_epi8(table, _mm512_and_si512(v, nibble));
  const __m512i upper = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble));
  return reinterpret_cast<Words>(_mm512_add_epi8(lower, upper));
}

QUAVER_INLINE Words sums_of_bytes(Words bytes) {
  return reinterpret_cast<Words>(_mm512_sad_epu8(reinterpret_cast<__m512i>(bytes), _mm512_setzero_si512()));
}

#include "quaver/kernels/bit_planes/byte_counts.inc"

#include "quaver/kernels/bit_planes/avx512.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const BitPlanesPath kAvx512VnniBitPlanes{Isa::kAvx512Vnni, split<bits_of_codes>, run<differences>};

}  // namespace quaver

#endif
