#include "quaver/data/nab_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const NabSeries kSeries{.name = "a", .rows = 100, .probation = 10, .windows = {{.first = 20, .last = 29}}};

// Scores of kSeries: 0 but in these rows.
std::vector<double> scores_with(const std::map<std::size_t, double>& rows) {
  std::vector<double> scores(90);
  for (const auto& [row, score] : rows) scores[row - 10] = score;
  return scores;
}

NabScore score_of(const std::map<std::size_t, double>& rows) {
  return nab_score({&kSeries, 1}, std::vector<std::vector<double>>{scores_with(rows)});
}

TEST(NabScore, FindingAtOnceIsAHundredAndNeverIsZero) {
  const NabScore best = score_of({{20, 0.5}});
  EXPECT_DOUBLE_EQ(best.score, 100);
  EXPECT_EQ(best.threshold, 0.5);
  EXPECT_EQ(best.windows, 1u);
  EXPECT_EQ(best.found_windows, 1u);
  EXPECT_EQ(best.false_alarms, 0u);
  // With equal scores everything is an alarm or nothing; nothing is better.
  const NabScore none = score_of({});
  EXPECT_DOUBLE_EQ(none.score, 0);
  EXPECT_EQ(none.threshold, std::numeric_limits<double>::infinity());
  EXPECT_EQ(none.found_windows, 0u);
}

// 2 / (1 + exp(-2.5)) - 1 = 0.848284 of the 0.986614 at the beginning.
TEST(NabScore, LateAlarmsCountLess) {
  EXPECT_NEAR(score_of({{25, 1}}).score, 100 * (1 + 0.848284 / 0.986614) / 2, 1e-3);
  EXPECT_NEAR(score_of({{25, 1}, {26, 1}}).score, 100 * (1 + 0.848284 / 0.986614) / 2, 1e-3);  // the first one counts
  EXPECT_NEAR(score_of({{29, 1}}).score, 100 * (1 + 0.244919 / 0.986614) / 2, 1e-3);
}

TEST(NabScore, FalseAlarmsCostMoreTheFurtherTheyAreBehindAWindow) {
  EXPECT_NEAR(score_of({{19, 2}, {20, 1}}).score, 100 * (2 - 0.11) / 2, 1e-9);             // no window before
  EXPECT_NEAR(score_of({{20, 1}, {34, 2}}).score, 100 * (2 - 0.11 * 0.882857) / 2, 1e-3);  // 5 / 9 of a width
  EXPECT_NEAR(score_of({{20, 1}, {99, 2}}).score, 100 * (2 - 0.11) / 2, 1e-9);
  EXPECT_EQ(score_of({{20, 1}, {99, 2}}).false_alarms, 1u);
  // The threshold that leaves it out is better.
  EXPECT_DOUBLE_EQ(score_of({{20, 2}, {99, 1}}).score, 100);
}

TEST(NabScore, OneThresholdServesAllSeries) {
  const NabSeries other{.name = "b", .rows = 20, .probation = 3, .windows = {}};
  std::vector<double> loud(17, 0.0);
  loud[4] = 5;
  const NabScore score =
      nab_score(std::vector{kSeries, other, kSeries}, std::vector{scores_with({{20, 4}}), loud, scores_with({})});
  EXPECT_EQ(score.windows, 2u);
  EXPECT_EQ(score.found_windows, 1u);
  EXPECT_EQ(score.false_alarms, 1u);
  EXPECT_EQ(score.threshold, 4);
  EXPECT_NEAR(score.score, 100 * (1 - 1 - 0.11 + 2) / 4, 1e-9);
}

TEST(NabScore, AWindowOfOneRowHasNoWidthBehindIt) {
  const NabSeries series{.name = "a", .rows = 4, .probation = 0, .windows = {{1, 1}}};
  EXPECT_NEAR(nab_score({&series, 1}, std::vector<std::vector<double>>{{0, 1, 2, 0}}).score, 100 * (2 - 0.11) / 2,
              1e-9);
}

TEST(NabScore, OtherNumbersOfScoresAreRefused) {
  const auto error_of = [](std::vector<std::vector<double>> scores, NabSeries series = kSeries) {
    return expect_error(ErrorKind::kUsage, [&] { nab_score({&series, 1}, scores); });
  };
  EXPECT_TRUE(says(error_of({}), "scores of 0 series, expected 1"));
  EXPECT_TRUE(says(error_of({std::vector<double>(100)}), "series 'a' has 100 scores, expected 90"));
  EXPECT_TRUE(says(error_of({{}}, {.name = "a"}), "no window of an anomaly"));
}

TEST(Surprise, IsTheLatestMeanInDeviationsOfAll) {
  std::vector<double> errors;
  for (int i = 0; i < 40; ++i) errors.push_back(1000 + i % 2);
  for (int i = 0; i < 10; ++i) errors.push_back(1003);
  const std::vector<double> scores = surprise(errors);
  ASSERT_EQ(scores.size(), errors.size());
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(scores[i], 0);
  EXPECT_NEAR(scores[39], 0, 1e-12);
  const double mean = (20 * 1.0 + 10 * 3) / 50, variance = (20 * 1.0 + 10 * 9) / 50 - mean * mean;
  EXPECT_NEAR(scores[49], (3 - mean) / std::sqrt(variance), 1e-12);
  EXPECT_EQ(surprise(std::vector<double>(30, 0.1)), std::vector<double>(30, 0.0));
  EXPECT_EQ(surprise({}), std::vector<double>{});
}

// The one large error is in the first row of the window, and in the mean of the last 10 up to its last row.
TEST(NabScore, IsOfTheErrorsOfAForecast) {
  const std::vector<float> truths(90, 1.0f);
  const Dataset test{.target = Target::kRealSteps,
                     .outputs = 1,
                     .examples = {{.name = "a", .input = {.steps = 90}, .targets = truths}}};
  std::vector<float> forecast(90, 0.5f);
  forecast[10] = -2;
  EXPECT_DOUBLE_EQ(nab_score_of({&kSeries, 1}, test, std::vector<std::vector<float>>{forecast}).score, 100);
  forecast.pop_back();
  const auto error_of = [&](const std::vector<std::vector<float>>& forecasts) {
    return expect_error(ErrorKind::kUsage, [&] { nab_score_of({&kSeries, 1}, test, forecasts); });
  };
  EXPECT_TRUE(says(error_of({}), "forecasts of 0 series, expected 1"));
  EXPECT_TRUE(says(error_of({forecast}), "'a' has 89 forecasts, expected 90"));
}

// What the absolute errors of the value before find.
TEST(NabScoreData, PersistenceFindsSome) {
  const std::string file = "nab/nab.tar.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const Dataset test = load_task("nab", "test", {.data_dir = *folder});
  std::vector<std::vector<float>> forecasts;
  for (const Example& example : test.examples) forecasts.push_back(example.input.values);
  const NabScore score = nab_score_of(nab_series({.data_dir = *folder}), test, forecasts);
  EXPECT_NEAR(score.score, 22.09, 5e-3);
  EXPECT_EQ(score.found_windows, 31u);
  EXPECT_EQ(score.windows, 84u);
}

}  // namespace
}  // namespace quaver
