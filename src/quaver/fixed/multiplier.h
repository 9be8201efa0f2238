// multiplier.h - a positive real factor as integer mantissa and exponent: how a scale ratio is applied without floats.
//
//   r ~ mantissa 2^(exponent - 31),  mantissa in [2^30, 2^31)                                     (A4)
//   apply(x) = divide_by_pot(high_mul(x 2^max(e,0), mantissa), max(-e,0))                         (A5)
// r below 2^-32 becomes 0. The left shift saturates (LiteRT leaves that case undefined; no golden reaches it).
#pragma once

#include <cstdint>
#include <span>

#include "quaver/core/aligned.h"
#include "quaver/fixed/rounding.h"

namespace quaver {

struct Multiplier {
  std::int32_t mantissa = 0;
  std::int32_t exponent = 0;  // in [-31, 30]

  // r >= 0 and finite and r < 2^30, else Error (a bug or a hostile scale: the text says the value).
  static Multiplier from_real(double r);
  double to_real() const;  // the value it stands for

  std::int32_t apply(std::int32_t x) const {  // (A5)
    const std::int32_t shifted = exponent > 0 ? shift_left_saturating(x, exponent) : x;
    return divide_by_pot(high_mul(shifted, mantissa), exponent < 0 ? -exponent : 0);
  }
  bool operator==(const Multiplier&) const = default;
};

// What a multiplier does, with shifts both ways: so that it can be a power of two that rounds once, too.
struct Rescaling {
  std::int32_t mantissa = 0, left_shift = 0, right_shift = 0;

  static Rescaling from(Multiplier m) {
    return {m.mantissa, m.exponent > 0 ? m.exponent : 0, m.exponent < 0 ? -m.exponent : 0};
  }
  // x 2^-shift, (A3); shift in -29..31, |x| < 2^30. high_mul(2 x, 2^30) is x, exactly; what a shift to the left
  // saturates stays beyond 2^29.
  static Rescaling by_power_of_two(int shift) {
    return {std::int32_t{1} << 30, shift > 0 ? 1 : 1 - shift, shift > 0 ? shift : 0};
  }
  std::int32_t apply(std::int32_t x) const {
    return divide_by_pot(high_mul(shift_left_saturating(x, left_shift), mantissa), right_shift);
  }
};

// One multiplier a row, laid out for vector kernels. Per-tensor weights repeat one value: cells know no special case.
struct RowMultipliers {
  AlignedVector<std::int32_t> mantissa;
  AlignedVector<std::int32_t> left_shift;   // max(exponent, 0)
  AlignedVector<std::int32_t> right_shift;  // max(-exponent, 0)
  bool shifts_left = false;                 // any left_shift > 0: kernels skip that step where none is

  static RowMultipliers from(std::span<const Multiplier> rows);
  void append(std::size_t rows, const Rescaling& rescaling);  // the same for all of them
  std::size_t size() const { return mantissa.size(); }
  Rescaling rescaling(std::size_t row) const { return {mantissa[row], left_shift[row], right_shift[row]}; }
  // Of a row that came from a multiplier.
  Multiplier at(std::size_t row) const { return {mantissa[row], left_shift[row] - right_shift[row]}; }
};

}  // namespace quaver
