// params.h - what a GRU is made of, in float and in integers. Gate order z, r, h (ONNX).
//
// Rows of gate g of a stacked matrix are [g n, (g+1) n). The views must live until the cell has been built.
#pragma once

#include <cstdint>
#include <span>

#include "quaver/core/matrix_view.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

struct GruShape {
  std::size_t n_in = 0;
  std::size_t n = 0;                // units
  bool linear_before_reset = true;  // reset after the product (PyTorch, Keras, cuDNN); false: before
  bool operator==(const GruShape&) const = default;
};

struct GruFloatParams {
  GruShape shape;
  MatrixView<const float> W;           // [3n, n_in]
  MatrixView<const float> R;           // [3n, n]
  std::span<const float> b;            // [3n]
  std::span<const float> b_recurrent;  // [3n]
};

struct GruIntParams {
  GruShape shape;
  MatrixView<const std::int8_t> W;
  MatrixView<const std::int8_t> R;
  std::span<const std::int32_t> b;              // scale s_x s_W a row
  std::span<const std::int32_t> b_recurrent;    // scale s_R s_h a row; [3n], or [n]: the candidate's alone
  std::span<const float> W_scales, R_scales;    // tensor.h's rule
  Affine x;                                     // input
  Affine h{0x1p-7f, 0};                         // the state's int8 copy, and r .* h
  int candidate_integer_bits = 3;               // reset after: u = R h + b' of the candidate is Qm.(15-m), m = 3..7
  WeightFormatId format = WeightFormatId::kI8;  // of W and R
  SumLimits sums = kCutHalves;                  // how the sums of gates are cut off
  CellCurves curves{};                          // without `cell`
  bool wide_input = false;                      // int16 codes, zero point 0; whole sums only
  bool wide_output = false;                     // the state itself, int16 in Q0.15, else its int8 copy (A46)
};

}  // namespace quaver
