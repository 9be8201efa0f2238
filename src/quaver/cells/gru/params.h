// params.h - what a GRU is made of, in float and in integers. Gate order z, r, h (ONNX).
//
// Rows of gate g of a stacked matrix are [g n, (g+1) n). The views must live until the cell has been built.
#pragma once

#include <cstdint>
#include <span>

#include "quaver/core/matrix_view.h"
#include "quaver/fixed/quantization.h"

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
  std::span<const std::int32_t> b;            // scale s_x s_W a row
  std::span<const std::int32_t> b_recurrent;  // scale s_R / 128 a row; [3n], or [n]: the candidate's alone
  std::span<const float> W_scales, R_scales;  // tensor.h's rule
  Affine x;                                   // input; the state's formats are fixed: Q0.15 and scale 1/128
  WeightBits bits = WeightBits::kEight;       // of W and R
};

}  // namespace quaver
