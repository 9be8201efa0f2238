// rounding.h - the one rounding rule of Quaver, and saturation.
//
// Requantization rounds twice, exactly as gemmlowp and LiteRT do, so that our integer LSTM returns LiteRT's bytes:
//   high_mul(a, b)      = floor((a b + 2^(n-2)) / 2^(n-1))   n = 32 or 16; ties upward; saturates a = b = min   (A2)
//   divide_by_pot(x, k) = x / 2^k, ties away from zero                                                          (A3)
// Real numbers become codes by round_half_away (A1). Nothing else in the tree rounds on its own.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include "quaver/core/check.h"

namespace quaver {

// The nearest value of T to x: T's ends beyond them.
template <std::signed_integral T>
constexpr T saturate(std::int64_t x) {
  return static_cast<T>(std::clamp<std::int64_t>(x, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

// x 2^k, saturated to T; 0 <= k < 32.
template <std::signed_integral T>
constexpr T shift_left_saturating(T x, int k) {
  QUAVER_DCHECK(k >= 0 && k < 32);
  return saturate<T>(static_cast<std::int64_t>(x) * (std::int64_t{1} << k));
}

// (A3) x / 2^k, ties away from zero; 0 <= k <= 31.
constexpr std::int32_t divide_by_pot(std::int32_t x, int k) {
  QUAVER_DCHECK(k >= 0 && k <= 31);
  const std::int32_t mask = static_cast<std::int32_t>((std::int64_t{1} << k) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> k) + (remainder > threshold ? 1 : 0);
}

// (A2) The high half of 2ab, rounded; on int32.
constexpr std::int32_t high_mul(std::int32_t a, std::int32_t b) {
  const std::int64_t product = static_cast<std::int64_t>(a) * b;
  return saturate<std::int32_t>((product + (std::int64_t{1} << 30)) >> 31);
}

// (A2) on int16.
constexpr std::int16_t high_mul(std::int16_t a, std::int16_t b) {
  const std::int32_t product = static_cast<std::int32_t>(a) * b;
  return saturate<std::int16_t>((product + (1 << 14)) >> 15);
}

// (A1) The nearest integer, ties away from zero.
inline double round_half_away(double x) { return std::round(x); }

// numerator / denominator, ties away from zero; denominator > 0.
constexpr std::int64_t divide_rounded(std::int64_t numerator, std::int64_t denominator) {
  QUAVER_DCHECK(denominator > 0);
  const std::int64_t half = denominator / 2;
  return (numerator + (numerator >= 0 ? half : -half)) / denominator;
}

}  // namespace quaver
