// curve.h - the curves that cells put on the sums of gates and on their state; a row a curve.
//
// A curve takes int16 in Qm.(15-m) to Q0.15, for the m of its row. Kernels are handed a Curve, or the curves of a whole
// cell; their vector forms give the bits of the function in the row (kernels/elementwise/curves.inc).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quaver/fixed/activation.h"

namespace quaver {

enum class Curve : std::uint8_t { kSigmoid, kTanh };  // the place in kCurves

struct CurveRow {
  Curve curve;
  std::string_view name;
  int least_integer_bits, most_integer_bits;                         // m
  std::int16_t (*apply)(std::int16_t x, int integer_bits) noexcept;  // the definition
};
inline constexpr std::array<CurveRow, 2> kCurves{
    {{Curve::kSigmoid, "sigmoid", kMinSigmoidIntegerBits, kMaxSigmoidIntegerBits, sigmoid_q0_15},  // (A10)
     {Curve::kTanh, "tanh", 0, kMaxTanhIntegerBits, tanh_q0_15}}};                                 // (A11)
constexpr const CurveRow& curve_row(Curve curve) { return kCurves[static_cast<std::size_t>(curve)]; }

// Those of a cell with gates, by what they are put on.
struct CellCurves {
  Curve gate = Curve::kSigmoid;    // i, f, o of an LSTM (m = 3), z and r of a GRU (m = 4)
  Curve candidate = Curve::kTanh;  // m = 3
  Curve cell = Curve::kTanh;       // an LSTM's c, every m in 0..6
  bool operator==(const CellCurves&) const = default;
};

}  // namespace quaver
