// steps.h - the walk through the steps of a packed shard, and its products. Internal to this floor.
#pragma once

#include <algorithm>
#include <cstddef>

#include "quaver/train/recurrent/gemm.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

// The rows that run at one position of the walk through the steps (forward or reverse).
struct WalkStep {
  std::size_t row = 0;         // first row
  std::size_t rows = 0;        // sequences that run here
  std::size_t row_before = 0;  // first row of the step walked before
  std::size_t carried = 0;     // of `rows`, the first ones that ran there too; the others start from a zero state
};

inline WalkStep walk_step(const Packing& packing, std::size_t position, bool reverse) {
  const std::size_t step = reverse ? packing.steps() - 1 - position : position;
  WalkStep found{.row = packing.row(step, 0), .rows = packing.running(step)};
  if (position > 0) {
    const std::size_t before = reverse ? step + 1 : step - 1;
    found.row_before = packing.row(before, 0);
    found.carried = std::min(found.rows, packing.running(before));
  }
  return found;
}

// y [rows, outputs] = x [rows, inputs] W^T, W [outputs, inputs].
template <typename T>
void linear_forward(std::size_t rows, std::size_t inputs, std::size_t outputs, const T* x, const T* W, T* y) {
  multiply_transposed<T>({y, rows, outputs}, {x, rows, inputs}, {W, outputs, inputs}, Product::kSet);
}

// d_x [rows, inputs] = d_y [rows, outputs] W
template <typename T>
void linear_input_gradient(std::size_t rows, std::size_t inputs, std::size_t outputs, const T* d_y, const T* W,
                           T* d_x) {
  multiply<T>({d_x, rows, inputs}, {d_y, rows, outputs}, {W, outputs, inputs}, Product::kSet);
}

// d_W [outputs, inputs] = d_y^T x, where row r of d_y starts at d_y + r * stride.
template <typename T>
void linear_weight_gradient(std::size_t rows, std::size_t inputs, std::size_t outputs, const T* d_y, std::size_t stride,
                            const T* x, T* d_W) {
  transposed_multiply<T>({d_W, outputs, inputs}, {d_y, rows, outputs, stride}, {x, rows, inputs}, Product::kSet);
}

}  // namespace quaver
