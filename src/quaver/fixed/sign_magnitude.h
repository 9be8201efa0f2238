// sign_magnitude.h - the fixed-point numbers of Q-MANN (Park et al. 2018): sign and magnitude, truncation, saturation.
//
// A format has `integer` and `fraction` bits; code c is the real number c 2^-fraction, |c| <= limit = 2^(integer +
// fraction) - 1. There is no code -limit - 1: the range is symmetric. Word length n = 1 + integer + fraction.
//
//   Q(x) = sign(x) min(floor(|x| 2^fraction), limit)                       (M1) of a real number
//   Q(a b) = sign(a b) min(|a| |b| >> fraction_b, limit)                   (M2) of two codes, in the format of a
//   Q(c) from another format: the magnitude shifted by the difference of the fractions, then limited     (M3)
//   Q(x; 0, 0) = +1 if x >= 0 else -1                                      (M4) one bit
//
// This rule truncates toward zero; it belongs to the `fixed` and `qmann` schemes alone. All other integer arithmetic of
// Quaver rounds as rounding.h says. Formats up to n = 15 keep every product inside int32; n = 8 keeps (M2) in int16.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace quaver {

struct SignMagnitudeFormat {
  int integer = 0;   // bits before the point, >= 0
  int fraction = 7;  // bits behind it, >= 0; integer + fraction in [1, 14]

  int magnitude_bits() const { return integer + fraction; }
  std::int32_t limit() const { return (std::int32_t{1} << magnitude_bits()) - 1; }
  double step() const { return std::ldexp(1.0, -fraction); }
  bool operator==(const SignMagnitudeFormat&) const = default;
};

// (M1) x: finite.
inline std::int32_t sign_magnitude_code(double x, SignMagnitudeFormat format) {
  const double magnitude = std::floor(std::ldexp(std::abs(x), format.fraction));
  const auto code = static_cast<std::int32_t>(std::min(magnitude, static_cast<double>(format.limit())));
  return x < 0 ? -code : code;
}

// The same of a float, fast: its product with a power of two is exact, and conversion truncates toward zero.
inline std::int32_t sign_magnitude_code(float x, SignMagnitudeFormat format) {
  const auto limit = static_cast<float>(format.limit());
  return static_cast<std::int32_t>(
      std::clamp(x * static_cast<float>(std::int32_t{1} << format.fraction), -limit, limit));
}

// |code| >> shift with the sign kept: toward zero, where an arithmetic shift goes down.
inline std::int32_t truncating_shift(std::int32_t code, int shift) {
  const std::int32_t sign = code >> 31;  // 0 or -1
  return (code + (sign & ((std::int32_t{1} << shift) - 1))) >> shift;
}

// (M2) The code of a b in the format of a; b has `fraction_b` bits behind its point.
inline std::int32_t truncated_product(std::int32_t a, std::int32_t b, int fraction_b, std::int32_t limit_a) {
  return std::clamp(truncating_shift(a * b, fraction_b), -limit_a, limit_a);
}

// (M3) The code in `to` of what `code` is in `from`.
inline std::int32_t reformatted(std::int32_t code, SignMagnitudeFormat from, SignMagnitudeFormat to) {
  const int shift = to.fraction - from.fraction;
  const std::int32_t moved = shift >= 0 ? code << shift : truncating_shift(code, -shift);
  return std::clamp(moved, -to.limit(), to.limit());
}

// ---- weighted Hamming similarity (Q-MANN's program; docs/cells/memn2n.md derives the closed form) ----
//
// Of two numbers a, b, read with `fine` bits behind the point, 0 or 1 more than the format has: the format's integer
// bits bound them, so |a|, |b| <= 2^(integer + fine) - 1. Signs count zero as positive.
//   Delta = ||a| - |b|| for equal signs, |a| + |b| for others, limited and cut to the format's fraction
//   s = sgn(a) sgn(b) (limit - Delta)         in units of 2^-magnitude_bits                                (M5)
inline std::int32_t hamming_distance(std::int32_t a, std::int32_t b, SignMagnitudeFormat format, int fine) {
  const bool same_sign = (a < 0) == (b < 0);
  const std::int32_t difference = same_sign ? std::abs(a - b) : std::abs(a) + std::abs(b);
  return std::min(difference >> (fine - format.fraction), format.limit());
}
inline std::int32_t hamming_similarity(std::int32_t a, std::int32_t b, SignMagnitudeFormat format, int fine) {
  const std::int32_t bits = format.limit() - hamming_distance(a, b, format, fine);
  return (a < 0) == (b < 0) ? bits : -bits;
}

// The smoothed slope of s (M6): every differing bit counts the same, whatever its weight. a: memory, b: query.
//   ds/da = [signs differ] (-1) - sgn(b) (+-popcount(Delta)),  + where |a| is the larger magnitude (or equal)
//   ds/db = [signs differ] (-1) + sgn(a) (+-popcount(Delta))
// released: of ds/db as the authors' program computes it: bits below the first differing one count too.
// Bits that are 1, of 16: std::popcount is a call where the baseline CPU has no such instruction, and stops vectors.
inline std::int32_t set_bits(std::int32_t value) {
  value -= (value >> 1) & 0x5555;
  value = (value & 0x3333) + ((value >> 2) & 0x3333);
  value = (value + (value >> 4)) & 0x0f0f;
  return (value + (value >> 8)) & 0x1f;
}
struct HammingSlope {
  std::int32_t memory = 0;
  std::int32_t query = 0;
};
inline HammingSlope hamming_slope(std::int32_t a, std::int32_t b, SignMagnitudeFormat format, int fine, bool released) {
  const std::int32_t distance = hamming_distance(a, b, format, fine), differing = set_bits(distance);
  const std::int32_t counted =
      released ? static_cast<std::int32_t>(std::bit_width(static_cast<std::uint32_t>(distance))) : differing;
  const std::int32_t order = std::abs(a) >= std::abs(b) ? 1 : -1;
  const std::int32_t jump = (a < 0) == (b < 0) ? 0 : -1;
  return {jump - (b < 0 ? -order : order) * differing, jump + (a < 0 ? -order : order) * counted};
}

}  // namespace quaver
