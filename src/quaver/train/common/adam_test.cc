#include "quaver/train/common/adam.h"

#include <gtest/gtest.h>

namespace quaver {
namespace {

TEST(Adam, FirstStepsByHand) {
  // With a constant gradient both bias corrections cancel: every step is `rate` against the gradient's sign.
  Adam adam(2);
  std::vector<float> values{1.0f, 1.0f};
  const std::vector<float> gradients{0.5f, -4.0f}, decay{0.0f, 0.0f};
  for (int step = 1; step <= 3; ++step) {
    adam.step(values, gradients, decay, 0.1);
    EXPECT_NEAR(values[0], 1 - 0.1 * step, 1e-5);
    EXPECT_NEAR(values[1], 1 + 0.1 * step, 1e-5);
  }
  EXPECT_EQ(adam.steps, 3u);
}

TEST(Adam, DecayShrinksWithoutGradient) {
  Adam adam(1);
  std::vector<float> values{2.0f};
  adam.step(values, std::vector<float>{0.0f}, std::vector<float>{0.5f}, 0.1);
  EXPECT_FLOAT_EQ(values[0], 2.0f - 0.1f * 0.5f * 2.0f);
}

}  // namespace
}  // namespace quaver
