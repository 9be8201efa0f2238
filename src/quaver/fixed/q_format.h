// q_format.h - fixed-point numbers whose point is in the type: Q<std::int16_t, 3> is Q3.12, Q<std::int16_t, 0> is
// Q0.15.
//
// Used across function borders; kernels work on raw integers with the format in the name (gate_q0_15, acc_i32).
#pragma once

#include <cstdint>
#include <limits>

#include "quaver/fixed/rounding.h"

namespace quaver {

template <std::signed_integral Raw, int IntegerBits>
struct Q {
  static constexpr int kIntegerBits = IntegerBits;
  static constexpr int kFractionBits = std::numeric_limits<Raw>::digits - IntegerBits;
  static_assert(IntegerBits >= 0 && kFractionBits >= 0);
  static constexpr double kStep = 1.0 / static_cast<double>(std::int64_t{1} << kFractionBits);

  Raw raw = 0;

  static Q from_real(double x) {  // nearest, saturated; x finite
    const double code = round_half_away(x / kStep);
    if (code >= static_cast<double>(std::numeric_limits<Raw>::max())) return {std::numeric_limits<Raw>::max()};
    if (code <= static_cast<double>(std::numeric_limits<Raw>::min())) return {std::numeric_limits<Raw>::min()};
    return {static_cast<Raw>(code)};
  }
  constexpr double to_real() const { return static_cast<double>(raw) * kStep; }
  constexpr auto operator<=>(const Q&) const = default;
};

using Q3_12 = Q<std::int16_t, 3>;  // gate pre-activation
using Q4_11 = Q<std::int16_t, 4>;  // sums of a GRU's update and reset gate
using Q0_15 = Q<std::int16_t, 0>;  // gate, GRU state

}  // namespace quaver
