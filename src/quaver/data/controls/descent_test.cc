#include "quaver/data/controls/descent.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quaver {
namespace {

TEST(Descent, FindsTheMinimumOfABadlyScaledBowl) {
  int calls = 0;
  const std::vector<double> found =
      minimum_below(std::vector<double>(20), [&](const std::vector<double>& point, std::vector<double>& gradient) {
        ++calls;
        double value = 0;
        for (std::size_t i = 0; i < point.size(); ++i) {
          const double curvature = std::pow(10.0, static_cast<double>(i % 5)), distance = point[i] - 3;
          gradient[i] = curvature * distance;
          value += curvature * distance * distance / 2;
        }
        return value;
      });
  // The value is within 1e-6 of its minimum or so, the flattest curvature 1.
  for (const double coordinate : found) EXPECT_NEAR(coordinate, 3, 5e-3);
  EXPECT_LT(calls, 200);
}

TEST(Descent, StaysWhereNothingFalls) {
  const auto flat = [](const std::vector<double>&, std::vector<double>& gradient) {
    gradient.assign(gradient.size(), 0);
    return 7.0;
  };
  EXPECT_EQ(minimum_below({1, 2}, flat), (std::vector<double>{1, 2}));
}

}  // namespace
}  // namespace quaver
