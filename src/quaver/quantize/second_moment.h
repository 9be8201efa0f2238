// second_moment.h - how the operands of a matrix vary together: what rounding its weights well needs to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/model/formats/channels.h"

namespace quaver {

// Sum of x x^T over vectors x of one size n. A value.
class SecondMoment {
 public:
  void add(std::span<const float> x);  // the first vector sets n; O(n^2)

  std::size_t size() const { return size_; }      // n; 0 before the first vector
  std::uint64_t count() const { return count_; }  // vectors seen
  // Mean of x_i x_j at [i, j] for j <= i; 0 above the diagonal. count() > 0.
  std::vector<double> lower_mean() const;
  double mean(std::size_t i) const { return sum_[i] / static_cast<double>(count_); }  // of x_i; count() > 0
  double mean_square(std::size_t i) const;
  // The same of (x - offset) / scale: what the channels of a folded value hold (A44).
  SecondMoment normalized(const Channels& channels) const;
  SecondMoment centered() const;  // of x - its mean; count() > 0

 private:
  static void add_products(std::span<const float> vectors, std::size_t n, std::vector<double>& sums);

  std::size_t size_ = 0;
  std::uint64_t count_ = 0;
  std::vector<float> waiting_;  // [fewer than a batch, n]: one pass over the sums serves a batch
  std::vector<double> sums_;    // [n, n], lower triangle
  std::vector<double> sum_;     // [n], of x alone
};

}  // namespace quaver
