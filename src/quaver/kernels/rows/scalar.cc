#include <cstddef>

#include "quaver/kernels/rows/paths.h"

namespace quaver {
namespace {

void dots(const float* matrix, std::size_t rows, const float* x, std::size_t width, float* out) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    float lanes[kRowLanes] = {};
    for (std::size_t j = 0; j < width; ++j) lanes[j % kRowLanes] += matrix[r * width + j] * x[j];
    for (std::size_t half = kRowLanes / 2; half > 0; half /= 2)
      for (std::size_t k = 0; k < half; ++k) lanes[k] += lanes[k + half];
    out[r] = lanes[0];
  }
}

void add_weighted(const float* factors, const float* matrix, std::size_t rows, std::size_t width, float* y) noexcept {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j) y[j] += factors[r] * matrix[r * width + j];
}

void add_outer(const float* factors, std::size_t rows, const float* x, std::size_t width, float* matrix) noexcept {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j) matrix[r * width + j] += factors[r] * x[j];
}

void add(const float* weights, const float* x, std::size_t width, float* y) noexcept {
  for (std::size_t j = 0; j < width; ++j) y[j] += weights == nullptr ? x[j] : weights[j] * x[j];
}

}  // namespace

const RowsPath kScalarRows{Isa::kScalar, dots, add_weighted, add_outer, add};

}  // namespace quaver
