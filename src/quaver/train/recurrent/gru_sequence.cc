#include "quaver/train/recurrent/gru_sequence.h"

#include <algorithm>

#include "quaver/train/recurrent/row_math.h"
#include "quaver/train/recurrent/steps.h"

namespace quaver {

template <typename T>
GruSequence<T>::GruSequence(const GruSequenceOptions& options, std::shared_ptr<const Packing> packing)
    : options_(options), n_(options.shape.n), packing_(std::move(packing)) {
  const std::size_t rows = packing_->rows();
  gates_ = std::make_unique_for_overwrite<T[]>(rows * 3 * n_);
  recurrent_ = std::make_unique_for_overwrite<T[]>(rows * n_);
  h_before_ = std::make_unique_for_overwrite<T[]>(rows * n_);
}

template <typename T>
void GruSequence<T>::forward(const GruTensors<const T>& weights, const T* x, T* h) {
  linear_forward(packing_->rows(), options_.shape.n_in, 3 * n_, x, weights.W, gates_.get());
  const std::size_t n = n_;
  const bool linear_before_reset = options_.shape.linear_before_reset;
  const std::size_t product = linear_before_reset ? 3 * n : 2 * n;  // gates whose R h needs nothing else
  std::vector<T> products(packing_->sequences() * product);
  for (std::size_t position = 0; position < packing_->steps(); ++position) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    const T* h_carried = h + step.row_before * n;
    if (step.carried > 0)
      multiply_transposed<T>({products.data(), step.carried, product}, {h_carried, step.carried, n},
                             {weights.R, product, n}, Product::kSet);
    std::fill_n(products.data() + step.carried * product, (step.rows - step.carried) * product, T{0});
    std::copy_n(h_carried, step.carried * n, h_before_.get() + step.row * n);
    std::fill_n(h_before_.get() + (step.row + step.carried) * n, (step.rows - step.carried) * n, T{0});

    for (std::size_t i = 0; i < step.rows; ++i) {
      T* a = gates(step.row + i);
      const T* u = products.data() + i * product;
      for (std::size_t j = 0; j < 2 * n; ++j) a[j] += weights.b[j] + u[j] + weights.b_recurrent[j];
      sigmoid_row(a, 2 * n);
      T* recurrent = recurrent_.get() + (step.row + i) * n;
      const T *r = a + n, *h_before = h_before_.get() + (step.row + i) * n;
      for (std::size_t j = 0; j < n; ++j)
        recurrent[j] = linear_before_reset ? u[2 * n + j] + weights.b_recurrent[2 * n + j] : r[j] * h_before[j];
    }
    if (!linear_before_reset && step.carried > 0)
      multiply_transposed<T>({gates(step.row) + 2 * n, step.carried, n, 3 * n},
                             {recurrent_.get() + step.row * n, step.carried, n}, {weights.R + 2 * n * n, n, n},
                             Product::kAdd);
    for (std::size_t i = 0; i < step.rows; ++i) {
      T* a = gates(step.row + i);
      const T *z = a, *r = a + n;
      T* candidate = a + 2 * n;
      const T* recurrent = recurrent_.get() + (step.row + i) * n;
      const T* h_before = h_before_.get() + (step.row + i) * n;
      T* result = h + (step.row + i) * n;
      for (std::size_t j = 0; j < n; ++j)
        candidate[j] +=
            weights.b[2 * n + j] + (linear_before_reset ? r[j] * recurrent[j] : weights.b_recurrent[2 * n + j]);
      tanh_row(candidate, n);
      for (std::size_t j = 0; j < n; ++j) result[j] = candidate[j] + z[j] * (h_before[j] - candidate[j]);
    }
  }
}

template <typename T>
void GruSequence<T>::backward(const GruTensors<const T>& weights, const T* x, const T* d_h,
                              const GruTensors<T>& gradients, T* d_x) {
  const std::size_t n = n_, n_in = options_.shape.n_in, rows = packing_->rows();
  backward_steps(weights, d_h, gradients);
  const T* d_a = gates_.get();
  linear_weight_gradient(rows, n_in, 3 * n, d_a, 3 * n, x, gradients.W);
  linear_weight_gradient(rows, n, 2 * n, d_a, 3 * n, h_before_.get(), gradients.R);
  T* gradient_R_h = gradients.R + 2 * n * n;
  if (options_.shape.linear_before_reset)
    linear_weight_gradient(rows, n, n, recurrent_.get(), n, h_before_.get(), gradient_R_h);
  else
    linear_weight_gradient(rows, n, n, d_a + 2 * n, 3 * n, recurrent_.get(), gradient_R_h);
  if (d_x != nullptr) linear_input_gradient(rows, n_in, 3 * n, d_a, weights.W, d_x);
}

template <typename T>
void GruSequence<T>::backward_steps(const GruTensors<const T>& weights, const T* d_h,
                                    const GruTensors<T>& gradients) const {
  const std::size_t n = n_;
  const bool linear_before_reset = options_.shape.linear_before_reset;
  std::fill_n(gradients.b, 3 * n, T{0});
  std::fill_n(gradients.b_recurrent, 3 * n, T{0});
  // Gradients on their way from the step after: rows that have none yet stay zero.
  std::vector<T> carried_h(packing_->sequences() * n), d_q(linear_before_reset ? 0 : packing_->sequences() * n);

  for (std::size_t position = packing_->steps(); position-- > 0;) {
    const WalkStep step = walk_step(*packing_, position, options_.reverse);
    if (step.rows == 0) continue;
    for (std::size_t i = 0; i < step.rows; ++i) {
      T* a = gates(step.row + i);
      T *z = a, *r = a + n, *candidate = a + 2 * n;
      T* u = recurrent_.get() + (step.row + i) * n;
      const T* h_before = h_before_.get() + (step.row + i) * n;
      const T* d_output = d_h + (step.row + i) * n;
      T* d = carried_h.data() + i * n;
      for (std::size_t j = 0; j < n; ++j) {  // d(h) becomes its direct share of d(h'), z and n become d(a_z), d(a_n)
        const T z_j = z[j], n_j = candidate[j], d_j = d[j] + d_output[j];
        z[j] = d_j * (h_before[j] - n_j) * z_j * (T{1} - z_j);
        candidate[j] = d_j * (T{1} - z_j) * (T{1} - n_j * n_j);
        d[j] = d_j * z_j;
      }
      if (!linear_before_reset) continue;
      for (std::size_t j = 0; j < n; ++j) {
        const T r_j = r[j], d_n = candidate[j];
        r[j] = d_n * u[j] * r_j * (T{1} - r_j);
        u[j] = d_n * r_j;
      }
    }
    const Block<const T> R_h{weights.R + 2 * n * n, n, n};
    if (linear_before_reset) {
      if (step.carried > 0)
        multiply<T>({carried_h.data(), step.carried, n}, {recurrent_.get() + step.row * n, step.carried, n}, R_h,
                    Product::kAdd);
    } else {
      multiply<T>({d_q.data(), step.rows, n}, {gates(step.row) + 2 * n, step.rows, n, 3 * n}, R_h, Product::kSet);
      for (std::size_t i = 0; i < step.rows; ++i) {
        T* r = gates(step.row + i) + n;
        const T *h_before = h_before_.get() + (step.row + i) * n, *d_q_row = d_q.data() + i * n;
        T* d = carried_h.data() + i * n;
        for (std::size_t j = 0; j < n; ++j) {
          const T r_j = r[j];
          r[j] = d_q_row[j] * h_before[j] * r_j * (T{1} - r_j);
          d[j] += d_q_row[j] * r_j;
        }
      }
    }
    if (step.carried > 0)
      multiply<T>({carried_h.data(), step.carried, n}, {gates(step.row), step.carried, 2 * n, 3 * n},
                  {weights.R, 2 * n, n}, Product::kAdd);
    for (std::size_t i = 0; i < step.rows; ++i) {
      const T* d_a = gates(step.row + i);
      const T* d_candidate = linear_before_reset ? recurrent_.get() + (step.row + i) * n : d_a + 2 * n;
      for (std::size_t j = 0; j < 3 * n; ++j) gradients.b[j] += d_a[j];
      for (std::size_t j = 0; j < n; ++j) gradients.b_recurrent[2 * n + j] += d_candidate[j];
    }
  }
  std::copy_n(gradients.b, 2 * n, gradients.b_recurrent);  // z and r have the same in both
}

template class GruSequence<float>;
template class GruSequence<double>;

}  // namespace quaver
