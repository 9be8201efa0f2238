#include "quaver/report/error/memory_compare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/error/memory_points.h"
#include "quaver/report/memory_samples.h"

namespace quaver {
namespace {

using samples::kMemoryShape;

// Answers are what the float network says, so that it makes no error.
struct Case {
  explicit Case(const MemoryNetwork& network) : asked(samples::memory_questions(network.shape, 14)) {
    MemoryProbe probe(network);
    for (const MemoryQuestion& question : asked.questions) {
      probe.ask(question);
      questions.push_back({question, static_cast<std::int32_t>(probe.answer())});
    }
  }
  samples::MemoryQuestions asked;
  std::vector<AnsweredQuestion> questions;
};

MemoryNetwork with_scheme(MemoryNetwork network, const std::string& name) {
  network.scheme = memory_scheme_from_name(name);
  return network;
}

const MemoryPointError& point(const MemoryComparison& comparison, const std::string& name) {
  for (const auto* points : {&comparison.layers, &comparison.outputs})
    for (const MemoryPointError& error : *points)
      if (error.name == name) return error;
  throw std::runtime_error("no point " + name);
}

TEST(MemoryCompare, ANetworkPartsNowhereFromItself) {
  const MemoryNetwork network = samples::memory_network(kMemoryShape, {});
  const Case asked(network);
  const MemoryComparison comparison = compare(network, network, asked.questions);
  EXPECT_EQ(comparison.questions, 14u);
  EXPECT_EQ(comparison.changed + comparison.lost + comparison.gained, 0u);
  EXPECT_EQ(comparison.quantized_error, 0);
  EXPECT_EQ(comparison.layers.size(), 1u + 6 * 3);
  for (const MemoryPointError& error : comparison.layers) EXPECT_EQ(error.sqnr_db, kEqualDb) << error.name;
  EXPECT_EQ(*point(comparison, "scores").agreement, 100);
  EXPECT_EQ(*point(comparison, "hop2.p").agreement, 100);
  EXPECT_EQ(point(comparison, "hop3.m").count, 2 * (1 + 2 + 3 + 4 + 5 + 6) * 5u);
  EXPECT_EQ(comparison.sizes, (QuestionSizes{14, 42, 42 * 4, 14 * 4}));
}

TEST(MemoryCompare, ErrorsAreSumsOverTheQuestions) {
  const MemoryNetwork reference = samples::memory_network(kMemoryShape, {}, 0.8);
  const MemoryNetwork quantized = with_scheme(reference, "fixed8");
  const Case asked(reference);
  const MemoryComparison comparison = compare(reference, quantized, asked.questions);
  EXPECT_TRUE(comparison.same_weights);
  MemoryProbe first(reference), second(quantized);
  double noise = 0, most = 0;
  std::size_t count = 0, changed = 0;
  for (const AnsweredQuestion& question : asked.questions) {
    first.ask(question.question);
    second.ask(question.question);
    changed += first.answer() != second.answer();
    for (std::size_t i = 0; i < first.similarity(1).values.size(); ++i, ++count) {
      const double error = static_cast<double>(first.similarity(1).values[i]) - second.similarity(1).values[i];
      noise += error * error;
      most = std::max(most, std::abs(error));
    }
  }
  const MemoryPointError& similarity = point(comparison, "hop2.similarity");
  EXPECT_EQ(similarity.count, count);
  EXPECT_DOUBLE_EQ(similarity.max_abs, most);
  EXPECT_NEAR(similarity.rmse, std::sqrt(noise / static_cast<double>(count)), 1e-12);
  EXPECT_EQ(comparison.changed, changed);
  EXPECT_EQ(comparison.lost, changed) << "the float answers are the right ones";
  EXPECT_NEAR(comparison.quantized_error, 100.0 * static_cast<double>(changed) / 14, 1e-9);
  EXPECT_GT(comparison.energy.gain(), 1);
}

TEST(MemoryCompare, ScaledIntegersAreHeldAgainstTheFloatNetworkTheyWereMadeOf) {
  const MemoryNetwork reference = samples::memory_network(kMemoryShape, {}, 0.5);
  const Case asked(reference);
  const MemoryNetwork quantized = quantize_memory(reference, memory_scheme_from_name("int8"), asked.asked.questions);
  ASSERT_NE(quantized.parameters, reference.parameters) << "those are codes";
  const MemoryComparison comparison = compare(reference, quantized, asked.questions);
  EXPECT_TRUE(comparison.same_weights);
  EXPECT_GT(point(comparison, "hop1.m").sqnr_db, 25);
  EXPECT_GT(comparison.energy.gain(), 1);
  MemoryNetwork retrained = quantized;
  retrained.parameters[60] += 8 * quantized.scales.weights[0];
  const MemoryComparison apart = compare(reference, retrained, asked.questions);
  EXPECT_FALSE(apart.same_weights);
  EXPECT_LT(point(apart, "hop1.m").rmse, point(comparison, "hop1.m").rmse) << "against its own weights";
}

TEST(MemoryCompare, WeightsTrainedApartAreHeldAgainstThemselves) {
  const MemoryNetwork reference = samples::memory_network(kMemoryShape, {}, 0.5);
  MemoryNetwork quantized = with_scheme(reference, "fixed8");
  for (float& value : quantized.parameters) value *= -1.5f;
  const Case asked(reference);
  const MemoryComparison comparison = compare(reference, quantized, asked.questions);
  EXPECT_FALSE(comparison.same_weights);
  MemoryNetwork own = quantized;
  own.scheme = {};
  const MemoryComparison alone = compare(own, quantized, asked.questions);
  EXPECT_TRUE(alone.same_weights);
  EXPECT_EQ(point(comparison, "hop1.m").rmse, point(alone, "hop1.m").rmse);
  EXPECT_EQ(comparison.own_float_error, alone.reference_error);
  EXPECT_EQ(comparison.quantized_error, alone.quantized_error);
  EXPECT_NE(to_text(comparison).find("trained apart"), std::string::npos);
}

TEST(MemoryCompare, AnUnknownAnswerIsWrongForBoth) {
  const MemoryNetwork network = samples::memory_network(kMemoryShape, {});
  Case asked(network);
  for (AnsweredQuestion& question : asked.questions) question.answer = 0;
  const MemoryComparison comparison = compare(network, with_scheme(network, "qmann8"), asked.questions);
  EXPECT_EQ(comparison.reference_error, 100);
  EXPECT_EQ(comparison.quantized_error, 100);
  EXPECT_EQ(comparison.lost + comparison.gained, 0u);
}

TEST(MemoryCompare, WhatIsNotOneNetworkIsRefusedByItsDifference) {
  const MemoryNetwork network = samples::memory_network(kMemoryShape, {});
  const Case asked(network);
  const auto refused = [&](const auto& change, const std::string& word) {
    MemoryNetwork other = with_scheme(network, "fixed8");
    change(other);
    try {
      compare(network, other, asked.questions);
      FAIL() << word;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused([](MemoryNetwork& other) { other.words[3] = "other"; }, "'w3' in the first network and 'other'");
  refused([](MemoryNetwork& other) { other.shape.hops = 2; }, "hops: 3, the second 2");
  refused([](MemoryNetwork& other) { other.shape.tying = MemoryTying::kAdjacent; }, "tying layerwise");
  refused([](MemoryNetwork& other) { other.shape.temporal = false; }, "ages");
  refused([](MemoryNetwork& other) { other.shape.slots = 50; }, "slots: 0, the second 50");
  EXPECT_THROW(compare(with_scheme(network, "fixed8"), network, asked.questions), Error);
  EXPECT_THROW(compare(network, network, {}), Error);
}

TEST(MemoryCompare, JsonHasTheKeysThatProgramsRead) {
  const MemoryNetwork network = samples::memory_network(kMemoryShape, {});
  const Case asked(network);
  const auto json = to_json(compare(network, with_scheme(network, "qmann8"), asked.questions));
  for (const char* key : {"outputs", "layers"})
    for (const char* entry : {"name", "max_abs", "rmse", "sqnr_db", "saturated"})
      EXPECT_TRUE(json[key][0].contains(entry)) << entry;
  EXPECT_TRUE(json["energy"].contains("energy_gain_vs_f32"));
}

}  // namespace
}  // namespace quaver
