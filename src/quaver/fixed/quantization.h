// quantization.h - from a range of real numbers to scale and zero point, and from reals to codes.
//
//   real = scale (code - zero_point)                                                                      (A6)
// Formats of design section 4: i8 asymmetric (activations), i8/i16 symmetric (weights), i16 power of two (cell state).
#pragma once

#include <cstdint>
#include <span>

#include "quaver/fixed/rounding.h"

namespace quaver {

struct Affine {
  float scale = 1.0f;           // real units per step, > 0 and finite
  std::int32_t zero_point = 0;  // the code of real 0, representable: 0 is exact
  bool operator==(const Affine&) const = default;
};

// (A7) int8 codes for [min, max], widened to hold 0: scale = (max - min) / 255, zero point nearest to -128 - min/scale.
// A range of no width gives scale 1, zero point 0. min <= max, both finite.
Affine affine_i8(double min, double max);
// Symmetric around 0 (zero point 0): scale = max_abs / limit with limit 127 (i8) or 32767 (i16); max_abs 0 gives
// scale 1.
float symmetric_scale(double max_abs, std::int32_t limit);
// (A8) The smallest m with max_abs <= 2^m, clamped to 0..6: the cell state is Qm.(15-m).
int power_of_two_integer_bits(double max_abs);

inline constexpr std::int32_t kI8Limit = 127;
inline constexpr std::int32_t kI16Limit = 32767;
inline constexpr std::int32_t kI4Limit = 7;

// Code of x: nearest, ties away from zero, saturated to [low, high]. x finite.
std::int32_t quantize(double x, double scale, std::int32_t zero_point, std::int32_t low, std::int32_t high);

}  // namespace quaver
