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

inline V multiply_i16(V a, V b) { return _mm512_mullo_epi16(a, b); }
inline V high_u16(V a, V b) { return _mm512_mulhi_epu16(a, b); }
inline V add_i16(V a, V b) { return _mm512_add_epi16(a, b); }
inline V min_u16(V a, V b) { return _mm512_min_epu16(a, b); }
inline V min_i16(V a, V b) { return _mm512_min_epi16(a, b); }
inline V max_i16(V a, V b) { return _mm512_max_epi16(a, b); }
inline V sign_i16(V a) { return _mm512_srai_epi16(a, 15); }
inline V shift_left_i16(V a, Shift bits) { return _mm512_sll_epi16(a, bits); }
inline V shift_right_i16(V a, Shift bits) { return _mm512_sra_epi16(a, bits); }
inline V shift_right_u16(V a, Shift bits) { return _mm512_srl_epi16(a, bits); }

inline V add_i32(V a, V b) { return _mm512_add_epi32(a, b); }
inline V min_i32(V a, V b) { return _mm512_min_epi32(a, b); }
inline V max_i32(V a, V b) { return _mm512_max_epi32(a, b); }
inline V add_signed(V acc, V bytes, Mask mask) {
  return _mm512_dpbusd_epi32(acc, bytes, _mm512_mask_blend_epi8(mask, set_u8(1), set_u8(-1)));
}

// The instruction multiplies unsigned by signed bytes: 128 is added to every code here, 128 times the query's sum is
// taken off first. Sums wrap, so what lies between does not matter.
inline V add_exact(V acc, V code, V query) { return _mm512_dpbusd_epi32(acc, xor_(code, set_u8(-128)), query); }
inline V exact_start(const std::int8_t* query, std::size_t groups) {
  V sum = zero();  // in lane k of codes 4 k, 4 k + 64, ...
  for (std::size_t j = 0; j < 4 * groups; j += 64) {
    const std::size_t left = 4 * groups - j;
    const __mmask64 there = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    sum = _mm512_dpbusd_epi32(sum, set_u8(1), _mm512_maskz_loadu_epi8(there, query + j));
  }
  return _mm512_set1_epi32(-128 * _mm512_reduce_add_epi32(sum));
}

inline V widen_i16(const std::int8_t* codes) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
}
inline bool any_equal_i32(V a, V b) { return _mm512_cmpeq_epi32_mask(a, b) != 0; }
inline V abs_i16(V a) { return _mm512_abs_epi16(a); }
inline V load_narrow(const std::int32_t* sums) {
  const __m256i low = _mm512_cvtsepi32_epi16(load(sums)), high = _mm512_cvtsepi32_epi16(load(sums + 16));
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
inline V narrow_bytes(V low, V high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi16_epi8(low)), _mm512_cvtepi16_epi8(high), 1);
}
inline void store_narrow(std::int8_t* to, V codes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi16_epi8(codes));
}
inline void transpose(V (&rows)[16]) {
  V pairs[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // fours[4 k + c]: column 4 n + c of rows 4 k .. 4 k + 3 in the n-th quarter.
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    const V low_01 = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0x88);
    const V high_01 = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0xdd);
    const V low_23 = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0x88);
    const V high_23 = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0xdd);
    rows[i] = _mm512_shuffle_i32x4(low_01, low_23, 0x88);
    rows[i + 4] = _mm512_shuffle_i32x4(high_01, high_23, 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(low_01, low_23, 0xdd);
    rows[i + 12] = _mm512_shuffle_i32x4(high_01, high_23, 0xdd);
  }
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

const AddressPath kAvx512VnniAddress{
    Isa::kAvx512Vnni, split,     narrow,      hamming,     truncated, exact,  agreement, read,
    sum_rows,         code_rows, code_packed, add_limited, find,      largest};

}  // namespace quaver

#endif
