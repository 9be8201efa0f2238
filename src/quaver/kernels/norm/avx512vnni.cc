// scalar.cc's layer normalization on 32 elements a turn, the same bits.
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

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/dispatch/avx512_lanes.inc"

// n <= 2^15 keeps the sum of values inside int32 lanes. A pair of squares may be 2^31: exact when read without sign.
Sums sums_of(const std::int16_t* in, std::size_t n) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i values = zero, squares = zero;
  for (std::size_t j = 0; j < n; j += kLanes) {
    const V16 q = load_i16(in + j, at_most(n - j, kLanes));
    const __m512i pairs = _mm512_madd_epi16(q, q);
    values = _mm512_add_epi32(values, _mm512_madd_epi16(q, set_i16(1)));
    squares = _mm512_add_epi64(squares, _mm512_unpacklo_epi32(pairs, zero));
    squares = _mm512_add_epi64(squares, _mm512_unpackhi_epi32(pairs, zero));
  }
  return {_mm512_reduce_add_epi32(values), _mm512_reduce_add_epi64(squares)};
}

// saturate<int32>(divide_rounded(x, 1024)) in the lower half of each 64-bit lane. Half away from zero is what A3 does:
// one less for negative x, then upward.
inline __m512i divide_by_1024(__m512i x_i64) {
  const __m512i lowered = _mm512_add_epi64(x_i64, _mm512_srai_epi64(x_i64, 63));
  const __m512i quotient = _mm512_srai_epi64(_mm512_add_epi64(lowered, _mm512_set1_epi64(512)), 10);
  return _mm512_max_epi64(_mm512_min_epi64(quotient, _mm512_set1_epi64(0x7fffffff)), _mm512_set1_epi64(-0x80000000LL));
}

// t = (normal L + b) / 1024: even and odd lanes apart, each widened to 64 bits.
inline V32 scale_and_shift(V32 normal, V32 weight, V32 bias) {
  const __m512i even_bias = _mm512_srai_epi64(_mm512_slli_epi64(bias, 32), 32);
  const __m512i odd_bias = _mm512_srai_epi64(bias, 32);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(normal, weight), even_bias);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(normal, 32), _mm512_srli_epi64(weight, 32)), odd_bias);
  return _mm512_mask_blend_epi32(0xAAAA, divide_by_1024(even), _mm512_slli_epi64(divide_by_1024(odd), 32));
}

template <bool kShiftsLeft>
void normalize(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, Centre centre,
               Multiplier to_q3_12, std::size_t n, std::int16_t* out_q3_12) {
  const LaneMultipliers inverse = same_multiplier(centre.inverse.mantissa, centre.inverse.exponent);
  const LaneMultipliers to_output = same_multiplier(to_q3_12.mantissa, to_q3_12.exponent);
  const V32 mean10 = set_i32(centre.mean10);
  for (std::size_t j = 0; j < n; j += kLanes) {
    const std::size_t count = at_most(n - j, kLanes);
    const std::size_t first = at_most(count, kLanes / 2);
    const Wide q = widen_in_order(load_i16(in + j, count));
    const Wide weights = widen_in_order(load_i16(weight + j, count));
    const Wide deviation{_mm512_sub_epi32(_mm512_slli_epi32(q.first, 10), mean10),
                         _mm512_sub_epi32(_mm512_slli_epi32(q.second, 10), mean10)};
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

const LayerNormPath kAvx512VnniLayerNorm{Isa::kAvx512Vnni, layer_norm};

}  // namespace quaver

#endif
