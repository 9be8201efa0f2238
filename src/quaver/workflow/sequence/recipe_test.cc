#include "quaver/workflow/sequence/recipe.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

namespace quaver {
namespace {

Dataset data_of(Target target, std::size_t examples) {
  return {.target = target, .features = 3, .examples = std::vector<Example>(examples)};
}

std::vector<double> numbers_of(const TrainOptions& options) {
  std::vector<double> numbers;
  fields(options, [&](const OptionField&, const auto& value) {
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(value)>>)
      numbers.push_back(static_cast<double>(value));
  });
  return numbers;
}

TEST(Recipe, DataOfOnesOwnHasWhatTheTaskOfItsKindHas) {
  const auto expect_equal = [](const std::string& kind, const std::string& task, Target target) {
    const TrainOptions own = recommended_options(kind, data_of(target, 500)),
                       of_task = recommended_options(task, data_of(target, 500));
    EXPECT_EQ(numbers_of(own), numbers_of(of_task)) << kind;
    EXPECT_EQ(own.cell, of_task.cell) << kind;
    EXPECT_EQ(own.direction, of_task.direction) << kind;
  };
  expect_equal("csv", "ett", Target::kReals);
  expect_equal("ts", "japanese_vowels", Target::kClass);
  expect_equal("lm", "shakespeare", Target::kTags);
  expect_equal("npz", "jsb", Target::kLabels);
}

// Flags are checked against the cell before any data is read.
TEST(Recipe, TheCellFollowsFromTheNameAlone) {
  for (const std::string name : {"csv", "ts", "lm", "npz", "wav", "text", "ett", "jsb", "nab", "ecg", "digits"})
    for (const Target target : {Target::kClass, Target::kTags, Target::kLabels, Target::kReals, Target::kRealSteps})
      EXPECT_EQ(recommended_options(name, data_of(target, 10)).cell, recommended_options(name, {}).cell) << name;
}

TEST(Recipe, EpochsAreAsManyAsUpdatesNeed) {
  EXPECT_EQ(recommended_options("npz", data_of(Target::kClass, 10)).epochs, 100u);
  EXPECT_EQ(recommended_options("npz", data_of(Target::kClass, 1600)).epochs, 20u);
  EXPECT_EQ(recommended_options("npz", data_of(Target::kClass, 50000)).epochs, 15u);
  EXPECT_EQ(recommended_options("npz", data_of(Target::kLabels, 800)).epochs, 35u);
}

TEST(Recipe, ForecastsOfWhatStaysHaveTheirWeightsHeldDown) {
  const auto decay = [](float distance) {
    Dataset data = data_of(Target::kReals, 3000);
    for (Example& example : data.examples) example.targets = {distance, -distance};
    return recommended_options("csv", data).weight_decay;
  };
  EXPECT_EQ(decay(0), 10);
  EXPECT_EQ(decay(0.335f), 10);  // as ett
  EXPECT_EQ(decay(0.87f), 0.1);  // as ett_all
}

}  // namespace
}  // namespace quaver
