#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/address/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

using V = __m512i;
using Mask = __mmask64;
using Shift = __m128i;
constexpr std::size_t kBytes = 64;

inline V load(const void* from) { return _mm512_loadu_si512(from); }
inline void store(void* to, V value) { _mm512_storeu_si512(to, value); }
inline void store_i32(std::int32_t* to, V value) { store(to, value); }
inline V zero() { return _mm512_setzero_si512(); }
inline V set_u8(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
inline V set_i16(int x) { return _mm512_set1_epi16(static_cast<short>(x)); }
inline V set_i32(std::int32_t x) { return _mm512_set1_epi32(x); }
inline V set_u32(std::uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
inline V set_u64(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
inline Shift shift_of(int bits) { return _mm_cvtsi32_si128(bits); }

inline V xor_(V a, V b) { return _mm512_xor_si512(a, b); }
inline V or_(V a, V b) { return _mm512_or_si512(a, b); }
inline V and_(V a, V b) { return _mm512_and_si512(a, b); }
inline V abs_i8(V a) { return _mm512_abs_epi8(a); }
inline V adds_u8(V a, V b) { return _mm512_adds_epu8(a, b); }
inline V subs_u8(V a, V b) { return _mm512_subs_epu8(a, b); }
inline V min_u8(V a, V b) { return _mm512_min_epu8(a, b); }
inline V halve_u8(V a) { return and_(_mm512_srli_epi16(a, 1), set_u8(0x7f)); }
inline Mask negative_i8(V a) { return _mm512_movepi8_mask(a); }
inline V select(Mask mask, V yes, V no) { return _mm512_mask_blend_epi8(mask, no, yes); }

inline V even_i16(V codes) { return _mm512_srai_epi16(_mm512_slli_epi16(codes, 8), 8); }
inline V odd_i16(V codes) { return _mm512_srai_epi16(codes, 8); }
inline V multiply_i16(V a, V b) { return _mm512_mullo_epi16(a, b); }
inline V add_i16(V a, V b) { return _mm512_add_epi16(a, b); }
inline V min_i16(V a, V b) { return _mm512_min_epi16(a, b); }
inline V max_i16(V a, V b) { return _mm512_max_epi16(a, b); }
inline V sign_i16(V a) { return _mm512_srai_epi16(a, 15); }
inline V shift_right_i16(V a, Shift bits) { return _mm512_sra_epi16(a, bits); }

inline V add_i32(V a, V b) { return _mm512_add_epi32(a, b); }
using Shift32 = __m128i;
inline Shift32 shift32_of(int bits) { return _mm_cvtsi32_si128(bits); }
inline V shift_left_i32(V a, Shift32 bits) { return _mm512_sll_epi32(a, bits); }
inline V shift_right_i32(V a, Shift32 bits) { return _mm512_sra_epi32(a, bits); }
inline V sign_i32(V a) { return _mm512_srai_epi32(a, 31); }
inline V widen_i32(const std::int8_t* codes) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}
inline void store_i8(std::int8_t* to, V codes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(codes));
}
inline V min_i32(V a, V b) { return _mm512_min_epi32(a, b); }
inline V max_i32(V a, V b) { return _mm512_max_epi32(a, b); }
inline V add_products(V acc, V a, V b) { return _mm512_dpwssd_epi32(acc, a, b); }
inline V add_pairs(V acc, V a) { return add_products(acc, a, set_i16(1)); }
inline V add_signed(V acc, V bytes, Mask mask) {
  return _mm512_dpbusd_epi32(acc, bytes, _mm512_mask_blend_epi8(mask, set_u8(1), set_u8(-1)));
}

inline V widen_i16(const std::int8_t* codes) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
}
inline void add_to_sums(std::int32_t* sums, V terms) {
  store(sums, add_i32(load(sums), _mm512_cvtepi16_epi32(_mm512_castsi512_si256(terms))));
  store(sums + 16, add_i32(load(sums + 16), _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(terms, 1))));
}

// Bits of each nibble from a table of 16, bytes then summed a word: the instruction that counts words is an extension
// that CPUs with VNNI need not have.
inline V popcounts(V words) {
  const V table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const V low = _mm512_shuffle_epi8(table, and_(words, set_u8(15)));
  const V high = _mm512_shuffle_epi8(table, and_(_mm512_srli_epi16(words, 4), set_u8(15)));
  return _mm512_sad_epu8(_mm512_add_epi8(low, high), zero());
}
inline V add_i64(V a, V b) { return _mm512_add_epi64(a, b); }

#include "quaver/kernels/address/vector.inc"
#include "quaver/kernels/dispatch/end_target.inc"

#include "quaver/kernels/address/calls.inc"

}  // namespace

const AddressPath kAvx512VnniAddress{Isa::kAvx512Vnni, hamming, truncated, exact, agreement, read, accumulate, finish};

}  // namespace quaver

#endif
