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
    sum_.resize(size_);
  }
  QUAVER_DCHECK(x.size() == size_);
  waiting_.insert(waiting_.end(), x.begin(), x.end());
  for (std::size_t i = 0; i < size_; ++i) sum_[i] += static_cast<double>(x[i]);
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

double SecondMoment::mean_square(std::size_t i) const {
  double sum = sums_[i * size_ + i];
  for (std::size_t at = i; at < waiting_.size(); at += size_)
    sum += static_cast<double>(waiting_[at]) * static_cast<double>(waiting_[at]);
  return sum / static_cast<double>(count_);
}

SecondMoment SecondMoment::normalized(const Channels& channels) const {
  SecondMoment moment = *this;
  add_products(waiting_, size_, moment.sums_);
  moment.waiting_.clear();
  const auto count = static_cast<double>(count_);
  for (std::size_t i = 0; i < size_; ++i) {
    const double o_i = channels.offset_of(i), s_i = channels.scale_of(i);
    for (std::size_t j = 0; j <= i; ++j) {
      const double o_j = channels.offset_of(j);
      double& sum = moment.sums_[i * size_ + j];
      sum = (sum - o_i * sum_[j] - o_j * sum_[i] + count * o_i * o_j) / (s_i * channels.scale_of(j));
    }
    moment.sum_[i] = (sum_[i] - count * o_i) / s_i;
  }
  return moment;
}

SecondMoment SecondMoment::centered() const {
  Channels channels;
  for (std::size_t i = 0; i < size_; ++i) channels.offset.push_back(static_cast<float>(mean(i)));
  return normalized(channels);
}

std::vector<double> SecondMoment::lower_mean() const {
  std::vector<double> mean = sums_;
  add_products(waiting_, size_, mean);
  for (double& value : mean) value /= static_cast<double>(count_);
  return mean;
}

}  // namespace quaver
