// scalar.cc's layer normalization on 16 elements a turn, the same bits.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/norm/paths.h"

namespace quaver {
namespace {

struct Sums {
  std::int64_t values, squares;
};

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

// n <= 2^15 keeps the sum of values inside int32 lanes. A pair of squares may be 2^31: exact when read without sign.
Sums sums_of(const std::int16_t* in, std::size_t n) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i values = zero, squares = zero;
  for (std::size_t j = 0; j < n; j += 16) {
    const __m256i q = load_i16(in + j, at_most(n - j, 16));
    const __m256i pairs = _mm256_madd_epi16(q, q);
    values = _mm256_add_epi32(values, _mm256_madd_epi16(q, _mm256_set1_epi16(1)));
    squares = _mm256_add_epi64(squares, _mm256_unpacklo_epi32(pairs, zero));
    squares = _mm256_add_epi64(squares, _mm256_unpackhi_epi32(pairs, zero));
  }
  alignas(32) std::int32_t value_lanes[8];
  alignas(32) std::int64_t square_lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(value_lanes), values);
  _mm256_store_si256(reinterpret_cast<__m256i*>(square_lanes), squares);
  Sums sums{0, 0};
  for (const std::int32_t lane : value_lanes) sums.values += lane;
  for (const std::int64_t lane : square_lanes) sums.squares += lane;
  return sums;
}

// saturate<int32>(divide_rounded(x, 1024)) in the lower half of each 64-bit lane. By magnitude: AVX2 has no arithmetic
// shift of 64 bits.
inline __m256i divide_by_1024(__m256i x_i64) {
  const __m256i sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), x_i64);
  const __m256i magnitude = _mm256_sub_epi64(_mm256_xor_si256(x_i64, sign), sign);
  const __m256i quotient = _mm256_srli_epi64(_mm256_add_epi64(magnitude, _mm256_set1_epi64x(512)), 10);
  const __m256i limit = _mm256_sub_epi64(_mm256_set1_epi64x(0x7fffffff), sign);  // 2^31 below zero
  const __m256i cut = _mm256_blendv_epi8(quotient, limit, _mm256_cmpgt_epi64(quotient, limit));
  return _mm256_sub_epi64(_mm256_xor_si256(cut, sign), sign);
}

// t = (normal L + b) / 1024 on 8 lanes: even and odd lanes apart, each widened to 64 bits.
inline __m256i scale_and_shift(__m256i normal, __m256i weight, __m256i bias) {
  const __m256i bias_sign = _mm256_srai_epi32(bias, 31);
  const __m256i even_bias = _mm256_blend_epi32(bias, _mm256_slli_epi64(bias_sign, 32), 0xAA);
  const __m256i odd_bias = _mm256_blend_epi32(_mm256_srli_epi64(bias, 32), bias_sign, 0xAA);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(normal, weight), even_bias);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(normal, 32), _mm256_srli_epi64(weight, 32)), odd_bias);
  return _mm256_blend_epi32(divide_by_1024(even), _mm256_slli_epi64(divide_by_1024(odd), 32), 0xAA);
}

template <bool kShiftsLeft>
void normalize(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, Centre centre,
               Multiplier to_q3_12, std::size_t n, std::int16_t* out_q3_12) {
  const LaneMultipliers inverse = same_multiplier(centre.inverse.mantissa, centre.inverse.exponent);
  const LaneMultipliers to_output = same_multiplier(to_q3_12.mantissa, to_q3_12.exponent);
  const __m256i mean10 = _mm256_set1_epi32(centre.mean10);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const std::size_t first = at_most(count, 8);
    const Wide q = widen_in_order(load_i16(in + j, count));
    const Wide weights = widen_in_order(load_i16(weight + j, count));
    const Wide deviation{_mm256_sub_epi32(_mm256_slli_epi32(q.first, 10), mean10),
                         _mm256_sub_epi32(_mm256_slli_epi32(q.second, 10), mean10)};
    const Wide normal = apply<false>(deviation, inverse);
    const Wide t{scale_and_shift(normal.first, weights.first, load_i32(bias + j, first)),
                 scale_and_shift(normal.second, weights.second, load_i32(bias + j + first, count - first))};
    store_i16(out_q3_12 + j, count, narrow_in_order(apply<kShiftsLeft>(t, to_output)));
  }
}

#include "quaver/kernels/dispatch/end_target.inc"

void layer_norm(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, const LayerNormRule& rule,
                std::size_t n, std::int16_t* out_q3_12) noexcept {
  const Sums sums = sums_of(in, n);
  const Centre centre = centre_of(sums.values, sums.squares, n, rule.variance_guard);
  const auto run = rule.to_q3_12.exponent > 0 ? normalize<true> : normalize<false>;
  run(in, weight, bias, centre, rule.to_q3_12, n, out_q3_12);
}

}  // namespace

const LayerNormPath kAvx2LayerNorm{Isa::kAvx2, layer_norm};

}  // namespace quaver

#endif
