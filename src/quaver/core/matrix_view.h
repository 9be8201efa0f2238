// matrix_view.h - a view of a dense row-major matrix that somebody else owns.
#pragma once

#include <cstddef>
#include <span>

#include "quaver/core/check.h"

namespace quaver {

template <typename T>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(T* data, std::size_t rows, std::size_t cols) : data_(data), rows_(rows), cols_(cols) {}
  template <typename U>
  requires std::is_same_v<const U, T> MatrixView(MatrixView<U> other)
      : MatrixView(other.data(), other.rows(), other.cols()) {}

  T* data() const { return data_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  bool empty() const { return rows_ * cols_ == 0; }

  std::span<T> row(std::size_t r) const {
    QUAVER_DCHECK(r < rows_);
    return {data_ + r * cols_, cols_};
  }
  T& operator()(std::size_t r, std::size_t c) const {
    QUAVER_DCHECK(r < rows_ && c < cols_);
    return data_[r * cols_ + c];
  }

 private:
  T* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
};

}  // namespace quaver
