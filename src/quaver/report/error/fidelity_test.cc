#include "quaver/report/error/fidelity.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quaver/report/error/compare.h"
#include "quaver/report/test_models.h"

namespace quaver {
namespace {

const samples::RandomSequences& sequences() {
  static const samples::RandomSequences kSequences = samples::random_sequences(6, 20, 4);
  return kSequences;
}

TEST(Fidelity, OutputsHaveTheFiguresOfCompare) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, false);
  const Model integer = samples::quantized(model, sequences());
  const Fidelity fidelity = measure_fidelity(model, integer, sequences().views);
  const Comparison comparison = compare(model, integer, sequences().views);
  ASSERT_EQ(fidelity.outputs.size(), 1u);
  EXPECT_EQ(fidelity.outputs[0].name, "scores");
  EXPECT_EQ(fidelity.outputs[0].sqnr_db, comparison.outputs[0].sqnr_db);
  EXPECT_EQ(fidelity.outputs[0].agreement, comparison.outputs[0].agreement);
  EXPECT_EQ(fidelity.sequences, 6u);
  EXPECT_EQ(fidelity.given, 6u);
  EXPECT_EQ(fidelity.steps, 120u);
  EXPECT_TRUE(fidelity.warnings.empty());
  const auto json = to_json(fidelity.outputs);
  EXPECT_EQ(json[0]["sqnr_db"], comparison.outputs[0].sqnr_db);
  EXPECT_NE(to_text(fidelity).find("on 6 of 6 calibration sequences, 120 steps"), std::string::npos)
      << to_text(fidelity);
}

TEST(Fidelity, WorkIsBounded) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  const Model integer = samples::quantized(model, sequences());
  const Fidelity few = measure_fidelity(model, integer, sequences().views, {.most_sequences = 2});
  EXPECT_EQ(few.sequences, 2u);
  EXPECT_EQ(few.given, 6u);
  const Fidelity cut = measure_fidelity(model, integer, sequences().views, {.most_steps = 25});
  EXPECT_EQ(cut.sequences, 6u);  // 4 steps each, and 5
  EXPECT_EQ(cut.steps, 25u);
}

// What is lost late in long sequences is seen.
TEST(Fidelity, LongSequencesAreMeasuredToTheirEnd) {
  const Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, false);
  Random random(4);
  std::vector<float> values(2000 * 4);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>((i < values.size() * 3 / 4 ? 0.001 : 1.0) * random.normal());
  const std::vector<SequenceView> views{{2000, values, {}, {}}};
  Model integer = samples::quantized(model, sequences());
  const double whole = compare(model, integer, views).outputs[0].sqnr_db;
  const double measured = *measure_fidelity(model, integer, views, {.most_steps = 512}).outputs[0].sqnr_db;
  EXPECT_NEAR(measured, whole, 4);
}

// One score far larger than the others takes their codes: decibels do not show it, answers do.
TEST(Fidelity, NamesAnOutputWhoseClassesChange) {
  Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, false);
  model.tensors.at("scores.b").as_mutable<float>()[2] = -1e5f;
  const Fidelity fidelity = measure_fidelity(model, samples::quantized(model, sequences()), sequences().views);
  const auto warning = std::ranges::find(fidelity.warnings, "low_agreement", &Warning::code);
  ASSERT_NE(warning, fidelity.warnings.end());
  EXPECT_EQ(warning->node, "scores");
  EXPECT_LT(*warning->value, kLowestAgreement);
}

TEST(Fidelity, AnOutputOfIndicesShowsTheShareOfEqualAnswers) {
  Model model = samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true);
  samples::append(model, "answer", ArgmaxAttributes{}, "f32", {NumberType::kI32, 1.0f, 0});
  model.outputs = {"answer"};
  const Fidelity fidelity = measure_fidelity(model, samples::quantized(model, sequences()), sequences().views);
  EXPECT_FALSE(fidelity.outputs[0].sqnr_db.has_value());
  EXPECT_EQ(fidelity.outputs[0].agreement, 100);
  EXPECT_TRUE(to_json(fidelity.outputs)[0]["sqnr_db"].is_null());
}

// A damaged matrix of the second cell: the output falls below the limit and the first damaged point is named.
TEST(Fidelity, NamesThePointWhereAnOutputIsLost) {
  Model model;
  model.name = "two cells";
  model.inputs = {{"input", {{4}, true, {}}}};
  samples::append(model, "sound", GruAttributes{.input_size = 4, .hidden_size = 6}, "f32", {});
  samples::append(model, "damaged", GruAttributes{.input_size = 6, .hidden_size = 6}, "f32", {});
  samples::append(model, "scores", DenseAttributes{.input_size = 6, .units = 3}, "f32", {});
  samples::fill_tensors(model, 7);
  model.outputs = {"scores"};
  Model integer = samples::quantized(model, sequences());
  for (std::int8_t& code : integer.tensors.at("damaged.W").as_mutable<std::int8_t>()) code = 0;
  const Fidelity fidelity = measure_fidelity(model, integer, sequences().views);
  ASSERT_EQ(fidelity.warnings.size(), 1u);
  const Warning& warning = fidelity.warnings[0];
  EXPECT_EQ(warning.code, "low_sqnr");
  EXPECT_EQ(warning.node, "damaged");
  EXPECT_EQ(warning.point.substr(0, 4), "pre_") << warning.point;
  EXPECT_EQ(warning.limit, 25);
  EXPECT_EQ(warning.value, fidelity.outputs[0].sqnr_db);
  EXPECT_NE(warning.text.find("'scores'"), std::string::npos) << warning.text;
  const auto json = to_json(fidelity.warnings);
  for (const char* key : {"code", "node", "point", "value", "limit", "text"}) EXPECT_TRUE(json[0].contains(key)) << key;
}

}  // namespace
}  // namespace quaver
