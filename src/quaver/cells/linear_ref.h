// linear_ref.h - y += W x in float, for the float reference cells.
//
// The matrix is kept transposed, so that the inner loop runs over outputs: it vectorises without reordering any sum,
// and every output is the plain left-to-right sum over columns on every machine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "quaver/core/matrix_view.h"

namespace quaver {

class LinearRef {
 public:
  LinearRef() = default;
  explicit LinearRef(MatrixView<const float> weights)
      : rows_(weights.rows()), cols_(weights.cols()), transposed_(rows_ * cols_) {
    for (std::size_t r = 0; r < rows_; ++r)
      for (std::size_t c = 0; c < cols_; ++c) transposed_[c * rows_ + r] = weights(r, c);
  }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }

  // y[0..rows) += W x[0..cols)
  void add_to(const float* x, float* y) const noexcept {
    for (std::size_t c = 0; c < cols_; ++c) {
      const float xc = x[c];
      const float* column = transposed_.data() + c * rows_;
      for (std::size_t r = 0; r < rows_; ++r) y[r] += column[r] * xc;
    }
  }

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::vector<float> transposed_;
};

}  // namespace quaver
