#include "quaver/train/recurrent/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quaver/core/text.h"

namespace quaver {
namespace {

// Frame t of example e is {1000 e + t, -t}, its tag t % 3.
Dataset counting_data(const std::vector<std::size_t>& lengths) {
  Dataset data{.task = "counting", .split = "train", .target = Target::kTags, .features = 2, .vocabulary = 0};
  data.classes = {"0", "1", "2"};
  for (std::size_t e = 0; e < lengths.size(); ++e) {
    Example example{.name = concat("counting/", e)};
    example.input.steps = lengths[e];
    example.input.features = 2;
    for (std::size_t t = 0; t < lengths[e]; ++t) {
      example.input.values.push_back(static_cast<float>(1000 * e + t));
      example.input.values.push_back(-static_cast<float>(t));
      example.labels.push_back(static_cast<std::int32_t>(t % 3));
    }
    data.examples.push_back(std::move(example));
  }
  return data;
}

Shard shard(const Dataset& data, const std::vector<std::size_t>& examples, const FeatureStatistics& statistics,
            const Augmentation& augmentation = {}, const Random& random = Random(0)) {
  return make_shard(data, examples, statistics, augmentation, random);
}

const FeatureStatistics kPlain{{0.0f, 0.0f}, {1.0f, 1.0f}};

TEST(Packing, PutsRunningSequencesFirst) {
  const Packing packing({4, 2, 2, 1});
  EXPECT_EQ(packing.steps(), 4u);
  EXPECT_EQ(packing.rows(), 9u);
  EXPECT_EQ(packing.offsets, (std::vector<std::size_t>{0, 4, 7, 8, 9}));
  EXPECT_EQ(packing.running(1), 3u);
  EXPECT_EQ(packing.row(1, 2), 6u);
  EXPECT_EQ(Packing({3}).offsets, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(Batches, CoverTheDataOnceAndFollowTheSeed) {
  std::vector<std::size_t> lengths;
  for (std::size_t e = 0; e < 101; ++e) lengths.push_back(1 + (e * 37) % 50);
  const auto batches = shuffled_batches(lengths, 8, Random(1));
  EXPECT_EQ(batches.size(), 13u);
  std::vector<std::size_t> seen;
  for (const auto& batch : batches) {
    EXPECT_LE(batch.size(), 8u);
    seen.insert(seen.end(), batch.begin(), batch.end());
  }
  std::ranges::sort(seen);
  for (std::size_t e = 0; e < seen.size(); ++e) EXPECT_EQ(seen[e], e);
  EXPECT_EQ(batches, shuffled_batches(lengths, 8, Random(1)));
  EXPECT_NE(batches, shuffled_batches(lengths, 8, Random(2)));
}

TEST(Batches, PackNormaliseAndSort) {
  const Dataset data = counting_data({2, 3});
  const Shard found = shard(data, {0, 1}, {{1.0f, 0.0f}, {2.0f, 1.0f}});
  EXPECT_EQ(found.examples, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(found.packing->lengths, (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(found.values, (std::vector<float>{1998, 0, -2, 0, 2000, -1, 0, -1, 2002, -2}));
  EXPECT_EQ(found.labels, (std::vector<std::int32_t>{0, 0, 1, 1, 2}));
}

TEST(Batches, StretchMovesTagsWithTheirFrames) {
  const Dataset data = counting_data({40});
  bool changed = false;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Shard found = shard(data, {0}, kPlain, {.time_stretch = 0.3}, Random(seed));
    const std::size_t steps = found.packing->steps();
    EXPECT_GE(steps, 30u);
    EXPECT_LE(steps, 58u);
    changed |= steps != 40;
    for (std::size_t t = 0; t < steps; ++t) {
      const double time = -found.values[2 * t + 1];  // in frames of the example
      EXPECT_GE(time, 0);
      EXPECT_LE(time, 39);
      const double nearest = std::floor(time + 0.5);
      if (std::abs(std::abs(time - nearest) - 0.5) > 1e-3) {
        EXPECT_EQ(found.labels[t], static_cast<std::int32_t>(nearest) % 3) << "step " << t;
      }
    }
  }
  EXPECT_TRUE(changed);
}

TEST(Batches, AnExampleIsAugmentedAlikeInAnyBatch) {
  const Dataset data = counting_data({6, 6, 6});
  const Augmentation all{
      .input_noise = 0.1, .level_shift = 0.1, .time_stretch = 0.1, .time_mask = 0.5, .feature_mask = 0.5};
  const Shard alone = shard(data, {2}, kPlain, all, Random(3)), again = shard(data, {2}, kPlain, all, Random(3));
  const Shard other = shard(data, {2}, kPlain, all, Random(4));
  EXPECT_EQ(alone.values, again.values);
  EXPECT_NE(alone.values, other.values);
  const Shard together = shard(data, {0, 2, 1}, kPlain, all, Random(3));
  const auto place = std::ranges::find(together.examples, 2u);
  ASSERT_NE(place, together.examples.end());
  const auto s = static_cast<std::size_t>(place - together.examples.begin());
  ASSERT_EQ(together.packing->lengths[s], alone.packing->steps());
  for (std::size_t t = 0; t < alone.packing->steps(); ++t)
    for (std::size_t j = 0; j < 2; ++j)
      EXPECT_EQ(together.values[together.packing->row(t, s) * 2 + j], alone.values[t * 2 + j]);
}

TEST(Batches, ShiftMovesFeatures) {
  Dataset data{.task = "ramp", .split = "train", .target = Target::kClass, .features = 8, .vocabulary = 0};
  data.classes = {"0"};
  Example example{.name = "ramp", .input = {.steps = 1, .features = 8}, .labels = {0}};
  for (int j = 0; j < 8; ++j) example.input.values.push_back(static_cast<float>(j));
  data.examples = {example};
  const FeatureStatistics plain{std::vector<float>(8, 0.0f), std::vector<float>(8, 1.0f)};
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const std::vector<float> values = shard(data, {0}, plain, {.feature_shift = 0.25}, Random(seed)).values;
    // A ramp that is moved is lower by the same everywhere but at its ends.
    const float moved = 4 - values[4];
    EXPECT_LE(std::abs(moved), 2.0f);
    EXPECT_NE(moved, 0.0f);
    EXPECT_NEAR(values[3], 3 - moved, 1e-5f);
    EXPECT_NEAR(values[5], 5 - moved, 1e-5f);
    EXPECT_GE(values[0], 0.0f);
    EXPECT_LE(values[7], 7.0f);
  }
}

TEST(Batches, TargetsOfEveryKindFindTheirRows) {
  Dataset data = counting_data({2, 3});
  data.target = Target::kRealSteps;
  data.outputs = 2;
  for (Example& each : data.examples) {
    each.labels.clear();
    for (std::size_t t = 0; t < each.input.steps; ++t)
      for (const float sign : {1.0f, -1.0f}) each.targets.push_back(sign * static_cast<float>(t));
  }
  EXPECT_EQ(shard(data, {0, 1}, kPlain).reals, (std::vector<float>{0, 0, 0, 0, 1, -1, 1, -1, 2, -2}));
  data.target = Target::kReals;
  for (Example& each : data.examples) each.targets.resize(2, 0.0f);
  data.examples[1].targets = {5, 6};
  EXPECT_EQ(shard(data, {0, 1}, kPlain).reals, (std::vector<float>{5, 6, 0, 0})) << "longest first";
}

TEST(Batches, MasksSetToTheMean) {
  const Dataset data = counting_data({50});
  std::size_t masked = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Shard found = shard(data, {0}, {{-1.0f, 1.0f}, {1.0f, 1.0f}}, {.time_mask = 0.4}, Random(seed));
    std::size_t zeros = 0;
    for (std::size_t t = 0; t < 50; ++t) zeros += found.values[2 * t] == 0 && found.values[2 * t + 1] == 0;
    EXPECT_LE(zeros, 20u);
    masked += zeros;
  }
  EXPECT_GT(masked, 30u);
}

}  // namespace
}  // namespace quaver
