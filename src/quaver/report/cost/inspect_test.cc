#include "quaver/report/cost/inspect.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/test_models.h"
#include "support/random_model.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

constexpr std::uint64_t kIn = 4, kCells = 6, kUnits = 3;

// Float operations by hand, from the equations of lstm/ref.h.
TEST(Inspect, CountsTheFloatLstmAsItsEquationsRead) {
  const Model model = samples::small_model(LstmAttributes{.input_size = 4, .hidden_size = 6}, true);
  const Inspection inspection = inspect(model);
  ASSERT_EQ(inspection.layers.size(), 3u);
  const LayerReport& lstm = inspection.layers[0];
  const std::uint64_t macs = 4 * kCells * (kIn + kCells);
  EXPECT_EQ(lstm.macs, macs);
  EXPECT_EQ(lstm.operations.of(kMultiply, kF32), macs + 3 * kCells);      // f c, i z, o tanh(c)
  EXPECT_EQ(lstm.operations.of(kAdd, kF32), macs + 4 * kCells + kCells);  // bias; f c + i z
  EXPECT_EQ(lstm.operations.f32_curve, 4 * kCells + kCells);              // gates; tanh(c)
  EXPECT_EQ(lstm.state_bytes, 4 * (kCells + kCells));
  const std::uint64_t dense = kUnits * kCells;
  EXPECT_EQ(inspection.macs, macs + dense);
  EXPECT_EQ(inspection.float_ops, lstm.operations.float_ops() + 2 * dense + kUnits);
  EXPECT_EQ(inspection.border_float_ops, 0u);
  EXPECT_DOUBLE_EQ(inspection.energy_gain_vs_f32, 1);
  EXPECT_EQ(inspection.parameters, 4 * kCells * (kIn + kCells + 1) + kUnits * (kCells + 1));
  EXPECT_EQ(inspection.weights_bytes, 4 * inspection.parameters);
}

TEST(Inspect, CountsTheFloatGruAsItsEquationsRead) {
  const Inspection inspection = inspect(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true));
  const OperationCounts& gru = inspection.layers[0].operations;
  const std::uint64_t macs = 3 * kCells * (kIn + kCells);
  EXPECT_EQ(gru.of(kMultiply, kF32), macs + 2 * kCells);
  EXPECT_EQ(gru.of(kAdd, kF32),
            macs + 9 * kCells + 2 * kCells);  // two biases and the sum of the sums; h - n, n + z (h - n)
  EXPECT_EQ(gru.f32_curve, 3 * kCells);
}

TEST(Inspect, FindsNoFloatInsideAnIntegerModel) {
  const samples::RandomSequences sequences = samples::random_sequences(4, 12, 4);
  for (const Operation& cell :
       {Operation(LstmAttributes{.input_size = 4,
       .hidden_size = 6,
       .projection_size = 5,
       .input_forget = true,
       .peephole = true,
       .layer_norm = true,
       .clip = 4,
       .direction = Direction::kBidirectional}),
        Operation(GruAttributes{.input_size = 4, .hidden_size = 6, .linear_before_reset = false}),
        Operation(RnnAttributes{.input_size = 4, .hidden_size = 6})}) {
    const Model in_float = samples::small_model(cell, true);
    const Inspection before = inspect(in_float), after = inspect(samples::quantized(in_float, sequences));
    EXPECT_EQ(after.float_ops, 0u) << operation_name(cell);
    EXPECT_EQ(after.border_float_ops, 5 * kIn + 2 * kUnits) << operation_name(cell);
    EXPECT_EQ(after.macs, before.macs) << operation_name(cell);
    EXPECT_GT(after.energy_gain_vs_f32, 4) << operation_name(cell);
    EXPECT_LT(after.state_bytes, before.state_bytes) << operation_name(cell);
    EXPECT_TRUE(after.float_nodes.empty());
  }
}

// Codes of 16 bits at the input are a second product of the input half.
TEST(Inspect, CountsBothProductsOfAWideInput) {
  Model model = quaver::testing::ModelBuilder::of_ids("m", 3)
                    .add("words", EmbeddingAttributes{20, 6})
                    .add("gru0", GruAttributes{.input_size = 6, .hidden_size = 8})
                    .finish();
  const std::vector<Sequence> data{quaver::testing::random_ids(60, 20, 1)};
  const auto macs_of = [&] {
    const Model integer = quantize(model, calibrate(model, quaver::testing::views(data))).model;
    return inspect(integer).layers[1].macs;
  };
  EXPECT_EQ(macs_of(), 3 * 8 * (6 + 8));
  for (float& value : model.tensors.at("words.W").as_mutable<float>().first(6)) value *= 50;
  EXPECT_EQ(macs_of(), 3 * 8 * (6 + 6 + 8));
}

TEST(Inspect, TablesOfFewBitsAreAsLargeAsTheirCodes) {
  const Model model = quaver::testing::ModelBuilder::of_ids("m", 3)
                          .add("words", EmbeddingAttributes{20, 13})
                          .add("gru0", GruAttributes{.input_size = 13, .hidden_size = 8})
                          .finish();
  const std::vector<Sequence> data{quaver::testing::random_ids(60, 20, 1)};
  const Calibration calibration = calibrate(model, quaver::testing::views(data));
  for (const auto& [scheme, row_bytes] : {std::pair{"int4", 7}, {"quaternary", 4}, {"ternary", 4}, {"binary", 2}}) {
    const Inspection inspection = inspect(quantize(model, calibration, {.overrides = {{"words", scheme}}}).model);
    const LayerReport& words = inspection.layers[0];
    EXPECT_EQ(words.weight_format, type_name(find_scheme(scheme)->weights));
    EXPECT_EQ(words.output_format, "i8");
    EXPECT_EQ(words.bytes, static_cast<std::uint64_t>(20 * row_bytes) + sizeof(float));
    EXPECT_EQ(words.traffic.weights_read, static_cast<std::uint64_t>(row_bytes));
    EXPECT_EQ(inspection.float_ops, 0u);
    EXPECT_EQ(words.operations.float_ops(), 0u);
  }
}

std::uint64_t session_state_bytes(const Model& model) {
  std::uint64_t bytes = 0;
  const State state = Session(model).initial_state();
  for (const StatePart& part : state.layout().parts) bytes += part.count * type_bytes(part.type);
  return bytes;
}

TEST(Inspect, StateBytesAreThoseOfTheSession) {
  const samples::RandomSequences sequences = samples::random_sequences(4, 12, 4);
  for (const Operation& cell : {Operation(LstmAttributes{.input_size = 4, .hidden_size = 6, .projection_size = 5}),
                                Operation(GruAttributes{.input_size = 4, .hidden_size = 6})}) {
    const Model in_float = samples::small_model(cell, true);
    for (const Model& model : {in_float, samples::quantized(in_float, sequences)}) {
      EXPECT_EQ(inspect(model).state_bytes, session_state_bytes(model)) << operation_name(cell) << ' ' << model.scheme;
    }
  }
  // A state that is handed on in 16 bits is kept beside its copy.
  for (const Operation& cell : {Operation(LstmAttributes{.input_size = 4, .hidden_size = 6}),
                                Operation(RnnAttributes{.input_size = 4, .hidden_size = 6})}) {
    Model model = quaver::testing::ModelBuilder::of_ids("m", 3)
                      .add("words", EmbeddingAttributes{20, 4})
                      .add("cell", cell)
                      .finish();
    for (float& value : model.tensors.at("words.W").as_mutable<float>().first(4)) value *= 50;
    const std::vector<Sequence> data{quaver::testing::random_ids(60, 20, 1)};
    const Model integer = quantize(model, calibrate(model, quaver::testing::views(data))).model;
    ASSERT_EQ(integer.node("cell").outputs[0].format.kind, NumberType::kI16);
    EXPECT_EQ(inspect(integer).state_bytes, session_state_bytes(integer)) << operation_name(cell);
  }
}

TEST(Inspect, NamesFloatIslandsAndCountsTheirEdges) {
  const samples::RandomSequences sequences = samples::random_sequences(4, 12, 4);
  QuantizeOptions options;
  options.ignore = {"scores"};
  options.allow_float = true;
  const Model model = samples::quantized(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true),
                                         sequences, options);
  const Inspection inspection = inspect(model);
  EXPECT_EQ(inspection.float_nodes, std::vector<std::string>{"scores"});
  EXPECT_GE(inspection.float_ops, 2 * kUnits * kCells + kUnits + 2 * kCells);
}

TEST(Inspect, JsonHasTheKeysThatProgramsReadAndTextTheFigure) {
  const Inspection inspection = inspect(samples::integer_tagger(), 4321);
  const auto json = to_json(inspection);
  for (const char* key : {"bytes", "weights_bytes", "state_bytes", "macs", "float_ops", "scheme", "layers", "energy_pj",
                          "energy_gain_vs_f32"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["bytes"], 4321);
  EXPECT_EQ(json["layers"].size(), 7u);
  EXPECT_NE(to_text(inspection).find("float_ops: "), std::string::npos);
}

}  // namespace
}  // namespace quaver
