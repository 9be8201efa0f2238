#include "quaver/train/recurrent/rnn_sequence.h"

#include <algorithm>

#include "quaver/train/recurrent/row_math.h"
#include "quaver/train/recurrent/steps.h"

namespace quaver {

template <typename T>
RnnSequence<T>::RnnSequence(const RnnSequenceOptions& options, std::shared_ptr<const Packing> packing)
    : options_(options), packing_(std::move(packing)) {
  d_a_ = std::make_unique_for_overwrite<T[]>(packing_->rows() * options_.n);
  h_before_ = std::make_unique_for_overwrite<T[]>(packing_->rows() * options_.n);
}

template <typename T>
void RnnSequence<T>::forward(const RnnTensors<const T>& weights, const T* x, T* h) {
  linear_forward(packing_->rows(), options_.n_in, options_.n, x, weights.W, h);
  const std::size_t n = options_.n;
  for (std::size_t position = 0; position < packing_->steps(); ++position) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    if (step.carried > 0)
      multiply_transposed<T>({h + step.row * n, step.carried, n}, {h + step.row_before * n, step.carried, n},
                             {weights.R, n, n}, Product::kAdd);
    for (std::size_t i = 0; i < step.rows; ++i) {
      T* row = h + (step.row + i) * n;
      for (std::size_t j = 0; j < n; ++j) row[j] += weights.b[j];
      if (options_.relu)
        for (std::size_t j = 0; j < n; ++j) row[j] = std::max(row[j], T{0});
      else
        tanh_row(row, n);
    }
  }
}

template <typename T>
void RnnSequence<T>::backward(const RnnTensors<const T>& weights, const T* x, const T* h, const T* d_h,
                              const RnnTensors<T>& gradients, T* d_x) {
  const std::size_t n = options_.n, rows = packing_->rows();
  backward_steps(weights, h, d_h);
  linear_weight_gradient(rows, options_.n_in, n, d_a_.get(), n, x, gradients.W);
  linear_weight_gradient(rows, n, n, d_a_.get(), n, h_before_.get(), gradients.R);
  std::fill_n(gradients.b, n, T{0});
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t j = 0; j < n; ++j) gradients.b[j] += d_a_[row * n + j];
  if (d_x != nullptr) linear_input_gradient(rows, options_.n_in, n, d_a_.get(), weights.W, d_x);
}

template <typename T>
void RnnSequence<T>::backward_steps(const RnnTensors<const T>& weights, const T* h, const T* d_h) const {
  const std::size_t n = options_.n;
  std::vector<T> carried_h(packing_->sequences() * n);  // rows that have no step after stay zero
  for (std::size_t position = packing_->steps(); position-- > 0;) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    if (step.rows == 0) continue;
    const std::size_t first = step.row * n;
    for (std::size_t j = 0; j < step.rows * n; ++j) {
      const T h_j = h[first + j], slope = options_.relu ? (h_j > 0 ? T{1} : T{0}) : T{1} - h_j * h_j;
      d_a_[first + j] = (carried_h[j] + d_h[first + j]) * slope;
    }
    if (step.carried > 0)
      multiply<T>({carried_h.data(), step.carried, n}, {d_a_.get() + first, step.carried, n}, {weights.R, n, n},
                  Product::kSet);
    std::copy_n(h + step.row_before * n, step.carried * n, h_before_.get() + first);
    std::fill_n(h_before_.get() + first + step.carried * n, (step.rows - step.carried) * n, T{0});
  }
}

template class RnnSequence<float>;
template class RnnSequence<double>;

}  // namespace quaver
