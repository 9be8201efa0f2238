#include "quaver/quantize/second_moment.h"

#include "quaver/core/check.h"

namespace quaver {
namespace {

constexpr std::size_t kBatch = 16;  // vectors

}  // namespace

void SecondMoment::add(std::span<const float> x) {
  if (size_ == 0) {
    size_ = x.size();
    sums_.resize(size_ * size_);
  }
  QUAVER_DCHECK(x.size() == size_);
  waiting_.insert(waiting_.end(), x.begin(), x.end());
  ++count_;
  if (waiting_.size() < kBatch * size_) return;
  add_products(waiting_, size_, sums_);
  waiting_.clear();
}

void SecondMoment::add_products(std::span<const float> vectors, std::size_t n, std::vector<double>& sums) {
  for (std::size_t i = 0; i < n; ++i) {
    double* row = sums.data() + i * n;
    for (std::size_t v = 0; v < vectors.size(); v += n) {
      const float* x = vectors.data() + v;
      const auto x_i = static_cast<double>(x[i]);
      for (std::size_t j = 0; j <= i; ++j) row[j] += x_i * static_cast<double>(x[j]);
    }
  }
}

std::vector<double> SecondMoment::lower_mean() const {
  std::vector<double> mean = sums_;
  add_products(waiting_, size_, mean);
  for (double& value : mean) value /= static_cast<double>(count_);
  return mean;
}

}  // namespace quaver
