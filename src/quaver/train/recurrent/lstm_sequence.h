// lstm_sequence.h - an LSTM over a packed batch, forward and backward, all 16 variants. Internal to this floor.
//
// The equations are those of cells/lstm/ref.h. Autograd would run some thirty small operations a step; here a step is
// one recurrent product and one pass over each row, forward and backward, and what does not depend on the step before
// (W x, and every weight's gradient) is one product over the whole batch. With d(v) for the gradient of the loss by v
// and dot for element-wise:
//
//   d(h) = d(output) + R^T d(a) of the next step            d(m) = W_projection^T d(h), or d(h)
//   d(o) = d(m) . tanh(c)
//   d(c) += d(m) . o . (1 - tanh(c)^2) + P_o . d(a_o)       0 where the clip held c
//   d(f) = d(c) . c'   d(i) = d(c) . z   d(z) = d(c) . i    c' the cell before, z = tanh(a_c); CIFG: d(f) -= d(c) . z
//   d(a) = d(gate) . slope, through layer norm if there is one
//   d(c') = d(c) . f + P_i . d(a_i) + P_f . d(a_f)
//   d(W) = d(a)^T x   d(R) = d(a)^T h'   d(b) = sum d(a)   d(x) = W^T d(a)
//
// Layer norm y = L . n + b with n = (a - mean) s, s = 1 / sqrt(variance + epsilon), and g = L . d(y):
//   d(a) = s (g - mean(g) - n mean(g . n))
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "quaver/cells/lstm/params.h"
#include "quaver/train/recurrent/packing.h"

namespace quaver {

// Tensors of one direction, row-major, shapes and gate order as in model.h; null where the variant has none.
template <typename T>
struct LstmTensors {
  T* W = nullptr;
  T* R = nullptr;
  T* b = nullptr;
  T* P = nullptr;
  T* L = nullptr;
  T* W_projection = nullptr;
  T* b_projection = nullptr;
};

struct LstmSequenceOptions {
  LstmShape shape;
  double cell_clip = 0;        // 0: none
  double projection_clip = 0;  // 0: none
  bool reverse = false;        // from the last step of each sequence to its first
};

template <typename T>
class LstmSequence {
 public:
  LstmSequence(const LstmSequenceOptions& options, std::shared_ptr<const Packing> packing);

  // x [rows, n_in] -> h [rows, n_out]; keeps what backward() needs.
  void forward(const LstmTensors<const T>& weights, const T* x, T* h);
  // Once after forward(), with its x and h. d_h: gradient by h. Sets (not adds) the weights' gradients and, unless it
  // is null, d_x.
  void backward(const LstmTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                const LstmTensors<T>& gradients, T* d_x);

 private:
  T* gate(std::size_t row, std::size_t g) const { return gates_.get() + (row * gate_count_ + g) * n_cell_; }
  bool has_peephole(std::size_t g) const { return shape_.peephole && g != shape_.cell_gate(); }
  void forward_row(const LstmTensors<const T>& weights, std::size_t row, const T* c_before, T* m) const;
  void finish_sum(const LstmTensors<const T>& weights, std::size_t row, std::size_t g, const T* c_seen) const;
  // Sets the gradients of the vectors.
  void backward_steps(const LstmTensors<const T>& weights, const T* h, const T* d_h,
                      const LstmTensors<T>& gradients) const;
  void backward_row(const LstmTensors<const T>& weights, std::size_t row, const T* c_before, const T* d_m, T* d_c,
                    const LstmTensors<T>& gradients) const;
  void backward_sum(const LstmTensors<const T>& weights, std::size_t row, std::size_t g, const T* c_seen, T* d_c_seen,
                    const LstmTensors<T>& gradients) const;

  LstmSequenceOptions options_;
  LstmShape shape_;
  std::size_t gate_count_, n_cell_, n_out_;
  std::shared_ptr<const Packing> packing_;
  // Not initialised: every element is written before it is read.
  std::unique_ptr<T[]> gates_;     // [rows, G n_cell]: sums, then gates; after backward() gradients of the sums
  std::unique_ptr<T[]> normal_;    // [rows, G n_cell] layer norm's n
  std::unique_ptr<T[]> inverse_;   // [rows, G] layer norm's s
  std::unique_ptr<T[]> c_;         // [rows, n_cell]
  std::unique_ptr<T[]> tanh_c_;    // [rows, n_cell]
  std::unique_ptr<T[]> m_;         // [rows, n_cell], with projection
  std::unique_ptr<T[]> d_h_;       // [rows, n_out], with projection: the whole d(h)
  std::unique_ptr<T[]> h_before_;  // [rows, n_out] h'
};

}  // namespace quaver
