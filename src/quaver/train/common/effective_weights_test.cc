#include "quaver/train/common/effective_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(EffectiveWeights, AreCodesOfEachRowAndNoFurtherThanHalfAStep) {
  Random random(1);
  std::vector<float> values(4 * 50), weights(values.size()), again(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(random.normal() * static_cast<double>(1 + i / 50));
  std::fill_n(values.begin() + 150, 50, 0.0f);  // a row without a magnitude
  for (const auto& [name, most] : {std::pair{"int8", 127.0f}, std::pair{"int4", 7.0f}}) {
    const EffectiveWeights& rule = find_effective_weights(name);
    rule.apply(values, 4, weights);
    for (std::size_t row = 0; row < 4; ++row) {
      float largest = 0;
      for (std::size_t j = 0; j < 50; ++j) largest = std::max(largest, std::abs(values[row * 50 + j]));
      for (std::size_t j = 0; j < 50; ++j) {
        const std::size_t i = row * 50 + j;
        EXPECT_LE(std::abs(weights[i] - values[i]), 0.5001f * largest / most) << name;
      }
    }
    // Coded weights are their own codes, so that a quantizer of the same rows finds them.
    rule.apply(weights, 4, again);
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(again[i], weights[i], 1e-6f * std::abs(weights[i]));
  }
  find_effective_weights("").apply(values, 4, weights);
  EXPECT_EQ(weights, values);
  EXPECT_THROW(find_effective_weights("int5"), Error);
}

}  // namespace
}  // namespace quaver
