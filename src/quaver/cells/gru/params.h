// params.h - what a GRU is made of, in float and in codes, and what follows for its integer step. Gate order z, r, h
// (ONNX).
//
// Rows of gate g of a stacked matrix are [g n, (g+1) n). The views must live until the cell has been built.
#pragma once

#include <cstdint>
#include <span>

#include "quaver/cells/prepared_product.h"
#include "quaver/core/matrix_view.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

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

// All of a GRU's integer step but its matrices.
struct GruConstants {
  GruShape shape;
  GruRule rule;              // limits of sums (A16), shift behind the reset gate (A24), codes of the copy (A27), curves
  bool wide_output = false;  // the state is handed on, else its copy (A46)
  double h_scale = 0;        // real units a step of the copy: for observers
};

// The integer step (prepared_product.h). Products become steps of Q4.11 (z, r) and Q3.12 (candidate); with the reset
// after, the candidate's recurrent one steps of Qm.(15-m), m = 18 - rule.reset_shift (A24).
struct GruPrepared {
  GruConstants constants;
  PreparedProduct W;            // [3n, n_in] of x, or of the low half of a wide x
  PreparedProduct W_high;       // of the high half, another addend (A45, A17); without rows unless x is wide
  PreparedProduct R;            // [3n, n] of the copy of h; reset before: [2n, n], z and r
  PreparedProduct R_candidate;  // reset before: [n, n] of r .* h (A25); else without rows
};
GruPrepared prepare(const GruIntParams& params);  // Error when a sum can leave int32

}  // namespace quaver
