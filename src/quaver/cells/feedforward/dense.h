// dense.h - y = W x + b in float and in integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/input_product.h"
#include "quaver/cells/linear_ref.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

class DenseRef {
 public:
  DenseRef(MatrixView<const float> W, std::span<const float> b) : W_(W), b_(b.begin(), b.end()) {}
  std::size_t units() const { return W_.rows(); }
  void run(const float* x, float* y) const noexcept {
    std::copy(b_.begin(), b_.end(), y);
    W_.add_to(x, y);
  }

 private:
  LinearRef W_;
  std::vector<float> b_;
};

struct DenseIntParams {
  MatrixView<const std::int8_t> W;
  std::span<const std::int32_t> b;  // scale s_x s_W a row
  std::span<const float> W_scales;  // tensor.h's rule
  Affine x;
  Affine y;                                     // output: i8 with zero point, or i16 symmetric (zero point 0)
  WeightFormatId format = WeightFormatId::kI8;  // of W
  bool wide_input = false;                      // x: int16 codes, zero point 0
};

// The integer layer (prepared_product.h).
struct DensePrepared {
  PreparedInput W;    // [units, n_in], to steps of y
  OutputCodes codes;  // of y in int8 (A18); int16 codes are sat16 (A16)
};
DensePrepared prepare(const DenseIntParams& params);  // Error when a sum can leave int32

class DenseInt {
 public:
  DenseInt(const DensePrepared& prepared, Isa isa);  // packs for `isa`
  DenseInt(const DenseIntParams& params, Isa isa) : DenseInt(prepare(params), isa) {}
  std::size_t units() const { return W_.rows(); }
  PackedWeights weights() const { return {W_.weights()}; }
  std::size_t scratch_bytes() const { return sums_bytes() + W_.scratch_bytes(); }
  // x: codes, of a wide input int16 as bytes.
  void run(const std::int8_t* x, std::int8_t* y, std::byte* scratch) const noexcept;
  void run(const std::int8_t* x, std::int16_t* y, std::byte* scratch) const noexcept;  // needs y.zero_point 0

 private:
  std::size_t sums_bytes() const { return align_up(padded_rows(units()) * sizeof(std::int32_t)); }

  const ElementwisePath* elementwise_;
  InputProduct W_;
  RowMultipliers r_;
  OutputCodes codes_;
};

}  // namespace quaver
