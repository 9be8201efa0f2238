// gru_sequence.h - a GRU over a packed batch, forward and backward, both reset forms. Internal to this floor.
//
// As lstm_sequence.h: the equations of cells/gru/ref.h, a step at a time where it must be and whole-batch products
// where it can be. With u = R_h h' + b'_h when the reset comes after the product, h' the state before, and . for
// element-wise:
//
//   d(z) = d(h) . (h' - n)      d(n) = d(h) . (1 - z)      d(a) = d(gate) . slope
//   after:    d(r) = d(a_n) . u           d(u) = d(a_n) . r
//   before:   d(r) = d(q) . h'            d(q) = R_h^T d(a_n)    with q = r . h'
//   d(h') = d(h) . z + R_zr^T d(a_zr) + R_h^T d(u)   or   + d(q) . r
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "quaver/cells/gru/params.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

// Tensors of one direction, row-major, shapes and gate order as in model.h.
template <typename T>
struct GruTensors {
  T* W = nullptr;
  T* R = nullptr;
  T* b = nullptr;
  T* b_recurrent = nullptr;
};

struct GruSequenceOptions {
  GruShape shape;
  bool reverse = false;  // from the last step of each sequence to its first
};

template <typename T>
class GruSequence {
 public:
  GruSequence(const GruSequenceOptions& options, std::shared_ptr<const Packing> packing);

  // x [rows, n_in] -> h [rows, n]; keeps what backward() needs.
  void forward(const GruTensors<const T>& weights, const T* x, T* h);
  // Once after forward(), with its x. d_h: gradient by h. Sets (not adds) the weights' gradients and, unless it is
  // null, d_x.
  void backward(const GruTensors<const T>& weights, const T* x, const T* d_h, const GruTensors<T>& gradients, T* d_x);

 private:
  T* gates(std::size_t row) const { return gates_.get() + row * 3 * n_; }
  // Sets the gradients of the biases.
  void backward_steps(const GruTensors<const T>& weights, const T* d_h, const GruTensors<T>& gradients) const;

  GruSequenceOptions options_;
  std::size_t n_;
  std::shared_ptr<const Packing> packing_;
  // Not initialised: every element is written before it is read.
  std::unique_ptr<T[]> gates_;      // [rows, 3n]: sums, then z, r, n; after backward() gradients of the sums
  std::unique_ptr<T[]> recurrent_;  // [rows, n] u, after backward() d(u); or q
  std::unique_ptr<T[]> h_before_;   // [rows, n] h'
};

}  // namespace quaver
