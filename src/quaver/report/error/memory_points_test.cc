#include "quaver/report/error/memory_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "quaver/core/error.h"
#include "quaver/report/memory_samples.h"

namespace quaver {
namespace {

const MemoryScheme kDot{.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 5};
const MemoryScheme kHamming{.arithmetic = MemoryArithmetic::kFixed,
                            .integer_bits = 2,
                            .similarity = MemorySimilarity::kHamming,
                            .hop_formats = true};

TEST(MemoryPoints, NamesFollowTheQuestionThroughTheHops) {
  const samples::MemoryQuestions asked = samples::memory_questions(samples::kMemoryShape, 7);
  for (const MemoryScheme& scheme : {MemoryScheme{}, kDot, kHamming}) {
    const MemoryNetwork network = samples::memory_network(samples::kMemoryShape, scheme);
    MemoryProbe probe(network);
    probe.ask(asked.questions[4]);
    std::vector<std::string> names;
    for (const MemoryPoint& point : probe.points()) names.push_back(point.name);
    ASSERT_EQ(names.size(), 2u + 6 * 3);
    EXPECT_EQ(names[0], "question");
    EXPECT_EQ(names[1], "hop1.m");
    EXPECT_EQ(names[18], "hop3.u");
    EXPECT_EQ(names[19], "scores");
    EXPECT_EQ(probe.similarity(1).name, "hop2.similarity");
    EXPECT_EQ(probe.similarity(1).values.size(), 4u);
    EXPECT_EQ(probe.points()[1].values.size(), 4u * 5);
  }
}

// Fifteen bits are near enough to float that a point in wrong units or place would stand out.
TEST(MemoryPoints, FixedValuesAreThoseOfFloatButForTheirSteps) {
  const samples::MemoryQuestions asked = samples::memory_questions(samples::kMemoryShape, 7);
  for (const MemoryTying tying : {MemoryTying::kLayerwise, MemoryTying::kAdjacent}) {
    MemN2NShape shape = samples::kMemoryShape;
    shape.tying = tying;
    const MemoryNetwork in_float = samples::memory_network(shape, {}, 0.2);
    MemoryNetwork fixed = in_float;
    fixed.scheme = {.arithmetic = MemoryArithmetic::kFixed, .bits = 15, .integer_bits = 3};
    MemoryProbe first(in_float), second(fixed);
    for (const MemoryQuestion& question : asked.questions) {
      first.ask(question);
      second.ask(question);
      EXPECT_EQ(first.answer(), second.answer());
      ASSERT_EQ(first.points().size(), second.points().size());
      for (std::size_t i = 0; i < first.points().size(); ++i) {
        const MemoryPoint &a = first.points()[i], &b = second.points()[i];
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(b.saturated, 0u);
        ASSERT_EQ(a.values.size(), b.values.size()) << a.name;
        for (std::size_t j = 0; j < a.values.size(); ++j) EXPECT_NEAR(a.values[j], b.values[j], 0.03) << a.name;
      }
    }
  }
}

TEST(MemoryPoints, CodesAtTheEndOfTheirFormatAreCounted) {
  const samples::MemoryQuestions asked = samples::memory_questions(samples::kMemoryShape, 7);
  const MemoryNetwork network = samples::memory_network(samples::kMemoryShape, kDot, 20);
  MemoryProbe probe(network);
  probe.ask(asked.questions[6]);
  EXPECT_DOUBLE_EQ(*probe.similarity_limit(), 127 / 4.0);
  for (std::size_t hop = 0; hop < 3; ++hop) {
    std::uint64_t at_end = 0;
    for (const float value : probe.similarity(hop).values) at_end += std::abs(value) >= 127 / 4.0f ? 1u : 0u;
    EXPECT_EQ(probe.similarity(hop).saturated, at_end);
    EXPECT_GT(at_end, 0u);
  }
}

TEST(SimilarityHistograms, HoldEverySimilarityOnce) {
  const samples::MemoryQuestions asked = samples::memory_questions(samples::kMemoryShape, 14);
  for (const MemoryScheme& scheme : {MemoryScheme{}, kDot, kHamming}) {
    const auto histograms =
        similarity_histograms(samples::memory_network(samples::kMemoryShape, scheme), asked.questions, 16);
    ASSERT_EQ(histograms.size(), 3u);
    for (const SimilarityHistogram& histogram : histograms) {
      EXPECT_EQ(histogram.count, 2u * (1 + 2 + 3 + 4 + 5 + 6));
      EXPECT_EQ(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0}), histogram.count);
      EXPECT_EQ(histogram.limit.has_value(), scheme.is_fixed());
      EXPECT_LE(histogram.largest, histogram.high);
      EXPECT_GE(histogram.smallest, histogram.low);
      EXPECT_EQ(to_json(histogram)["limit"].is_null(), !scheme.is_fixed());
    }
  }
}

TEST(SimilarityHistograms, ShowWhatTheDotProductLosesAndTheHammingSimilarityDoesNot) {
  const samples::MemoryQuestions asked = samples::memory_questions(samples::kMemoryShape, 14);
  const auto percent = [&](const MemoryScheme& scheme) {
    return similarity_histograms(samples::memory_network(samples::kMemoryShape, scheme, 10), asked.questions, 8)[0]
        .saturated_percent();
  };
  EXPECT_GT(percent(kDot), 50);
  EXPECT_EQ(percent(kHamming), 0);  // |S_H| <= d / 8 = 0.625, its limit is 4
}

TEST(SimilarityHistograms, CornersAreDefined) {
  const MemoryNetwork network = samples::memory_network(samples::kMemoryShape, {});
  const auto none = similarity_histograms(network, {}, 4);
  ASSERT_EQ(none.size(), 3u);
  EXPECT_EQ(none[0].count, 0u);
  EXPECT_EQ(none[0].saturated_percent(), 0);
  const samples::MemoryQuestions empty = samples::memory_questions(samples::kMemoryShape, 1);
  EXPECT_EQ(similarity_histograms(network, empty.questions, 4)[2].count, 0u);
  EXPECT_THROW(similarity_histograms(network, {}, 0), Error);
}

}  // namespace
}  // namespace quaver
