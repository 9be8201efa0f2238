#include "quaver/fixed/quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/activation.h"

namespace quaver {
namespace {

// A scale below the normal floats would lose its own digits (or be 0): such a tensor is constant zero for us.
float scale_from(double step) {
  const float scale = static_cast<float>(step);
  return scale < std::numeric_limits<float>::min() ? 0.0f : scale;
}

void check_max_abs(double max_abs) {
  if (!std::isfinite(static_cast<float>(max_abs)) || max_abs < 0) {
    throw_bad_input(concat("a tensor's largest magnitude is ", max_abs,
                           ", expected a finite number >= 0; did calibration or training diverge?"));
  }
}

}  // namespace

Affine affine_i8(double min, double max) {
  if (!std::isfinite(static_cast<float>(min)) || !std::isfinite(static_cast<float>(max)) || min > max) {
    throw_bad_input(concat("a tensor's range is [", min, ", ", max,
                           "], expected two finite numbers in order; did calibration see any data?"));
  }
  const double low = std::min(min, 0.0);
  const double high = std::max(max, 0.0);
  const float scale = scale_from((high - low) / 255.0);
  if (scale == 0.0f) return {};
  const double zero_point = round_half_away(-128.0 - low / static_cast<double>(scale));
  return {scale, static_cast<std::int32_t>(std::clamp(zero_point, -128.0, 127.0))};
}

float symmetric_scale(double max_abs, std::int32_t limit) {
  QUAVER_DCHECK(limit > 0);
  check_max_abs(max_abs);
  const float scale = scale_from(max_abs / limit);
  return scale == 0.0f ? 1.0f : scale;
}

int power_of_two_integer_bits(double max_abs) {
  check_max_abs(max_abs);
  int bits = 0;
  while (bits < kMaxTanhIntegerBits && max_abs > std::ldexp(1.0, bits)) ++bits;
  return bits;
}

std::int32_t quantize(double x, double scale, std::int32_t zero_point, std::int32_t low, std::int32_t high) {
  const double code = round_half_away(x / scale) + zero_point;
  return static_cast<std::int32_t>(std::clamp(code, static_cast<double>(low), static_cast<double>(high)));
}

}  // namespace quaver
