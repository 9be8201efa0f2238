#include "quaver/fixed/activation.h"

#include <concepts>
#include <cstdint>
#include <limits>

#include "quaver/core/check.h"
#include "quaver/fixed/activation_constants.h"
#include "quaver/fixed/rounding.h"

namespace quaver {
namespace {

// A sum that arithmetic.md shows to fit: the check holds the proof to account in debug builds.
template <std::signed_integral Raw>
constexpr Raw narrow(std::int64_t x) {
  QUAVER_DCHECK(x == static_cast<Raw>(x));
  return static_cast<Raw>(x);
}

// exp(a), a in [-1/4, 0), all in Q0: Taylor around -1/8, 1 + x + x^2/2 + x^3/6 + x^4/24 with x = a + 1/8.
template <std::signed_integral Raw>
Raw exp_within_quarter(Raw a) {
  const Raw x = narrow<Raw>(a + (std::int64_t{1} << (std::numeric_limits<Raw>::digits - 3)));
  const Raw x2 = high_mul(x, x);
  const Raw x3 = high_mul(x2, x);
  const Raw x4 = high_mul(x2, x2);
  const Raw cubic = narrow<Raw>(std::int64_t{divide_by_pot(x4, 2)} + x3);
  const std::int32_t twice_tail = narrow<Raw>(std::int64_t{high_mul(cubic, curve_constant<Raw>(kOneThird))} + x2);
  const Raw base = curve_constant<Raw>(kExpMinusEighth);
  const Raw factor = narrow<Raw>(std::int64_t{x} + divide_by_pot(twice_tail, 1));
  return saturate<Raw>(std::int64_t{base} + high_mul(base, factor));
}

// (A9) exp(a), a <= 0 with integer_bits before the point, as Q0.
template <std::signed_integral Raw>
Raw exp_on_negative(Raw a, int integer_bits) {
  const int fraction_bits = std::numeric_limits<Raw>::digits - integer_bits;
  const std::int64_t quarter = std::int64_t{1} << (fraction_bits - 2);
  const std::int64_t fine = (a & (quarter - 1)) - quarter;  // in [-1/4, 0)
  const std::int64_t coarse = fine - a;                     // >= 0, a multiple of 1/4
  if (a == 0) return std::numeric_limits<Raw>::max();
  Raw result = exp_within_quarter(narrow<Raw>(fine * (std::int64_t{1} << integer_bits)));
  for (const ExpStage& stage : kExpStages) {
    if (stage.exponent >= integer_bits) break;
    const std::int64_t bit = std::int64_t{1} << (fraction_bits + stage.exponent);
    if ((coarse & bit) != 0) result = high_mul(result, curve_constant<Raw>(stage.factor));
  }
  // The stages reach exp(-32); beyond, the value is 0 in either width.
  if (integer_bits > 5 && a < -(std::int64_t{1} << (fraction_bits + 5))) return 0;
  return result;
}

// 2 / (1 + a) in Q2.13, a in [0, 1) as Q0.15: Newton on x <- x + x (1 - d x) with d = (1 + a) / 2 in [1/2, 1).
std::int16_t reciprocal_q2_13(std::int16_t a_q0_15) {
  constexpr std::int32_t kOne = 1 << 13;
  const auto d_q0_15 = narrow<std::int16_t>((std::int32_t{a_q0_15} + 32768) / 2);
  constexpr std::int16_t kStart_q2_13 = curve_constant<std::int16_t>(kReciprocalStart);
  constexpr std::int16_t kSlope_q2_13 = curve_constant<std::int16_t>(kReciprocalSlope);
  auto x_q2_13 = narrow<std::int16_t>(kStart_q2_13 + high_mul(d_q0_15, kSlope_q2_13));
  for (int step = 0; step < 3; ++step) {
    const auto rest_q2_13 = narrow<std::int16_t>(kOne - high_mul(d_q0_15, x_q2_13));
    const std::int16_t correction_q4_11 = high_mul(x_q2_13, rest_q2_13);
    x_q2_13 = narrow<std::int16_t>(x_q2_13 + shift_left_saturating(correction_q4_11, 2));
  }
  return x_q2_13;
}

// -|x|: the side on which every int16 has its mirror image.
std::int16_t minus_magnitude(std::int16_t x) { return static_cast<std::int16_t>(x < 0 ? x : -x); }

}  // namespace

std::int16_t sigmoid_q0_15(std::int16_t x, int integer_bits) noexcept {
  QUAVER_DCHECK(integer_bits >= kMinSigmoidIntegerBits && integer_bits <= kMaxSigmoidIntegerBits);
  if (x == 0) return 1 << 14;
  const std::int16_t exp_q0_15 = exp_on_negative(minus_magnitude(x), integer_bits);
  const std::int16_t positive = shift_left_saturating(reciprocal_q2_13(exp_q0_15), 1);  // 1 / (1 + e^-|x|)
  return x > 0 ? positive : static_cast<std::int16_t>(32767 - positive);
}

std::int16_t tanh_q0_15(std::int16_t x, int integer_bits) noexcept {
  QUAVER_DCHECK(integer_bits >= 0 && integer_bits <= kMaxTanhIntegerBits);
  if (x == 0) return 0;
  // One integer bit more on the same code is the factor 2 of e^-2|x|.
  const std::int16_t exp_q0_15 = exp_on_negative(minus_magnitude(x), integer_bits + 1);
  const auto rest_q2_13 = narrow<std::int16_t>(reciprocal_q2_13(exp_q0_15) - (1 << 13));  // 2 / (1 + e^-2|x|) - 1
  const std::int16_t positive = shift_left_saturating(rest_q2_13, 2);
  return x > 0 ? positive : static_cast<std::int16_t>(-positive);
}

std::int32_t exp_on_negative_q0_31(std::int32_t x_q5_26) noexcept {
  QUAVER_DCHECK(x_q5_26 <= 0);
  return exp_on_negative(x_q5_26, 5);
}

}  // namespace quaver
