// rnn_sequence.h - a vanilla RNN over a packed batch, forward and backward. Internal to this floor.
//
//   h = f(W x + R h' + b)      d(a) = d(h) . f'(a), f' from h alone: 1 - h^2 (tanh) or h > 0 (relu)
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "quaver/train/recurrent/packing.h"

namespace quaver {

// Tensors of one direction, row-major, shapes as in model.h.
template <typename T>
struct RnnTensors {
  T* W = nullptr;
  T* R = nullptr;
  T* b = nullptr;
};

struct RnnSequenceOptions {
  std::size_t n_in = 0;
  std::size_t n = 0;
  bool relu = false;     // else tanh
  bool reverse = false;  // from the last step of each sequence to its first
};

template <typename T>
class RnnSequence {
 public:
  RnnSequence(const RnnSequenceOptions& options, std::shared_ptr<const Packing> packing);

  // x [rows, n_in] -> h [rows, n]
  void forward(const RnnTensors<const T>& weights, const T* x, T* h);
  // Once after forward(), with its x and h. d_h: gradient by h. Sets (not adds) the weights' gradients and, unless it
  // is null, d_x.
  void backward(const RnnTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                const RnnTensors<T>& gradients, T* d_x);

 private:
  void backward_steps(const RnnTensors<const T>& weights, const T* h, const T* d_h) const;

  RnnSequenceOptions options_;
  std::shared_ptr<const Packing> packing_;
  std::unique_ptr<T[]> d_a_;       // [rows, n]
  std::unique_ptr<T[]> h_before_;  // [rows, n]
};

}  // namespace quaver
