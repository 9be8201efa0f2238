// rows.h - sums over the rows of float matrices: what the training of a small network consists of.
//
// A matrix is [rows, width], row after row; width is a multiple of kRowLanes, columns that are none hold zeros. Every
// sum has one order on all paths and products are not fused with additions, so all paths return the same bits.
// Arrays of one call do not overlap.
#pragma once

#include <cstddef>
#include <span>

#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

inline constexpr std::size_t kRowLanes = 16;

struct RowsPath {
  Isa isa;
  // out[r] = sum_j matrix[r, j] x[j]. Lane k sums j = k, k + 16, ... in order; then lane k takes lane k + 8, 4, 2, 1.
  void (*dots)(const float* matrix, std::size_t rows, const float* x, std::size_t width, float* out) noexcept;
  // y[j] += factors[r] matrix[r, j], for r = 0, 1, ... in order.
  void (*add_weighted)(const float* factors, const float* matrix, std::size_t rows, std::size_t width,
                       float* y) noexcept;
  // matrix[r, j] += factors[r] x[j].
  void (*add_outer)(const float* factors, std::size_t rows, const float* x, std::size_t width, float* matrix) noexcept;
  // y[j] += weights[j] x[j]; weights null: y[j] += x[j].
  void (*add)(const float* weights, const float* x, std::size_t width, float* y) noexcept;
};
std::span<const RowsPath> rows_paths();  // row 0 is scalar
const RowsPath& rows_path(Isa isa);

}  // namespace quaver
