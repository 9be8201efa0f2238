#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

TEST(Chirps, SplitsHaveTheirSizesAndAsManyOfEachClass) {
  const std::map<std::string, std::size_t> sizes{{"train", 2000}, {"validation", 300}, {"test", 500}};
  for (const auto& [split, size] : sizes) {
    const Dataset data = load_task("chirps", split);
    ASSERT_EQ(data.examples.size(), size);
    expect_well_formed(data);
    std::map<std::int32_t, std::size_t> counts;
    for (const Example& example : data.examples) {
      ++counts[example.labels[0]];
      EXPECT_GE(example.input.steps, 36u) << example.name;
      EXPECT_LE(example.input.steps, 60u) << example.name;
    }
    for (const auto& [label, count] : counts) EXPECT_EQ(count, size / 10) << "class " << label;
  }
}

// The bytes that seed 1 gives: a change of them changes every published result and is a change of its own.
TEST(Chirps, BytesOfSeedOneNeverChange) {
  EXPECT_EQ(hex64(load_task("chirps", "validation", {.limit = 20}).content_hash()), "be9545b41c4fae52");
  EXPECT_EQ(hex64(load_task("chirps_tags", "validation", {.limit = 2}).content_hash()), "b6f3036f886fde30");
}

TEST(Chirps, SeedsAndSplitsDiffer) {
  const auto hash = [](const std::string& split, std::uint64_t seed) {
    return load_task("chirps", split, {.seed = seed, .limit = 5}).content_hash();
  };
  EXPECT_EQ(hash("test", 7), hash("test", 7));
  EXPECT_NE(hash("test", 7), hash("test", 8));
  EXPECT_NE(hash("test", 7), hash("train", 7));
}

TEST(Chirps, LimitTakesTheSameExamplesEvenly) {
  const Dataset all = load_task("chirps", "test");
  const Dataset some = load_task("chirps", "test", {.limit = 50});
  ASSERT_EQ(some.examples.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(some.examples[i], all.examples[i * 10]);
  std::map<std::int32_t, std::size_t> counts;
  for (const Example& example : some.examples) ++counts[example.labels[0]];
  EXPECT_GE(counts.size(), 8u) << "a regular choice must not fall on few classes";
}

TEST(ChirpsTags, StreamsHaveTheirLengthsAndAllLabels) {
  for (const auto& [split, steps] : std::map<std::string, std::size_t>{{"validation", 400}, {"test", 2000}}) {
    const Dataset data = load_task("chirps_tags", split);
    expect_well_formed(data);
    std::map<std::int32_t, std::size_t> counts;
    for (const Example& example : data.examples) {
      EXPECT_EQ(example.input.steps, steps);
      for (const std::int32_t label : example.labels) ++counts[label];
    }
    EXPECT_EQ(counts.size(), 11u);
    EXPECT_GT(counts[0], data.step_count() / 5);
    EXPECT_LT(counts[0], data.step_count() / 2);
  }
}

// Labels point at sound: averaged over many steps, the loudest band stands higher above the middle one where a chirp
// is.
TEST(ChirpsTags, LabelsLieOnTheChirps) {
  const Dataset data = load_task("chirps_tags", "validation", {.limit = 10});
  double contrast[2] = {0, 0}, count[2] = {0, 0};
  for (const Example& example : data.examples) {
    for (std::size_t step = 0; step < example.input.steps; ++step) {
      std::vector<float> frame(example.input.values.begin() + static_cast<std::ptrdiff_t>(step * data.features),
                               example.input.values.begin() + static_cast<std::ptrdiff_t>((step + 1) * data.features));
      std::sort(frame.begin(), frame.end());
      const std::size_t kind = example.labels[step] == 0 ? 0 : 1;
      contrast[kind] += static_cast<double>(frame.back() - frame[frame.size() / 2]);
      ++count[kind];
    }
  }
  EXPECT_GT(contrast[1] / count[1], contrast[0] / count[0] + 1);
}

}  // namespace
}  // namespace quaver
