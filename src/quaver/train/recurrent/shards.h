// shards.h - how a packed batch is cut for threads, the same way for any number of them. Internal to this floor.
#pragma once

#include <algorithm>
#include <cstddef>

#include "quaver/train/common/parallel.h"
#include "quaver/train/recurrent/gemm.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

inline constexpr std::size_t kSequencesPerShard =
    32;                                           // few enough for two threads at batch 64, enough for a fast product
inline constexpr std::size_t kRowsPerTask = 512;  // of a product over the whole batch
inline constexpr std::size_t kWeightRowsPerTask = 128;  // of a weight's gradient

inline std::size_t shard_count(const Packing& packing) {
  return (packing.sequences() + kSequencesPerShard - 1) / kSequencesPerShard;
}

// The rows that one shard's sequences have at one position of the walk through the steps (forward or reverse).
struct ShardStep {
  std::size_t row = 0;         // first row
  std::size_t rows = 0;        // sequences of the shard that run here
  std::size_t row_before = 0;  // first row of the step walked before
  std::size_t carried = 0;     // of `rows`, the first ones that ran there too; the others start from a zero state
};

inline ShardStep shard_step(const Packing& packing, std::size_t shard, std::size_t position, bool reverse) {
  const std::size_t first = shard * kSequencesPerShard;
  const auto running = [&](std::size_t step) {
    return std::min(std::max(packing.running(step), first) - first, kSequencesPerShard);
  };
  const std::size_t step = reverse ? packing.steps() - 1 - position : position;
  ShardStep found{.row = packing.row(step, first), .rows = running(step)};
  if (position > 0) {
    const std::size_t before = reverse ? step + 1 : step - 1;
    found.row_before = packing.row(before, first);
    found.carried = std::min(found.rows, running(before));
  }
  return found;
}

// y [rows, outputs] = x [rows, inputs] W^T, W [outputs, inputs].
template <typename T>
void linear_forward(std::size_t threads, std::size_t rows, std::size_t inputs, std::size_t outputs, const T* x,
                    const T* W, T* y) {
  parallel_for(threads, (rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    const std::size_t first = task * kRowsPerTask, count = std::min(rows - first, kRowsPerTask);
    multiply_transposed<T>({y + first * outputs, count, outputs}, {x + first * inputs, count, inputs},
                           {W, outputs, inputs}, Product::kSet);
  });
}

// d_x [rows, inputs] = d_y [rows, outputs] W
template <typename T>
void linear_input_gradient(std::size_t threads, std::size_t rows, std::size_t inputs, std::size_t outputs, const T* d_y,
                           const T* W, T* d_x) {
  parallel_for(threads, (rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::size_t task) {
    const std::size_t first = task * kRowsPerTask, count = std::min(rows - first, kRowsPerTask);
    multiply<T>({d_x + first * inputs, count, inputs}, {d_y + first * outputs, count, outputs}, {W, outputs, inputs},
                Product::kSet);
  });
}

// d_W [outputs, inputs] = d_y^T x, where row r of d_y starts at d_y + r * stride.
template <typename T>
void linear_weight_gradient(std::size_t threads, std::size_t rows, std::size_t inputs, std::size_t outputs,
                            const T* d_y, std::size_t stride, const T* x, T* d_W) {
  parallel_for(threads, (outputs + kWeightRowsPerTask - 1) / kWeightRowsPerTask, [&](std::size_t task) {
    const std::size_t first = task * kWeightRowsPerTask, count = std::min(outputs - first, kWeightRowsPerTask);
    transposed_multiply<T>({d_W + first * inputs, count, inputs}, {d_y + first, rows, count, stride}, {x, rows, inputs},
                           Product::kSet);
  });
}

}  // namespace quaver
