#include "quaver/metrics/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "quaver/core/error.h"

namespace quaver {
namespace {

double value_of(std::string_view name, const Tally& tally) { return find_metric(name, tally.target()).value(tally); }

TEST(Metric, AccuracyCountsTheFirstLargestScore) {
  Tally tally(Target::kClass, 3);
  const std::vector<float> scores{1, 1, 0, /**/ 0, 2, 1, /**/ 0, 0, 5};
  const std::vector<std::int32_t> labels{0, 2, 2};
  tally.add(scores, {.labels = labels});
  EXPECT_EQ(tally.correct(), 2u);
  EXPECT_DOUBLE_EQ(value_of("accuracy", tally), 200.0 / 3);
}

TEST(Metric, MacroF1IsTheMeanOverClassesThatHoldOrAreNamed) {
  // Class 0: held 2, named 3, both 2: 0.8. Class 1: held 2, named 1, both 1: 2/3. Class 2 neither: does not count.
  Tally tally(Target::kTags, 3);
  const std::vector<std::int32_t> labels{0, 0, 1, 1};
  const std::vector<std::int64_t> named{0, 0, 0, 1};
  tally.add_named(named, labels);
  EXPECT_FALSE(tally.has_loss());
  EXPECT_NEAR(value_of("macro_f1", tally), 100 * (0.8 + 2.0 / 3) / 2, 1e-12);
}

TEST(Metric, EvenScoresHaveThePerplexityOfTheirNumber) {
  Tally tally(Target::kTags, 4);
  const std::vector<float> scores(8, 1000.0f);
  const std::vector<std::int32_t> labels{1, 3};
  tally.add(scores, {.labels = labels});
  EXPECT_NEAR(tally.loss(), std::log(4.0), 1e-12);
  EXPECT_NEAR(value_of("perplexity", tally), 4, 1e-12);
  EXPECT_NEAR(value_of("bits_per_character", tally), 2, 1e-12);
}

TEST(Metric, LabelsAreSummedOverAFrame) {
  Tally tally(Target::kLabels, 2);
  const std::vector<float> scores{0, 0, /**/ 200, -200};
  const std::vector<std::int32_t> labels{1, 0, /**/ 0, 1};
  tally.add(scores, {.labels = labels});
  EXPECT_NEAR(value_of("nats_per_frame", tally), (2 * std::numbers::ln2 + 400) / 2, 1e-9);
  // Score 0 is a half and named: label 0 held 1, named 2, both 1; label 1 held 1, named 1, both 0.
  EXPECT_NEAR(value_of("micro_f1", tally), 100 * 2.0 / 5, 1e-12);
}

TEST(Metric, RealsAreJudgedByTheirErrors) {
  Tally tally(Target::kReals, 2);
  const std::vector<float> outputs{1, 2, /**/ 3, 4}, reals{1, 4, /**/ 0, 4};
  tally.add(outputs, {.reals = reals});
  EXPECT_DOUBLE_EQ(value_of("mse", tally), (4.0 + 9.0) / 4);
  EXPECT_DOUBLE_EQ(value_of("mae", tally), (2.0 + 3.0) / 4);
}

TEST(Metric, TheFirstThatSuitsIsATargetsOwn) {
  EXPECT_EQ(find_metric("", Target::kClass).name, "accuracy");
  EXPECT_EQ(find_metric("", Target::kLabels).name, "nats_per_frame");
  EXPECT_EQ(find_metric("", Target::kRealSteps).name, "mse");
}

TEST(Metric, OneThatDoesNotSuitIsRefusedWithThoseThatDo) {
  try {
    find_metric("accuracy", Target::kReals);
    FAIL() << "accuracy judged reals";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "metric 'accuracy' does not judge the target 'reals', expected one of: mse, mae");
  }
}

}  // namespace
}  // namespace quaver
