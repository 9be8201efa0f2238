// scalar.cc's layer normalization on 8 elements a turn, the same bits.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/norm/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/neon_lanes.inc"

struct Sums {
  std::int64_t values, squares;
};

Sums sums_of(const std::int16_t* in, std::size_t n) {
  int64x2_t values = vdupq_n_s64(0), squares = values;
  for (std::size_t j = 0; j < n; j += kLanes) {
    const V16 q = load_i16(in + j, at_most(n - j, kLanes));
    values = vpadalq_s32(values, vpaddlq_s16(q));
    const Wide square = multiply_woven(q, q);
    squares = vpadalq_s32(vpadalq_s32(squares, square.first), square.second);
  }
  return {vaddvq_s64(values), vaddvq_s64(squares)};
}

// saturate<int32>(divide_rounded(x, 1024)), ties away from zero as in divide().
inline int32x2_t divide_by_1024(int64x2_t x) { return vqmovn_s64(vrshrq_n_s64(vaddq_s64(x, vshrq_n_s64(x, 63)), 10)); }

// t = (normal L + b) / 1024, in 64 bits.
inline V32 scale_and_shift(V32 normal, V32 weight, V32 bias) {
  const int64x2_t low = vmlal_s32(vmovl_s32(vget_low_s32(bias)), vget_low_s32(normal), vget_low_s32(weight));
  const int64x2_t high = vmlal_high_s32(vmovl_high_s32(bias), normal, weight);
  return vcombine_s32(divide_by_1024(low), divide_by_1024(high));
}

void layer_norm(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, const LayerNormRule& rule,
                std::size_t n, std::int16_t* out_q3_12) noexcept {
  const Sums sums = sums_of(in, n);
  const Centre centre = centre_of(sums.values, sums.squares, n, rule.variance_guard);
  const LaneMultipliers inverse = same_multiplier(centre.inverse.mantissa, centre.inverse.exponent);
  const LaneMultipliers to_output = same_multiplier(rule.to_q3_12.mantissa, rule.to_q3_12.exponent);
  const V32 mean10 = set_i32(centre.mean10);
  for (std::size_t j = 0; j < n; j += kLanes) {
    const std::size_t count = at_most(n - j, kLanes), first = at_most(count, kLanes / 2);
    const Wide q = widen_in_order(load_i16(in + j, count));
    const Wide weights = widen_in_order(load_i16(weight + j, count));
    const Wide deviation{vsubq_s32(vshlq_n_s32(q.first, 10), mean10), vsubq_s32(vshlq_n_s32(q.second, 10), mean10)};
    const Wide normal = apply<false>(deviation, inverse);
    const Wide t{scale_and_shift(normal.first, weights.first, load_i32(bias + j, first)),
                 scale_and_shift(normal.second, weights.second, load_i32(bias + j + first, count - first))};
    store_i16(out_q3_12 + j, count, narrow_in_order(apply<true>(t, to_output)));
  }
}

}  // namespace

const LayerNormPath kNeonLayerNorm{Isa::kNeon, layer_norm};

}  // namespace quaver

#endif
