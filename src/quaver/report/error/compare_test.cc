#include "quaver/report/error/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "quaver/core/error.h"
#include "quaver/report/test_models.h"

namespace quaver {
namespace {

const PointError& find(const std::vector<PointError>& points, const std::string& name) {
  for (const PointError& point : points)
    if (point.name == name) return point;
  throw std::runtime_error("no point " + name);
}

TEST(Compare, AModelEqualsItself) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  const samples::RandomSequences sequences = samples::random_sequences(3, 20, 4);
  const Comparison comparison = compare(model, model, sequences.views);
  EXPECT_EQ(comparison.sequences, 3u);
  EXPECT_EQ(comparison.steps, 60u);
  EXPECT_FALSE(comparison.first_part);
  for (const auto* list : {&comparison.outputs, &comparison.layers, &comparison.gates}) {
    EXPECT_FALSE(list->empty());
    for (const PointError& point : *list) {
      EXPECT_EQ(point.sqnr_db, kEqualDb) << point.name;
      EXPECT_EQ(point.max_abs, 0) << point.name;
      EXPECT_GT(point.count, 0u) << point.name;
    }
  }
  EXPECT_EQ(comparison.outputs[0].agreement, 100);
}

// The figures of the output, computed here from the results of both sessions.
TEST(Compare, OutputFiguresAreThoseOfTheDefinition) {
  const Model model = samples::small_model(LstmAttributes{.input_size = 4, .hidden_size = 6}, false);
  const samples::RandomSequences sequences = samples::random_sequences(5, 33, 4);
  const Model integer = samples::quantized(model, sequences);
  Session first(model), second(integer);
  double signal = 0, noise = 0, largest = 0, last_signal = 0, last_noise = 0, count = 0;
  for (const SequenceView& view : sequences.views) {
    const std::vector<float> f = first.run(view)[0].real(), q = second.run(view)[0].real();
    for (std::size_t j = 0; j < f.size(); ++j) {
      const double error = static_cast<double>(f[j]) - static_cast<double>(q[j]);
      signal += static_cast<double>(f[j]) * static_cast<double>(f[j]);
      noise += error * error;
      largest = std::max(largest, std::abs(error));
      ++count;
      if (j < f.size() - 3) continue;
      last_signal += static_cast<double>(f[j]) * static_cast<double>(f[j]);
      last_noise += error * error;
    }
  }
  const Comparison comparison = compare(model, integer, sequences.views);
  const PointError& output = comparison.outputs.at(0);
  EXPECT_EQ(output.count, static_cast<std::uint64_t>(count));
  EXPECT_DOUBLE_EQ(output.max_abs, largest);
  EXPECT_NEAR(output.rmse, std::sqrt(noise / count), 1e-12);
  EXPECT_NEAR(output.sqnr_db, 10 * std::log10(signal / noise), 1e-9);
  EXPECT_NEAR(output.sqnr_last_db, 10 * std::log10(last_signal / last_noise), 1e-9);
  // The layer that makes the output says the same.
  const PointError& layer = find(comparison.layers, "scores");
  EXPECT_EQ(layer.count, output.count);
  EXPECT_NEAR(layer.sqnr_db, output.sqnr_db, 1e-4);
  EXPECT_EQ(layer.saturated, output.saturated);
  ASSERT_EQ(layer.steps.size(), 33u);
}

TEST(Compare, ListsEveryLayerAndGate) {
  const Model model = samples::small_model(LstmAttributes{.input_size = 4,
                                                          .hidden_size = 6,
                                                          .projection_size = 5,
                                                          .layer_norm = true,
                                                          .direction = Direction::kBidirectional},
                                           true);
  const samples::RandomSequences sequences = samples::random_sequences(4, 9, 4);
  const Comparison comparison = compare(model, samples::quantized(model, sequences), sequences.views);
  for (const char* name : {"input", "cell", "cell_reverse", "pool", "scores"}) find(comparison.layers, name);
  for (const char* point : {"gate_i", "pre_f", "act_o", "cell", "hidden", "pre_c_reverse", "cell_reverse"})
    EXPECT_GT(find(comparison.gates, std::string("cell.") + point).sqnr_db, 10) << point;
  EXPECT_EQ(find(comparison.layers, "pool").count, 4u * 10u);  // once a sequence
  ASSERT_EQ(comparison.last_hidden.size(), 2u);
  EXPECT_EQ(comparison.last_hidden[1].name, "cell.output_reverse");
  EXPECT_GT(comparison.last_hidden[0].sqnr_last_db, 15);
}

TEST(Compare, LongStreamsAreComparedChunkByChunkAndTellDrift) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  const samples::RandomSequences sequences = samples::random_sequences(2, 1100, 4);
  const Comparison comparison = compare(model, samples::quantized(model, sequences), sequences.views);
  const PointError& state = find(comparison.gates, "cell.state");
  EXPECT_EQ(state.count, 2u * 1100u * 6u);
  ASSERT_TRUE(state.drift);
  EXPECT_LT(state.drift->ratio, 2);
  EXPECT_LE(state.steps.size(), kMaxCurve);
  EXPECT_EQ(state.steps.back().step + state.steps.back().width, 1100u);
  EXPECT_EQ(comparison.outputs[0].count, 2u * 3u);  // pooled: the end of the stream alone
  EXPECT_EQ(comparison.last_hidden.at(0).name, "cell.state");
}

TEST(Compare, CountsSaturatedCodes) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, false);
  samples::RandomSequences sequences = samples::random_sequences(2, 30, 4);
  const Model integer = samples::quantized(model, sequences);
  for (auto& values : sequences.values)
    for (float& value : values) value *= 8;  // far outside the calibrated range
  const Comparison comparison = compare(model, integer, sequences.views);
  EXPECT_GT(find(comparison.layers, "input").saturated, 2u * 30u * 4u / 2);
}

TEST(Compare, RefusesModelsOfDifferentNetworksAndNoData) {
  const Model gru = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  const Model larger = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 7}, true);
  const samples::RandomSequences sequences = samples::random_sequences(1, 5, 4);
  EXPECT_THROW(compare(gru, larger, sequences.views), Error);
  EXPECT_THROW(compare(gru, gru, {}), Error);
  const std::vector<SequenceView> empty(1);
  EXPECT_THROW(compare(gru, gru, empty), Error);
}

TEST(Compare, JsonHasTheKeysThatProgramsRead) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  const samples::RandomSequences sequences = samples::random_sequences(3, 20, 4);
  const Comparison comparison = compare(model, samples::quantized(model, sequences), sequences.views);
  const auto json = to_json(comparison);
  for (const char* list : {"outputs", "layers", "gates"}) {
    for (const auto& point : json.at(list)) {
      for (const char* key : {"name", "max_abs", "rmse", "sqnr_db", "saturated", "sqnr_last_db"})
        EXPECT_TRUE(point.contains(key)) << list << ' ' << key;
    }
  }
  EXPECT_NE(to_text(comparison).find("last hidden cell.state: "), std::string::npos);
}

}  // namespace
}  // namespace quaver
