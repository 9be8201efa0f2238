#include "quaver/quantize/compensated_rounding.h"

#include <algorithm>
#include <cmath>

#include "quaver/core/check.h"
#include "quaver/fixed/quantization.h"

namespace quaver {
namespace {

constexpr double kDamping = 0.01;          // of the mean diagonal; GPTQ's value
constexpr std::size_t kRowsTogether = 16;  // they share each reading of a row of L

// L of C = L L^T in place of C's lower triangle [n, n]. C is positive definite by its damping.
void factorize(std::vector<double>& lower, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    double* row = lower.data() + i * n;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = lower.data() + j * n;
      double rest = row[j];
      for (std::size_t k = 0; k < j; ++k) rest -= row[k] * other[k];
      row[j] = i == j ? std::sqrt(rest) : rest / other[j];
    }
  }
}

// Damped C's factor; the identity where the data has no variance at all.
std::vector<double> factor_of(const SecondMoment& operands) {
  const std::size_t n = operands.size();
  std::vector<double> lower = operands.lower_mean();
  double trace = 0;
  for (std::size_t i = 0; i < n; ++i) trace += lower[i * n + i];
  const double damping = trace > 0 ? kDamping * trace / static_cast<double>(n) : 1.0;
  for (std::size_t i = 0; i < n; ++i) lower[i * n + i] += damping;
  factorize(lower, n);
  return lower;
}

}  // namespace

std::vector<std::int8_t> round_compensated(MatrixView<const float> weights, std::span<const float> scales,
                                           const WeightFormat& format, const SecondMoment& operands) {
  const std::size_t n = weights.cols();
  QUAVER_DCHECK(operands.size() == n && operands.count() > 0 && scales.size() == weights.rows());
  const std::vector<double> lower = factor_of(operands);
  std::vector<std::int8_t> codes(weights.rows() * n);
  std::vector<double> left(kRowsTogether * n);  // at [row, k]: sum over the columns j > k of d_j L_jk
  for (std::size_t first = 0; first < weights.rows(); first += kRowsTogether) {
    const std::size_t end = std::min(first + kRowsTogether, weights.rows());
    std::ranges::fill(left, 0.0);
    for (std::size_t j = n; j-- > 0;) {
      const double* factor = lower.data() + j * n;
      for (std::size_t row = first; row < end; ++row) {
        double* rest = left.data() + (row - first) * n;
        const auto scale = static_cast<double>(scales[row]);
        const auto weight = static_cast<double>(weights(row, j));
        const std::int32_t code = format.nearest(weight + rest[j] / factor[j], scale);
        codes[row * n + j] = static_cast<std::int8_t>(code);
        const double error = weight - code * scale;
        for (std::size_t k = 0; k < j; ++k) rest[k] += error * factor[k];
      }
    }
  }
  return codes;
}

}  // namespace quaver
