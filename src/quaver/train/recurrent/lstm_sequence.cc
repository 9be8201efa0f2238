#include "quaver/train/recurrent/lstm_sequence.h"

#include <algorithm>
#include <cmath>

#include "quaver/cells/lstm/ref.h"
#include "quaver/train/recurrent/row_math.h"
#include "quaver/train/recurrent/steps.h"

namespace quaver {
namespace {

// y = (y - mean) / sqrt(variance + epsilon); returns the divisor's inverse.
template <typename T>
T normalise(T* y, std::size_t n) {
  const T count = static_cast<T>(n);
  const T mean = sum_row<T>(n, [&](std::size_t j) { return y[j]; }) / count;
  for (std::size_t j = 0; j < n; ++j) y[j] -= mean;
  const T variance = sum_row<T>(n, [&](std::size_t j) { return y[j] * y[j]; }) / count;
  const T inverse = T{1} / std::sqrt(variance + static_cast<T>(kLayerNormEpsilon));
  for (std::size_t j = 0; j < n; ++j) y[j] *= inverse;
  return inverse;
}

}  // namespace

template <typename T>
LstmSequence<T>::LstmSequence(const LstmSequenceOptions& options, std::shared_ptr<const Packing> packing)
    : options_(options),
      shape_(options.shape),
      gate_count_(shape_.gate_count()),
      n_cell_(shape_.n_cell),
      n_out_(shape_.n_out),
      packing_(std::move(packing)) {
  const auto buffer = [rows = packing_->rows()](std::size_t size) {
    return std::make_unique_for_overwrite<T[]>(rows * size);
  };
  gates_ = buffer(gate_count_ * n_cell_);
  c_ = buffer(n_cell_);
  tanh_c_ = buffer(n_cell_);
  h_before_ = buffer(n_out_);
  if (shape_.layer_norm) {
    normal_ = buffer(gate_count_ * n_cell_);
    inverse_ = buffer(gate_count_);
  }
  if (shape_.projection) {
    m_ = buffer(n_cell_);
    d_h_ = buffer(n_out_);
  }
}

template <typename T>
void LstmSequence<T>::forward(const LstmTensors<const T>& weights, const T* x, T* h) {
  const std::size_t G = gate_count_ * n_cell_;
  linear_forward(packing_->rows(), shape_.n_in, G, x, weights.W, gates_.get());
  const std::vector<T> zeros(n_cell_);
  for (std::size_t position = 0; position < packing_->steps(); ++position) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    if (step.carried > 0)
      multiply_transposed<T>({gate(step.row, 0), step.carried, G}, {h + step.row_before * n_out_, step.carried, n_out_},
                             {weights.R, G, n_out_}, Product::kAdd);
    for (std::size_t i = 0; i < step.rows; ++i) {
      const std::size_t row = step.row + i;
      const T* c_before = i < step.carried ? c_.get() + (step.row_before + i) * n_cell_ : zeros.data();
      forward_row(weights, row, c_before, shape_.projection ? m_.get() + row * n_cell_ : h + row * n_cell_);
      if (shape_.projection) std::copy_n(weights.b_projection, n_out_, h + row * n_out_);
    }
    if (!shape_.projection || step.rows == 0) continue;
    T* output = h + step.row * n_out_;
    multiply_transposed<T>({output, step.rows, n_out_}, {m_.get() + step.row * n_cell_, step.rows, n_cell_},
                           {weights.W_projection, n_out_, n_cell_}, Product::kAdd);
    if (options_.projection_clip > 0) {
      const T limit = static_cast<T>(options_.projection_clip);
      for (std::size_t j = 0; j < step.rows * n_out_; ++j) output[j] = std::clamp(output[j], -limit, limit);
    }
  }
}

// The sum of gate g becomes what its activation reads.
template <typename T>
void LstmSequence<T>::finish_sum(const LstmTensors<const T>& weights, std::size_t row, std::size_t g,
                                 const T* c_seen) const {
  const std::size_t n = n_cell_;
  T* a = gate(row, g);
  if (has_peephole(g)) {
    const T* P = weights.P + g * n;
    for (std::size_t j = 0; j < n; ++j) a[j] += P[j] * c_seen[j];
  }
  const T* b = weights.b + g * n;
  if (!shape_.layer_norm) {
    for (std::size_t j = 0; j < n; ++j) a[j] += b[j];
    return;
  }
  const T* L = weights.L + g * n;
  T* normal = normal_.get() + (row * gate_count_ + g) * n;
  std::copy_n(a, n, normal);
  inverse_[row * gate_count_ + g] = normalise(normal, n);
  for (std::size_t j = 0; j < n; ++j) a[j] = normal[j] * L[j] + b[j];
}

template <typename T>
void LstmSequence<T>::forward_row(const LstmTensors<const T>& weights, std::size_t row, const T* c_before, T* m) const {
  const std::size_t n = n_cell_;
  const std::size_t gate_f = shape_.forget_gate(), gate_z = shape_.cell_gate(), gate_o = shape_.output_gate();
  const T *f = gate(row, gate_f), *z = gate(row, gate_z), *o = gate(row, gate_o);
  T* c = c_.get() + row * n;
  T* tanh_c = tanh_c_.get() + row * n;

  finish_sum(weights, row, gate_f, c_before);
  sigmoid_row(gate(row, gate_f), n);
  finish_sum(weights, row, gate_z, c_before);
  tanh_row(gate(row, gate_z), n);
  if (shape_.cifg) {
    for (std::size_t j = 0; j < n; ++j) c[j] = f[j] * c_before[j] + (T{1} - f[j]) * z[j];
  } else {
    T* i = gate(row, shape_.input_gate());
    finish_sum(weights, row, shape_.input_gate(), c_before);
    sigmoid_row(i, n);
    for (std::size_t j = 0; j < n; ++j) c[j] = f[j] * c_before[j] + i[j] * z[j];
  }
  if (options_.cell_clip > 0) {
    const T limit = static_cast<T>(options_.cell_clip);
    for (std::size_t j = 0; j < n; ++j) c[j] = std::clamp(c[j], -limit, limit);
  }
  finish_sum(weights, row, gate_o, c);
  sigmoid_row(gate(row, gate_o), n);
  std::copy_n(c, n, tanh_c);
  tanh_row(tanh_c, n);
  for (std::size_t j = 0; j < n; ++j) m[j] = o[j] * tanh_c[j];
}

template <typename T>
void LstmSequence<T>::backward(const LstmTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                               const LstmTensors<T>& gradients, T* d_x) {
  const std::size_t G = gate_count_ * n_cell_, rows = packing_->rows();
  backward_steps(weights, h, d_h, gradients);
  linear_weight_gradient(rows, shape_.n_in, G, gates_.get(), G, x, gradients.W);
  linear_weight_gradient(rows, n_out_, G, gates_.get(), G, h_before_.get(), gradients.R);
  if (shape_.projection)
    linear_weight_gradient(rows, n_cell_, n_out_, d_h_.get(), n_out_, m_.get(), gradients.W_projection);
  if (d_x != nullptr) linear_input_gradient(rows, shape_.n_in, G, gates_.get(), weights.W, d_x);
}

template <typename T>
void LstmSequence<T>::backward_steps(const LstmTensors<const T>& weights, const T* h, const T* d_h,
                                     const LstmTensors<T>& gradients) const {
  const std::size_t n = n_cell_, G = gate_count_ * n;
  std::fill_n(gradients.b, G, T{0});
  if (shape_.peephole) std::fill_n(gradients.P, shape_.peephole_count() * n, T{0});
  if (shape_.layer_norm) std::fill_n(gradients.L, G, T{0});
  if (shape_.projection) std::fill_n(gradients.b_projection, n_out_, T{0});
  // Gradients on their way from the step after: rows that have none yet stay zero.
  std::vector<T> carried_h(packing_->sequences() * n_out_), carried_c(packing_->sequences() * n);
  std::vector<T> d_m(shape_.projection ? packing_->sequences() * n : 0);
  const std::vector<T> zeros(n);

  for (std::size_t position = packing_->steps(); position-- > 0;) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    if (step.rows == 0) continue;
    T* d_output = shape_.projection ? d_h_.get() + step.row * n_out_ : carried_h.data();
    for (std::size_t j = 0; j < step.rows * n_out_; ++j) d_output[j] = carried_h[j] + d_h[step.row * n_out_ + j];
    if (shape_.projection) {
      if (options_.projection_clip > 0) {
        const T limit = static_cast<T>(options_.projection_clip);
        for (std::size_t j = 0; j < step.rows * n_out_; ++j)
          if (std::abs(h[step.row * n_out_ + j]) >= limit) d_output[j] = 0;
      }
      for (std::size_t i = 0; i < step.rows; ++i)
        for (std::size_t j = 0; j < n_out_; ++j) gradients.b_projection[j] += d_output[i * n_out_ + j];
      multiply<T>({d_m.data(), step.rows, n}, {d_output, step.rows, n_out_}, {weights.W_projection, n_out_, n},
                  Product::kSet);
    }
    const T* d_hidden = shape_.projection ? d_m.data() : carried_h.data();
    for (std::size_t i = 0; i < step.rows; ++i) {
      const T* c_before = i < step.carried ? c_.get() + (step.row_before + i) * n : zeros.data();
      backward_row(weights, step.row + i, c_before, d_hidden + i * n, carried_c.data() + i * n, gradients);
    }
    if (step.carried > 0) {
      std::copy_n(h + step.row_before * n_out_, step.carried * n_out_, h_before_.get() + step.row * n_out_);
      multiply<T>({carried_h.data(), step.carried, n_out_}, {gate(step.row, 0), step.carried, G},
                  {weights.R, G, n_out_}, Product::kSet);
    }
    std::fill_n(h_before_.get() + (step.row + step.carried) * n_out_, (step.rows - step.carried) * n_out_, T{0});
  }
}

// Gate g holds the gradient by what its activation read; it becomes the gradient by its sum.
template <typename T>
void LstmSequence<T>::backward_sum(const LstmTensors<const T>& weights, std::size_t row, std::size_t g, const T* c_seen,
                                   T* d_c_seen, const LstmTensors<T>& gradients) const {
  const std::size_t n = n_cell_;
  T* d_a = gate(row, g);
  T* d_b = gradients.b + g * n;
  for (std::size_t j = 0; j < n; ++j) d_b[j] += d_a[j];
  if (shape_.layer_norm) {
    const T* normal = normal_.get() + (row * gate_count_ + g) * n;
    const T* L = weights.L + g * n;
    T* d_L = gradients.L + g * n;
    for (std::size_t j = 0; j < n; ++j) {
      d_L[j] += d_a[j] * normal[j];
      d_a[j] *= L[j];
    }
    const T mean = sum_row<T>(n, [&](std::size_t j) { return d_a[j]; }) / static_cast<T>(n);
    const T slope = sum_row<T>(n, [&](std::size_t j) { return d_a[j] * normal[j]; }) / static_cast<T>(n);
    const T inverse = inverse_[row * gate_count_ + g];
    for (std::size_t j = 0; j < n; ++j) d_a[j] = inverse * (d_a[j] - mean - normal[j] * slope);
  }
  if (has_peephole(g)) {
    const T* P = weights.P + g * n;
    T* d_P = gradients.P + g * n;
    for (std::size_t j = 0; j < n; ++j) {
      d_P[j] += d_a[j] * c_seen[j];
      d_c_seen[j] += d_a[j] * P[j];
    }
  }
}

template <typename T>
void LstmSequence<T>::backward_row(const LstmTensors<const T>& weights, std::size_t row, const T* c_before,
                                   const T* d_m, T* d_c, const LstmTensors<T>& gradients) const {
  const std::size_t n = n_cell_;
  const std::size_t gate_f = shape_.forget_gate(), gate_z = shape_.cell_gate(), gate_o = shape_.output_gate();
  T *f = gate(row, gate_f), *z = gate(row, gate_z), *o = gate(row, gate_o);
  const T* c = c_.get() + row * n;
  const T* tanh_c = tanh_c_.get() + row * n;

  for (std::size_t j = 0; j < n; ++j) {
    d_c[j] += d_m[j] * o[j] * (T{1} - tanh_c[j] * tanh_c[j]);
    o[j] = d_m[j] * tanh_c[j] * o[j] * (T{1} - o[j]);
  }
  backward_sum(weights, row, gate_o, c, d_c, gradients);
  if (options_.cell_clip > 0) {
    const T limit = static_cast<T>(options_.cell_clip);
    for (std::size_t j = 0; j < n; ++j)
      if (std::abs(c[j]) >= limit) d_c[j] = 0;
  }
  // d_c turns into the gradient by the cell before while f, i and z turn into gradients.
  if (shape_.cifg) {
    for (std::size_t j = 0; j < n; ++j) {
      const T d = d_c[j], f_j = f[j], z_j = z[j];
      d_c[j] = d * f_j;
      f[j] = d * (c_before[j] - z_j) * f_j * (T{1} - f_j);
      z[j] = d * (T{1} - f_j) * (T{1} - z_j * z_j);
    }
  } else {
    T* i = gate(row, shape_.input_gate());
    for (std::size_t j = 0; j < n; ++j) {
      const T d = d_c[j], f_j = f[j], z_j = z[j], i_j = i[j];
      d_c[j] = d * f_j;
      f[j] = d * c_before[j] * f_j * (T{1} - f_j);
      z[j] = d * i_j * (T{1} - z_j * z_j);
      i[j] = d * z_j * i_j * (T{1} - i_j);
    }
    backward_sum(weights, row, shape_.input_gate(), c_before, d_c, gradients);
  }
  backward_sum(weights, row, gate_f, c_before, d_c, gradients);
  backward_sum(weights, row, gate_z, c_before, d_c, gradients);
}

template class LstmSequence<float>;
template class LstmSequence<double>;

}  // namespace quaver
