#include "quaver/data/dataset.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quaver/core/error.h"

namespace quaver {
namespace {

// Two sequences of two features: the first feature varies, the second is constant.
Dataset small_dataset() {
  Dataset data{.task = "small", .split = "train", .features = 2, .classes = {"a", "b"}};
  data.examples.push_back(
      {.name = "one", .input = {.steps = 2, .features = 2, .values = {1, 0.1f, 2, 0.1f}}, .labels = {0}});
  data.examples.push_back(
      {.name = "two", .input = {.steps = 2, .features = 2, .values = {3, 0.1f, 6, 0.1f}}, .labels = {1}});
  return data;
}

TEST(Dataset, StatisticsAreThoseOfAllSteps) {
  const FeatureStatistics statistics = feature_statistics(small_dataset());
  ASSERT_EQ(statistics.mean.size(), 2u);
  ASSERT_EQ(statistics.inverse_deviation.size(), 2u);
  EXPECT_FLOAT_EQ(statistics.mean[0], 3.0f);
  EXPECT_FLOAT_EQ(statistics.inverse_deviation[0], static_cast<float>(1 / std::sqrt((4.0 + 1 + 0 + 9) / 4)));
}

TEST(Dataset, ConstantFeatureGetsOne) {
  const FeatureStatistics statistics = feature_statistics(small_dataset());
  EXPECT_EQ(statistics.mean[1], 0.1f);
  EXPECT_EQ(statistics.inverse_deviation[1], 1.0f);
}

TEST(Dataset, FeatureThatHardlyMovesGivesAFiniteInverse) {
  Dataset data = small_dataset();
  for (Example& example : data.examples) example.input.values = {0.0f, 0.0f, 1e-44f, 0.0f};
  EXPECT_EQ(feature_statistics(data).inverse_deviation[0], 1.0f);
}

TEST(Dataset, IdsHaveNoStatistics) {
  Dataset data{.task = "words", .split = "train", .vocabulary = 3};
  data.examples.push_back({.name = "one", .input = {.steps = 2, .ids = {1, 2}}, .labels = {0}});
  EXPECT_TRUE(feature_statistics(data).mean.empty());
}

TEST(Dataset, StatisticsOfNothingAreAnError) {
  Dataset data = small_dataset();
  data.examples.clear();
  try {
    feature_statistics(data);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("data set 'small' (train)"), std::string::npos) << error.what();
  }
}

TEST(Dataset, CountsSteps) { EXPECT_EQ(small_dataset().step_count(), 4u); }

TEST(Dataset, HashSeesValuesLabelsAndCuts) {
  const std::uint64_t hash = small_dataset().content_hash();
  EXPECT_EQ(small_dataset().content_hash(), hash);

  Dataset other_value = small_dataset();
  other_value.examples[1].input.values[3] = 0.2f;
  EXPECT_NE(other_value.content_hash(), hash);

  Dataset other_label = small_dataset();
  other_label.examples[1].labels[0] = 0;
  EXPECT_NE(other_label.content_hash(), hash);

  Dataset other_cut = small_dataset();  // the same bytes in the same order, cut after the first step
  auto& values = other_cut.examples[0].input.values;
  auto& later = other_cut.examples[1].input.values;
  later.insert(later.begin(), values.begin() + 2, values.end());
  values.resize(2);
  other_cut.examples[0].input.steps = 1;
  other_cut.examples[1].input.steps = 3;
  EXPECT_NE(other_cut.content_hash(), hash);
}

TEST(Dataset, ASurveyIsHashAndStatisticsAndSeesEveryExampleOnce) {
  const Dataset data = small_dataset();
  std::vector<std::string> seen;
  const DataSurvey found = survey(data, [&](const Example& example) { seen.push_back(example.name); });
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(found.content_hash, data.content_hash());
  EXPECT_EQ(found.statistics.mean, feature_statistics(data).mean);
  EXPECT_EQ(found.statistics.inverse_deviation, feature_statistics(data).inverse_deviation);
}

// The same examples, held or read when they are asked for.
TEST(Dataset, ExamplesMayBeReadWhenTheyAreAskedFor) {
  class Reader : public ExampleReader {
   public:
    explicit Reader(std::vector<Example> examples) : examples_(std::move(examples)) {}
    std::size_t size() const override { return examples_.size(); }
    std::size_t about_steps(std::size_t index) const override { return examples_[index].input.steps; }
    Example read(std::size_t index) const override { return examples_[index]; }

   private:
    std::vector<Example> examples_;
  };
  const Dataset held = small_dataset();
  Dataset read = held;
  read.reader = std::make_shared<Reader>(std::exchange(read.examples, {}));
  EXPECT_EQ(read.size(), held.size());
  EXPECT_EQ(read.step_count(), held.step_count());
  EXPECT_EQ(read.content_hash(), held.content_hash());
  Example room;
  EXPECT_EQ(read.example(1, room), held.examples[1]);
}

TEST(Dataset, NamesAreNotContent) {
  Dataset renamed = small_dataset();
  renamed.examples[0].name = "elsewhere";
  EXPECT_EQ(renamed.content_hash(), small_dataset().content_hash());
}

}  // namespace
}  // namespace quaver
