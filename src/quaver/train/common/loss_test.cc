// Losses: gradients against differences of the sums, and sums against the metrics.
#include "quaver/train/common/loss.h"

#include <gtest/gtest.h>

#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

struct Rows {
  Target target;
  std::size_t width;
  std::vector<float> outputs{}, reals{};
  std::vector<std::int32_t> labels{};
  Truth truth() const { return {.labels = labels, .reals = reals}; }
};

Rows random_rows(Target target) {
  constexpr std::size_t kRows = 6, kWidth = 4;
  Rows rows{.target = target, .width = kWidth};
  Random random(3);
  for (std::size_t i = 0; i < kRows * kWidth; ++i) {
    rows.outputs.push_back(static_cast<float>(2 * random.normal()));
    if (is_real(target)) rows.reals.push_back(static_cast<float>(random.normal()));
    if (target == Target::kLabels) rows.labels.push_back(static_cast<std::int32_t>(random.below(2)));
  }
  if (names_a_class(target))
    for (std::size_t i = 0; i < kRows; ++i) rows.labels.push_back(static_cast<std::int32_t>(random.below(kWidth)));
  return rows;
}

constexpr Target kTargets[] = {Target::kClass, Target::kTags, Target::kReals, Target::kRealSteps, Target::kLabels};

TEST(Loss, GradientsAreThoseOfTheSum) {
  const std::vector<float> weights{0.5f, 1, 2, 1};
  for (const Target target : kTargets) {
    for (const char* name : {"", "absolute_error"}) {
      if (*name != '\0' && !is_real(target)) continue;
      Rows rows = random_rows(target);
      const Loss& loss = find_loss(name, target);
      LossOptions options{.label_smoothing = 0.1};
      if (names_a_class(target)) options.class_weights = weights;
      std::vector<float> gradient(rows.outputs.size()), unused(rows.outputs.size());
      constexpr float kScale = 0.25f, kStep = 1.0f / 1024;
      loss.sum(rows.outputs, rows.width, rows.truth(), options, kScale, gradient);
      for (std::size_t i = 0; i < rows.outputs.size(); ++i) {
        const float at = rows.outputs[i];
        const auto sum_at = [&](float value) {
          rows.outputs[i] = value;
          return loss.sum(rows.outputs, rows.width, rows.truth(), options, kScale, unused);
        };
        const float above = at + kStep, below = at - kStep;
        const double difference = (sum_at(above) - sum_at(below)) / (double{above} - below);
        rows.outputs[i] = at;
        // Third derivatives are at most 2 weights: an error of step^2 / 3, beside the rounding of the gradient.
        EXPECT_NEAR(gradient[i], kScale * difference, 1e-6) << loss.name << " " << i;
      }
    }
  }
}

TEST(Loss, WithoutSmoothingItIsTheTallysLoss) {
  for (const Target target : kTargets) {
    const Rows rows = random_rows(target);
    const Loss& loss = find_loss("", target);
    std::vector<float> gradient(rows.outputs.size());
    const double sum = loss.sum(rows.outputs, rows.width, rows.truth(), {}, 1, gradient);
    Tally tally(target, rows.width);
    tally.add(rows.outputs, rows.truth());
    const double terms = static_cast<double>(rows.outputs.size() / (loss.of_numbers ? 1 : rows.width));
    EXPECT_NEAR(sum / terms, tally.loss(), 1e-12) << loss.name;
  }
}

TEST(Loss, OneThatDoesNotSuitIsRefused) {
  EXPECT_THROW(find_loss("squared_error", Target::kClass), Error);
  EXPECT_EQ(find_loss("absolute_error", Target::kReals).name, "absolute_error");
}

}  // namespace
}  // namespace quaver
