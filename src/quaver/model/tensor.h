// tensor.h - a named constant of a model: shape, codes and scales; a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/core/matrix_view.h"
#include "quaver/core/shared_bytes.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/model/formats/format.h"

namespace quaver {

inline constexpr std::int64_t kMaxTensorElements = std::int64_t{1} << 31;  // of one tensor

struct Tensor {
  NumberType kind = NumberType::kF32;
  std::vector<std::int64_t> shape;
  // Row-major, little-endian. Codes of a packed weight format, always a matrix, lie as fixed/weight_format.h says.
  // Copies of a tensor share them, and the tensors of a file the buffer that it was read into, until one is written.
  SharedBytes bytes;
  // Real units per step. Empty for f32 and i32 (biases count in units of their sum). Otherwise scales.size() divides
  // shape[0], and each scale covers shape[0] / scales.size() consecutive rows: 1 scale is per tensor, one a gate per
  // gate, shape[0] of them per row.
  std::vector<float> scales;

  // Integer kinds start with one scale of 1. Error when the shape has more than kMaxTensorElements elements.
  static Tensor zeros(NumberType kind, std::vector<std::int64_t> shape);
  template <typename T>
  static Tensor from(std::vector<std::int64_t> shape, std::span<const T> values);  // T: float, int8/16/32_t

  std::int64_t element_count() const;
  std::size_t byte_count() const;  // that `bytes` must have for kind and shape
  std::int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  std::int64_t row_size() const;  // elements of one row
  float scale_of_row(std::int64_t row) const;
  NumberType scale_type() const;  // as files have several scales: kBf16 where all are such numbers, else kF32

  // The elements as T; Error when T is not the tensor's kind.
  template <typename T>
  std::span<const T> as() const;
  // Of bytes of its own from here on: what shares them now stays as it is.
  template <typename T>
  std::span<T> as_mutable();
  template <typename T>
  MatrixView<const T> matrix() const;  // rows() x row_size()

  // An i8 tensor's codes as those of a weight format that holds them all, and back: a byte a code.
  Tensor packed(NumberType type) const;
  Tensor unpacked() const;

  bool operator==(const Tensor&) const = default;
};

}  // namespace quaver
