#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/address/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/begin_avx2.inc"

using V = __m256i;
using Mask = __m256i;
using Shift = __m128i;
constexpr std::size_t kBytes = 32;

inline V load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
inline void store(void* to, V value) { _mm256_storeu_si256(static_cast<__m256i*>(to), value); }
inline void store_i32(std::int32_t* to, V value) { store(to, value); }
inline V zero() { return _mm256_setzero_si256(); }
inline V set_u8(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
inline V set_i16(int x) { return _mm256_set1_epi16(static_cast<short>(x)); }
inline V set_i32(std::int32_t x) { return _mm256_set1_epi32(x); }
inline V set_u32(std::uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
inline V set_u64(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
inline Shift shift_of(int bits) { return _mm_cvtsi32_si128(bits); }

inline V xor_(V a, V b) { return _mm256_xor_si256(a, b); }
inline V or_(V a, V b) { return _mm256_or_si256(a, b); }
inline V and_(V a, V b) { return _mm256_and_si256(a, b); }
inline V abs_i8(V a) { return _mm256_abs_epi8(a); }
inline V adds_u8(V a, V b) { return _mm256_adds_epu8(a, b); }
inline V subs_u8(V a, V b) { return _mm256_subs_epu8(a, b); }
inline V min_u8(V a, V b) { return _mm256_min_epu8(a, b); }
inline V halve_u8(V a) { return and_(_mm256_srli_epi16(a, 1), set_u8(0x7f)); }
inline Mask negative_i8(V a) { return _mm256_cmpgt_epi8(zero(), a); }
inline V select(Mask mask, V yes, V no) { return _mm256_blendv_epi8(no, yes, mask); }

inline V multiply_i16(V a, V b) { return _mm256_mullo_epi16(a, b); }
inline V high_u16(V a, V b) { return _mm256_mulhi_epu16(a, b); }
inline V add_i16(V a, V b) { return _mm256_add_epi16(a, b); }
inline V min_u16(V a, V b) { return _mm256_min_epu16(a, b); }
inline V min_i16(V a, V b) { return _mm256_min_epi16(a, b); }
inline V max_i16(V a, V b) { return _mm256_max_epi16(a, b); }
inline V sign_i16(V a) { return _mm256_srai_epi16(a, 15); }
inline V shift_left_i16(V a, Shift bits) { return _mm256_sll_epi16(a, bits); }
inline V shift_right_i16(V a, Shift bits) { return _mm256_sra_epi16(a, bits); }
inline V shift_right_u16(V a, Shift bits) { return _mm256_srl_epi16(a, bits); }

inline V add_i32(V a, V b) { return _mm256_add_epi32(a, b); }
inline V min_i32(V a, V b) { return _mm256_min_epi32(a, b); }
inline V max_i32(V a, V b) { return _mm256_max_epi32(a, b); }
inline V add_pairs(V acc, V a) { return add_i32(acc, _mm256_madd_epi16(a, set_i16(1))); }
// Bytes up to 127 times +-1: pairs fit 16 bits.
inline V add_signed(V acc, V bytes, Mask mask) {
  return add_pairs(acc, _mm256_maddubs_epi16(bytes, or_(mask, set_u8(1))));
}

// Products of bytes would be summed with saturation, so they are widened: those in even places and those in odd ones.
inline V even_i16(V codes) { return _mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8); }
inline V odd_i16(V codes) { return _mm256_srai_epi16(codes, 8); }
inline V add_exact(V acc, V code, V query) {
  return add_i32(add_i32(acc, _mm256_madd_epi16(even_i16(code), even_i16(query))),
                 _mm256_madd_epi16(odd_i16(code), odd_i16(query)));
}

inline V exact_start(const std::int8_t* /*query*/, std::size_t /*groups*/) { return zero(); }

inline V widen_i16(const std::int8_t* codes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
}
inline bool any_equal_i32(V a, V b) { return _mm256_movemask_epi8(_mm256_cmpeq_epi32(a, b)) != 0; }
inline V abs_i16(V a) { return _mm256_abs_epi16(a); }
inline V load_narrow(const std::int32_t* sums) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(load(sums), load(sums + 8)), 0xd8);
}
inline V narrow_bytes(V low, V high) {
  const V byte = set_i16(255);
  return _mm256_permute4x64_epi64(_mm256_packus_epi16(and_(low, byte), and_(high, byte)), 0xd8);
}
inline void store_narrow(std::int8_t* to, V codes) {
  const V byte = and_(codes, set_i16(255));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packus_epi16(_mm256_castsi256_si128(byte), _mm256_extracti128_si256(byte, 1)));
}
inline void transpose(V (&rows)[8]) {
  V pairs[8], fours[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // fours[4 k + c]: column 4 n + c of rows 4 k .. 4 k + 3 in half n.
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  }
}
inline void add_to_sums(std::int32_t* sums, V terms) {
  store(sums, add_i32(load(sums), _mm256_cvtepi16_epi32(_mm256_castsi256_si128(terms))));
  store(sums + 8, add_i32(load(sums + 8), _mm256_cvtepi16_epi32(_mm256_extracti128_si256(terms, 1))));
}

// Bits of each nibble from a table of 16, bytes then summed a word.
inline V popcounts(V words) {
  const V table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const V low = _mm256_shuffle_epi8(table, and_(words, set_u8(15)));
  const V high = _mm256_shuffle_epi8(table, and_(_mm256_srli_epi16(words, 4), set_u8(15)));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), zero());
}
inline V add_i64(V a, V b) { return _mm256_add_epi64(a, b); }

#include "quaver/kernels/address/vector.inc"
#include "quaver/kernels/dispatch/end_target.inc"

#include "quaver/kernels/address/calls.inc"

}  // namespace

const AddressPath kAvx2Address{Isa::kAvx2, split,    narrow,    hamming,     truncated,   exact, agreement,
                               read,       sum_rows, code_rows, code_packed, add_limited, find,  largest};

}  // namespace quaver

#endif
