#include "quaver/train/recurrent/row_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

namespace quaver {
namespace {

// Every 1/4096 from -100 to 100: beyond 88 both functions are flat.
TEST(RowMath, ActivationsStayWithinTheirError) {
  std::vector<float> sigmoids, tanhs;
  for (int i = -100 * 4096; i <= 100 * 4096; ++i) sigmoids.push_back(static_cast<float>(i) / 4096.0f);
  tanhs = sigmoids;
  const std::vector<float> x = sigmoids;
  sigmoid_row(sigmoids.data(), sigmoids.size());
  tanh_row(tanhs.data(), tanhs.size());
  double worst_sigmoid = 0, worst_tanh = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst_sigmoid = std::max(worst_sigmoid, std::abs(sigmoids[i] - 1 / (1 + std::exp(-double{x[i]}))));
    worst_tanh = std::max(worst_tanh, std::abs(tanhs[i] - std::tanh(double{x[i]})));
  }
  EXPECT_LT(worst_sigmoid, kActivationError);
  EXPECT_LT(worst_tanh, kActivationError);
  std::printf("worst error of sigmoid %.3g, of tanh %.3g, allowed %.3g\n", worst_sigmoid, worst_tanh, kActivationError);
}

TEST(RowMath, NotANumberStaysOne) {
  float value = std::numeric_limits<float>::quiet_NaN();
  sigmoid_row(&value, 1);
  EXPECT_TRUE(std::isnan(value));
  tanh_row(&value, 1);
  EXPECT_TRUE(std::isnan(value));
}

TEST(RowMath, SumsEveryLength) {
  for (std::size_t n = 0; n < 40; ++n)
    EXPECT_EQ(sum_row<double>(n, [](std::size_t j) { return static_cast<double>(j); }),
              static_cast<double>(n) * (static_cast<double>(n) - 1) / 2);
}

}  // namespace
}  // namespace quaver
