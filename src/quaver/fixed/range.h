// range.h - interval arithmetic on integers: "does this sum fit?" asked once at set-up instead of on every step.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>

namespace quaver {

// A closed interval of integers; every operation gives an interval that holds all results of its operands' members.
// The bounds are 128-bit inside: sums, one product of 64-bit intervals, or a sum of 2^62 products of 32-bit ones, can
// not themselves overflow.
struct Range {
  __extension__ using Wide = __int128;
  Wide low = 0;
  Wide high = 0;

  static constexpr Range of(std::int64_t low, std::int64_t high) { return {low, high}; }
  template <std::integral T>
  static constexpr Range all() {  // every value of T
    return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  }

  constexpr Range operator+(Range b) const { return {low + b.low, high + b.high}; }
  constexpr Range operator-(Range b) const { return {low - b.high, high - b.low}; }
  constexpr Range operator*(Range b) const {
    const auto [least, most] = std::minmax({low * b.low, low * b.high, high * b.low, high * b.high});
    return {least, most};
  }
  constexpr Range times(std::int64_t count) const { return {low * count, high * count}; }  // a sum of `count` members
  constexpr bool fits(int bits) const {  // in a signed integer of `bits` bits, 1..64
    const Wide limit = Wide{1} << (bits - 1);
    return low >= -limit && high < limit;
  }
};

// (A13) Does the sum over cols of w x, w in [-127, 127], x an int8 code, plus any bias in [bias_low, bias_high] fit
// int32? Asked of every partial sum too: each term's interval holds 0, so the whole sum's interval holds them all.
bool matvec_fits_i32(std::int64_t cols, std::int64_t bias_low, std::int64_t bias_high);

}  // namespace quaver
