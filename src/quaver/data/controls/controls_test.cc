#include "quaver/data/controls/controls.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

// The same data to learn, to choose and to judge.
std::map<std::string, double> measured(const Dataset& data, const Forecast& forecast = {}) {
  std::map<std::string, double> values;
  for (const Control& control : controls(data, data, data, forecast)) values[control.name] = control.value;
  return values;
}

Dataset classes_of(std::vector<std::string> names) {
  return {.target = Target::kClass, .features = 1, .classes = std::move(names)};
}

void add_sequence(Dataset& data, std::vector<float> values, std::vector<std::int32_t> labels,
                  std::vector<float> targets = {}) {
  Example example{.name = "x", .input = {.steps = values.size() / data.features, .features = data.features}};
  example.input.values = std::move(values);
  example.labels = std::move(labels);
  example.targets = std::move(targets);
  data.examples.push_back(std::move(example));
}

TEST(Controls, MajorityClassIsTheMostFrequentOne) {
  Dataset train = classes_of({"a", "b"}), test = classes_of({"a", "b"});
  for (const std::int32_t label : {1, 0, 1}) add_sequence(train, {0}, {label});
  for (const std::int32_t label : {1, 0, 0, 0}) add_sequence(test, {0}, {label});
  EXPECT_EQ(controls(train, train, test).front().name, "majority class");
  EXPECT_DOUBLE_EQ(controls(train, train, test).front().value, 25);
  // Of shares 2/5 and 3/5, for counts begin at 1.
  train.metric = test.metric = "cross_entropy";
  EXPECT_NEAR(controls(train, train, test).front().value, -(std::log(0.6) + 3 * std::log(0.4)) / 4, 1e-6);
}

TEST(Controls, BagOfFramesTellsMeansAndDeviationsButNoOrder) {
  Dataset means = classes_of({"low", "high"}), deviations = classes_of({"calm", "wild"}),
          order = classes_of({"up", "down"});
  Random random(1);
  for (int i = 0; i < 60; ++i) {
    const std::int32_t label = i % 2;
    const auto shift = static_cast<float>(label), noise = static_cast<float>(random.uniform(-0.2, 0.2));
    add_sequence(means, {noise + shift, noise + shift, shift - noise}, {label});
    add_sequence(deviations, {noise + 1 + shift, noise - 1 - shift}, {label});
    add_sequence(order, label == 0 ? std::vector<float>{noise, noise + 1} : std::vector<float>{noise + 1, noise},
                 {label});
  }
  EXPECT_DOUBLE_EQ(measured(means).at("bag of frames"), 100);
  EXPECT_DOUBLE_EQ(measured(deviations).at("bag of frames"), 100);
  EXPECT_LT(measured(order).at("bag of frames"), 75);
  EXPECT_DOUBLE_EQ(measured(order).at("softmax on all values"), 100);
}

// Of points in a square: whether both are on one side of 0 is not linear, but neighbours agree.
TEST(Controls, TheNearestNeighbourKnowsWhatIsNotLinear) {
  Random random(5);
  const auto points = [&](int count) {
    Dataset data = classes_of({"apart", "together"});
    for (int i = 0; i < count; ++i) {
      std::vector<float> point(2);
      for (float& value : point)
        value = static_cast<float>((random.uniform(0, 1) < 0.5 ? -1 : 1) * random.uniform(0.2, 1));
      add_sequence(data, point, {point[0] * point[1] > 0 ? 1 : 0});
    }
    return data;
  };
  const Dataset train = points(400), validation = points(50);
  Dataset test = points(100);
  const auto of_test = [&](const std::string& metric) {
    test.metric = metric;
    Dataset chosen = validation;
    chosen.metric = metric;
    std::map<std::string, double> values;
    for (const Control& control : controls(train, chosen, test)) values[control.name] = control.value;
    return values;
  };
  EXPECT_DOUBLE_EQ(of_test("accuracy").at("nearest neighbour"), 100);
  EXPECT_LT(of_test("accuracy").at("softmax on all values"), 75);
  // Right 50 times of 50: 51 of 52, for counts begin at 1.
  EXPECT_NEAR(of_test("cross_entropy").at("nearest neighbour"), -std::log(51.0 / 52), 1e-6);
  add_sequence(test, {1, 1, 1}, {1});
  EXPECT_FALSE(of_test("accuracy").contains("nearest neighbour"));
  EXPECT_FALSE(of_test("accuracy").contains("softmax on all values"));
}

TEST(Controls, TokenBeforeKnowsWhatFollows) {
  Dataset data{.target = Target::kTags, .vocabulary = 3, .metric = "perplexity", .classes = {"a", "b", "c"}};
  Example example{.name = "x", .input = {.steps = 60}};
  for (std::int32_t step = 0; step < 60; ++step) {
    example.input.ids.push_back(step % 3);
    example.labels.push_back((step + 1) % 3);
  }
  data.examples = {example};
  const std::map<std::string, double> values = measured(data);
  EXPECT_NEAR(values.at("majority class"), 3, 1e-6);
  EXPECT_NEAR(values.at("token before"), 23.0 / 21, 1e-6);  // 20 of 20, and a share of 1/3 of 3 more
}

TEST(Controls, LabelsHoldAsOftenAsTheyDidBehindTheirFrame) {
  // A label that stays for two frames and goes for two.
  Dataset data{.target = Target::kLabels, .features = 1, .classes = {"note"}};
  std::vector<float> frames;
  std::vector<std::int32_t> labels;
  for (int step = 0; step < 40; ++step) {
    frames.push_back(step % 4 == 1 || step % 4 == 2 ? 1.0f : 0.0f);
    labels.push_back(step % 4 < 2 ? 1 : 0);
  }
  add_sequence(data, frames, labels);
  data.metric = "nats_per_frame";
  EXPECT_NEAR(measured(data).at("label marginals"), std::log(2), 1e-6);
  EXPECT_NEAR(measured(data).at("frame before"), std::log(2), 1e-6);
  for (std::size_t step = 0; step < 40; ++step) data.examples[0].labels[step] = frames[step] > 0 ? 1 : 0;
  EXPECT_NEAR(measured(data).at("frame before"), -std::log(21.0 / 22), 1e-6);
}

TEST(Controls, LabelsMayFollowOthersOfTheirFrame) {
  // A label holds where its left neighbour did, which its own past does not tell.
  Dataset data{.target = Target::kLabels, .features = 4, .classes = {"a", "b", "c", "d"}};
  data.metric = "nats_per_frame";
  Random random(2);
  std::vector<float> frames;
  std::vector<std::int32_t> labels;
  for (int step = 0; step < 400; ++step) {
    for (int i = 0; i < 4; ++i) frames.push_back(random.uniform(0, 1) < 0.3 ? 1.0f : 0.0f);
    for (std::size_t i = 0; i < 4; ++i) labels.push_back(frames[frames.size() - 4 + (i + 3) % 4] > 0 ? 1 : 0);
  }
  add_sequence(data, frames, labels);
  EXPECT_LT(measured(data).at("whole frame before"), 0.05);
  EXPECT_GT(measured(data).at("frame before"), 2);
}

TEST(Controls, ForecastsRepeatTheLastRowOrTheLastDay) {
  // Two columns of three; a day of two rows; a horizon of two.
  Dataset data{.target = Target::kReals, .features = 3, .outputs = 4};
  add_sequence(data, {9, 1, 2, 9, 3, 4, 9, 5, 6}, {}, {3, 4, 5, 8});
  const Forecast forecast{.columns = {1, 2}, .rows_a_day = 2};
  const std::map<std::string, double> values = measured(data, forecast);
  EXPECT_DOUBLE_EQ(values.at("persistence"), (4.0 + 4 + 0 + 4) / 4);
  EXPECT_DOUBLE_EQ(values.at("last day"), (0.0 + 0 + 0 + 4) / 4);
  EXPECT_FALSE(measured(data).contains("persistence"));
  EXPECT_FALSE(measured(data, {.columns = {1, 2}}).contains("last day"));

  Dataset steps{.target = Target::kRealSteps, .features = 1, .outputs = 1};
  add_sequence(steps, {1, 2, 4}, {}, {2, 4, 7});
  EXPECT_DOUBLE_EQ(measured(steps, {.columns = {0}}).at("persistence"), (1.0 + 4 + 9) / 3);
}

TEST(Controls, RidgeRegressionFindsALinearMap) {
  Dataset data{.target = Target::kReals, .features = 2, .outputs = 2};
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<float> x(6);
    for (float& value : x) value = static_cast<float>(random.uniform(-1, 1));
    const float first = 3 + 2 * x[0] - x[5], second = x[1] + x[2] - 1;
    add_sequence(data, x, {}, {first, second});
  }
  EXPECT_LT(measured(data).at("ridge regression"), 1e-6);
  // Sequences of other lengths have no flat window.
  add_sequence(data, {1, 2}, {}, {0, 0});
  EXPECT_FALSE(measured(data).contains("ridge regression"));
}

// Columns 2 and 0 of three, two rows ahead, from three rows.
TEST(Controls, RidgeAColumnIsLinearInItsOwn) {
  const auto made = [](bool of_others) {
    Dataset data{.target = Target::kReals, .features = 3, .outputs = 4};
    Random random(4);
    for (int i = 0; i < 300; ++i) {
      std::vector<float> x(9);
      for (float& value : x) value = static_cast<float>(random.uniform(-1, 1));
      const auto at = [&](std::size_t row, std::size_t column) { return x[3 * row + (of_others ? 1 : column)]; };
      add_sequence(data, x, {},
                   {2 * at(2, 2) - at(1, 2), at(2, 0), 3 * at(2, 2) - 2 * at(0, 2), at(0, 0) + at(1, 0) - at(2, 0)});
    }
    return data;
  };
  const Forecast forecast{.columns = {2, 0}};
  EXPECT_LT(measured(made(false), forecast).at("ridge a column"), 1e-6);
  EXPECT_LT(measured(made(false), forecast).at("ridge regression"), 1e-6);
  EXPECT_GT(measured(made(true), forecast).at("ridge a column"), 0.3);
  EXPECT_FALSE(measured(made(false)).contains("ridge a column"));
}

// One input: w = sum x y / (sum x^2 + penalty), here with the smallest penalty, 1e-4 of sum x^2.
TEST(Controls, RidgeRegressionIsPenalised) {
  Dataset data{.target = Target::kReals, .features = 1, .outputs = 1};
  for (const float x : {-2.0f, -1.0f, 1.0f, 2.0f}) add_sequence(data, {x}, {}, {5 * x});
  const double weight = 5 / 1.0001;
  EXPECT_NEAR(measured(data).at("ridge regression"), (5 - weight) * (5 - weight) * 2.5, 1e-9);
  Dataset constant{.target = Target::kReals, .features = 1, .outputs = 1};
  for (const float y : {1.0f, 3.0f}) add_sequence(constant, {7}, {}, {y});
  EXPECT_DOUBLE_EQ(measured(constant).at("ridge regression"), 1);
}

std::map<std::string, double> of_task(const std::string& task, const std::filesystem::path& folder) {
  const TaskOptions options{.data_dir = folder};
  std::map<std::string, double> values;
  for (const Control& control : controls(load_task(task, "train", options), load_task(task, "validation", options),
                                         load_task(task, "test", options), task_info(task).forecast))
    values[control.name] = control.value;
  return values;
}

TEST(ControlsData, ForecastsOfTheTransformer) {
  const std::string file = "ett/ETTh1.csv.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const std::map<std::string, double> values = of_task("ett", *folder);
  EXPECT_NEAR(values.at("persistence"), 0.0343, 5e-5);
  EXPECT_NEAR(values.at("last day"), 0.0458, 5e-5);
  EXPECT_NEAR(values.at("ridge regression"), 0.0315, 5e-5);
  EXPECT_NEAR(values.at("ridge a column"), 0.0264, 5e-5);
}

TEST(ControlsData, HeartBeatsAreToldByTheirNeighbours) {
  const std::string file = "ecg/mitdb_100_101_203.tar.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const std::map<std::string, double> values = of_task("ecg", *folder);
  EXPECT_NEAR(values.at("nearest neighbour"), 93.5, 0.05);
  EXPECT_NEAR(values.at("softmax on all values"), 87.5, 0.5);
}

TEST(ControlsData, AnomaliesStandOutWithoutAForecast) {
  const std::string file = "nab/nab.tar.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const TaskOptions options{.data_dir = *folder};
  const std::vector<TaskControl> found = task_controls("nab", options, load_task("nab", "test", options));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "persistence");
  EXPECT_EQ(found[0].figures.at(0).name, "nab_score");
  EXPECT_NEAR(found[0].figures.at(0).value, 22.09, 5e-3);
  EXPECT_NEAR(found[1].figures.at(0).value, 24.80, 5e-3);
}

// The note 1-grams of Boulanger-Lewandowski et al. (2012), table 1: so they counted frames as we do.
TEST(ControlsData, MarginalsOfNotesAreThePublishedOnes) {
  const std::string file = "polyphonic_music/JSB_Chorales.txt.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  const std::map<std::string, double> chorales = of_task("jsb", *folder);
  EXPECT_NEAR(chorales.at("label marginals"), 11.06, 5e-3);
  EXPECT_NEAR(chorales.at("whole frame before"), 9.02, 5e-2);
  EXPECT_NEAR(of_task("nottingham", *folder).at("label marginals"), 10.25, 5e-3);
}

TEST(ControlsData, SpeakersAreToldWithoutTheOrderOfFrames) {
  const std::string file = "japanese_vowels/JapaneseVowels_TRAIN.ts.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  EXPECT_NEAR(of_task("japanese_vowels", *folder).at("bag of frames"), 96.2, 0.5);
}

}  // namespace
}  // namespace quaver
