#include "quaver/fixed/multiplier.h"

#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

constexpr int kMinExponent = -31;
constexpr int kMaxExponent = 30;

}  // namespace

Multiplier Multiplier::from_real(double r) {
  if (!std::isfinite(r) || r < 0) {
    throw_bad_input(
        concat("a scale ratio is ", r, ", expected a finite number >= 0; is a scale missing or not a number?"));
  }
  int exponent = 0;
  const double fraction = std::frexp(r, &exponent);  // r = fraction 2^exponent, fraction in [1/2, 1) or 0
  double mantissa = round_half_away(std::ldexp(fraction, 31));
  if (mantissa == 0x1p31) {
    mantissa /= 2;
    ++exponent;
  }
  if (mantissa == 0 || exponent < kMinExponent) return {};
  if (exponent > kMaxExponent) {
    throw_bad_input(concat("a scale ratio is ", r,
                           ", expected less than 2^30: its input or its weights are far larger than what it gives; "
                           "look for extreme values in the "
                           "calibration data and the weights"));
  }
  return {static_cast<std::int32_t>(mantissa), exponent};
}

double Multiplier::to_real() const { return std::ldexp(static_cast<double>(mantissa), exponent - 31); }

RowMultipliers RowMultipliers::from(std::span<const Multiplier> rows) {
  RowMultipliers result;
  for (const Multiplier& m : rows) {
    result.mantissa.push_back(m.mantissa);
    result.left_shift.push_back(std::max(m.exponent, 0));
    result.right_shift.push_back(std::max(-m.exponent, 0));
    result.shifts_left = result.shifts_left || m.exponent > 0;
  }
  return result;
}

void RowMultipliers::append(std::size_t rows, const Rescaling& rescaling) {
  mantissa.insert(mantissa.end(), rows, rescaling.mantissa);
  left_shift.insert(left_shift.end(), rows, rescaling.left_shift);
  right_shift.insert(right_shift.end(), rows, rescaling.right_shift);
  shifts_left = shifts_left || (rows > 0 && rescaling.left_shift > 0);
}

}  // namespace quaver
