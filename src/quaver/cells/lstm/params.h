// params.h - what an LSTM is made of: sizes, variant, tensors and formats, in float and in codes, and what follows for
// its integer step.
//
// Gate order i, o, f, c (ONNX); with CIFG o, f, c. Rows of gate g of a stacked matrix are [g n_cell, (g+1) n_cell).
// The views point into memory that must live until the cell has been built from them; cells keep their own copies.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quaver/cells/prepared_product.h"
#include "quaver/core/matrix_view.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/norm/norm.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

struct LstmShape {
  std::size_t n_in = 0;
  std::size_t n_cell = 0;
  std::size_t n_out = 0;  // = n_cell without projection
  bool cifg = false;
  bool peephole = false;
  bool layer_norm = false;
  bool projection = false;
  bool operator==(const LstmShape&) const = default;

  std::size_t gate_count() const { return cifg ? 3 : 4; }
  std::size_t peephole_count() const { return cifg ? 2 : 3; }
  // Row block of each gate; input_gate() only without CIFG.
  std::size_t input_gate() const { return 0; }
  std::size_t output_gate() const { return cifg ? 0 : 1; }
  std::size_t forget_gate() const { return cifg ? 1 : 2; }
  std::size_t cell_gate() const { return cifg ? 2 : 3; }
};

// "i", "o", "f", "c": the letter of row block g.
inline std::string_view lstm_gate_letter(const LstmShape& shape, std::size_t gate) {
  static constexpr std::array<std::string_view, 4> kLetters{"i", "o", "f", "c"};
  return kLetters[gate + (shape.cifg ? 1 : 0)];
}

struct LstmFloatParams {
  LstmShape shape;
  MatrixView<const float> W;             // [G n_cell, n_in]
  MatrixView<const float> R;             // [G n_cell, n_out]
  std::span<const float> b;              // [G n_cell]; with layer norm its shift
  std::span<const float> P;              // [peephole_count n_cell], order i o f or o f
  std::span<const float> L;              // [G n_cell] layer norm weight
  MatrixView<const float> W_projection;  // [n_out, n_cell]
  std::span<const float> b_projection;   // [n_out]
  float cell_clip = 0;                   // 0: none
  float projection_clip = 0;             // 0: none
};

// Scales follow tensor.h's rule: scales.size() divides the rows, each covers rows / size consecutive ones.
struct LstmIntParams {
  LstmShape shape;
  MatrixView<const std::int8_t> W;
  MatrixView<const std::int8_t> R;
  std::span<const std::int32_t> b;        // scale s_x s_W a row; with layer norm s_L 2^-10 a gate
  std::span<const std::int32_t> b_input;  // with layer norm: scale s_x s_W a row, added before it; may be empty
  std::span<const std::int16_t> P;
  std::span<const std::int16_t> L;
  MatrixView<const std::int8_t> W_projection;
  std::span<const std::int32_t> b_projection;  // scale s_W_projection s_m
  std::span<const float> W_scales, R_scales, P_scales, L_scales, W_projection_scales;

  Affine x;                           // input
  Affine h;                           // what R reads, and the output unless that is wide
  Affine m;                           // before the projection (unused without)
  std::array<float, 4> gate_scale{};  // per row block: scale of the sum before layer norm (unused without)
  int cell_integer_bits = 0;          // m_c: c is Qm.(15-m), 0..6
  std::int32_t cell_clip = 0;         // code, 0: none
  std::int32_t output_low = -128;     // clamp of h's codes
  std::int32_t output_high = 127;
  WeightFormatId format = WeightFormatId::kI8;  // of W, R and W_projection
  SumLimits sums = kCutHalves;                  // how the sums of gates are cut off
  CellCurves curves{};
  bool wide_input = false;   // int16 codes, zero point 0; whole sums only
  bool wide_output = false;  // h is int16 in Q0.15, and R reads its copy with the format h (A46); then
                             // no projection, and the clamp of h's codes is int8's
};

// All of an LSTM's integer step but its matrices. Gates are row blocks in the order of shape.
struct LstmConstants {
  LstmShape shape;
  LstmRule rule;        // limits of sums (A16), m_c, clip of c (A22), output to codes of m, without projection of h
                        // (A23), curves
  OutputCodes h_codes;  // of h: zero point and clamp, behind a projection (A18) or as rule.codes
  bool wide_output = false;                          // h in Q0.15 is handed on (A46)
  StateCodes h8_codes;                               // with it: of its copy, which R reads (A27)
  std::vector<std::int16_t> P;                       // [peephole_count n_cell] of +-32767, order i o f or o f
  std::array<Multiplier, 3> peephole_multipliers{};  // one each: from s_P s_c to the sum's step (A19)
  std::vector<std::int16_t> L;                       // [G n_cell] layer norm's weights, +-32767
  std::vector<std::int32_t> b_norm;                  // [G n_cell] and its shift, at s_L 2^-10
  std::array<LayerNormRule, 4> norm_rules{};         // a gate (A28)
  // Real units a step, for observers: of a gate's sum before the layer norm, else before the curve; of m.
  std::array<double, 4> gate_scale{};
  double m_scale = 0;
};

// The integer step (prepared_product.h). The first three become steps of the gates' sums: Q3.12, before a layer norm
// the calibrated gate_scale.
struct LstmPrepared {
  LstmConstants constants;
  PreparedProduct W;           // [G n_cell, n_in] of x, or of the low half of a wide x
  PreparedProduct W_high;      // of the high half, another addend (A45, A17); without rows unless x is wide
  PreparedProduct R;           // [G n_cell, n_out] of h, or of the copy of a wide h
  PreparedProduct projection;  // [n_out, n_cell] of m, to steps of h (A18); without rows unless there is one
};
LstmPrepared prepare(const LstmIntParams& params);  // Error when a sum can leave int32

}  // namespace quaver
