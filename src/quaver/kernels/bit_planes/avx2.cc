#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/bit_planes/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 32;

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/bit_planes/vector.inc"

// Looked up by halves of a byte.
QUAVER_INLINE Words byte_counts(Words bits) {
  const __m256i table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15), v = reinterpret_cast<__m256i>(bits);
  const __m256i lower = _mm256_shuffle_epi8(table, _mm256_and_si256(v, nibble));
  const __m256i upper = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return reinterpret_cast<Words>(_mm256_add_epi8(lower, upper));
}

QUAVER_INLINE Words sums_of_bytes(Words bytes) {
  return reinterpret_cast<Words>(_mm256_sad_epu8(reinterpret_cast<__m256i>(bytes), _mm256_setzero_si256()));
}

#include "quaver/kernels/bit_planes/byte_counts.inc"

// Of 32 codes: bit k comes to the upper end of its byte, and what comes across from the byte below is not read.
QUAVER_INLINE std::uint32_t bits_of_half(const std::uint8_t* codes, int k) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(v, 7 - k)));
}
QUAVER_INLINE std::uint64_t bits_of_codes(const std::uint8_t* codes, int k) {
  return bits_of_half(codes, k) | std::uint64_t{bits_of_half(codes + 32, k)} << 32;
}

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const BitPlanesPath kAvx2BitPlanes{Isa::kAvx2, split<bits_of_codes>, run<differences>};

}  // namespace quaver

#endif
