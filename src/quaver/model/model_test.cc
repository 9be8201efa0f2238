#include "quaver/model/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/sample_models.h"

namespace quaver {
namespace {

using samples::append;

// The error's text, or "" when nothing is thrown.
std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    return error.what();
  }
  return "";
}

TEST(Format, NamesGoBothWays) {
  for (const NumberType kind : {NumberType::kF32, NumberType::kI8, NumberType::kI16, NumberType::kI32})
    EXPECT_EQ(value_type_from_name(type_name(kind)), kind);
  EXPECT_EQ(error_of([] { value_type_from_name("i4"); }), "unknown format 'i4'; the formats are f32, i8, i16, i32");
}

TEST(Tensor, IsAValueWithTypedViews) {
  const std::vector<std::int16_t> codes{1, -2, 3, -4, 5, -6};
  Tensor tensor = Tensor::from<std::int16_t>({3, 2}, codes);
  EXPECT_EQ(tensor.element_count(), 6);
  EXPECT_EQ(tensor.row_size(), 2);
  EXPECT_EQ(tensor.matrix<std::int16_t>()(2, 1), -6);
  EXPECT_EQ(tensor.scales, std::vector<float>{1.0f});
  tensor.scales = {0.5f, 0.25f, 2.0f};
  EXPECT_EQ(tensor.scale_of_row(1), 0.25f);
  const Tensor copy = tensor;
  tensor.as_mutable<std::int16_t>()[0] = 9;
  EXPECT_NE(copy, tensor);
  EXPECT_EQ(error_of([&] { tensor.as<float>(); }), "tensor of shape 3x2 holds i16, expected f32");
}

TEST(Tensor, ScalesCoverConsecutiveRows) {
  Tensor tensor = Tensor::zeros(NumberType::kI8, {6, 1});
  tensor.scales = {1.0f, 2.0f, 3.0f};
  for (std::int64_t row = 0; row < 6; ++row) EXPECT_EQ(tensor.scale_of_row(row), static_cast<float>(row / 2 + 1));
}

TEST(Tensor, PacksFourBitsTwoAByte) {
  const std::vector<std::int8_t> codes{-7, 7, 3, 0, 1, -1};
  Tensor wide = Tensor::from<std::int8_t>({2, 3}, codes);
  wide.scales = {0.5f, 2};
  const Tensor tensor = wide.packed(NumberType::kI4);
  EXPECT_EQ(tensor.scales, wide.scales);
  EXPECT_EQ(tensor.byte_count(), 4u);
  const std::vector<std::byte> bytes(tensor.bytes.begin(), tensor.bytes.end());
  EXPECT_EQ(bytes, (std::vector{std::byte{0x79}, std::byte{0x83}, std::byte{0x10}, std::byte{0x8f}}));
  EXPECT_NE(error_of([&] { tensor.as<std::int8_t>(); }), "");
  EXPECT_NE(error_of([&] { Tensor::from<std::int8_t>({6}, codes).packed(NumberType::kI4); }), "");
}

TEST(Tensor, PacksEveryFormatAndBack) {
  for (const WeightFormat& format : weight_formats()) {
    Tensor wide = Tensor::zeros(NumberType::kI8, {3, 7});
    for (std::int8_t& code : wide.as_mutable<std::int8_t>()) code = static_cast<std::int8_t>(format.limit);
    EXPECT_EQ(wide.packed(format.type).kind, format.type);
    EXPECT_EQ(wide.packed(format.type).unpacked(), wide) << format.name;
  }
  const Tensor real = Tensor::zeros(NumberType::kF32, {3, 7}), wide = Tensor::zeros(NumberType::kI8, {3, 7});
  EXPECT_EQ(error_of([&] { real.packed(NumberType::kI4); }), "tensor of shape 3x7 holds f32, expected i8");
  EXPECT_NE(error_of([&] { wide.packed(NumberType::kI16); }), "");
  EXPECT_NE(error_of([&] { real.unpacked(); }), "");
}

TEST(Validate, HoldsPackedCodesToTheirFormat) {
  const Model model = samples::integer_lstm("int4");
  for (const auto& [name, tensor] : model.tensors) {
    if (tensor.kind != NumberType::kI4) continue;
    const auto row_bytes = static_cast<std::size_t>(tensor.row_size() + 1) / 2;
    for (const std::byte wrong :
         {std::byte{0x08}, std::byte{0x88}, tensor.row_size() % 2 == 1 ? std::byte{0x11} : std::byte{0x80}}) {
      Model broken = model;
      broken.tensors[name].bytes.writable()[row_bytes - 1] = wrong;
      EXPECT_NE(error_of([&] { validate(broken); }).find("row 0"), std::string::npos);
    }
  }
}

TEST(Validate, TakesTablesOfFewBitsPackedOrInBytes) {
  const Model model = samples::integer_few_bits();
  for (const std::string name : {"int4", "quaternary", "ternary", "binary"}) {
    const Tensor& table = model.tensor(name + ".W");
    EXPECT_EQ(table.kind, find_scheme(name)->weights);
    Model older = model;  // as files before packed tables have it
    older.tensors[name + ".W"] = table.unpacked();
    EXPECT_EQ(error_of([&] { validate(older); }), "") << name;
    Model other = model;
    other.tensors[name + ".W"] = model.tensor(name == "ternary" ? "binary.W" : "ternary.W");
    EXPECT_NE(error_of([&] { validate(other); }).find("'" + name + ".W' is 6x5"), std::string::npos) << name;
    Model wide = model;
    wide.tensors[name + ".W"] = Tensor::zeros(NumberType::kI16, {6, 5});
    EXPECT_NE(error_of([&] { validate(wide); }).find("i16, expected 6x5"), std::string::npos) << name;
  }
}

TEST(Tensor, RefusesShapesThatCannotBe) {
  EXPECT_NE(error_of([] { Tensor::zeros(NumberType::kI8, {std::int64_t{1} << 40, std::int64_t{1} << 40}); }), "");
  EXPECT_NE(error_of([] { Tensor::zeros(NumberType::kI8, {-1}); }), "");
  const std::vector<float> two(2);
  EXPECT_EQ(error_of([&] { Tensor::from<float>({3}, two); }), "shape 3 wants 3 values, found 2");
}

TEST(Validate, AcceptsEverySample) {
  for (const Model& model : samples::all()) EXPECT_EQ(error_of([&] { validate(model); }), "") << model.name;
}

TEST(Validate, AcceptsEveryLstmVariantInFloatAndInteger) {
  for (int bits = 0; bits < 16; ++bits) {
    for (const Direction direction : {Direction::kForward, Direction::kReverse, Direction::kBidirectional}) {
      for (const std::string& scheme : scheme_names()) {
        const bool in_float = is_float_scheme(scheme);
        Model model;
        model.scheme = scheme;
        model.inputs = {{"input", {{3}, true, in_float ? Format{} : Format{NumberType::kI8, 0.1f, 0}}}};
        append(model, "lstm",
               LstmAttributes{.input_size = 3,
                              .hidden_size = 5,
                              .projection_size = (bits & 1) != 0 ? 2 : 0,
                              .input_forget = (bits & 2) != 0,
                              .peephole = (bits & 4) != 0,
                              .layer_norm = (bits & 8) != 0,
                              .direction = direction},
               scheme, in_float ? Format{} : Format{NumberType::kI8, 0.01f, 0});
        samples::fill_tensors(model, 1);
        model.outputs = {"lstm"};
        EXPECT_EQ(error_of([&] { validate(model); }), "") << bits << " " << scheme;
      }
    }
  }
}

// One change that breaks a valid model, and a part of the message that must follow.
struct Breakage {
  const char* name;
  Model (*sample)();
  void (*change)(Model&);
  const char* message;
};
void PrintTo(const Breakage& breakage, std::ostream* out) { *out << breakage.name; }

Model float_sample() { return samples::float_classifier(); }
Model lstm_sample() { return samples::integer_lstm(); }
Model tagger_sample() { return samples::integer_tagger(); }
Model words_sample() { return samples::float_graph(); }
Model wide_lstm_sample() {
  Model model = samples::integer_wide();
  model.nodes.erase(model.nodes.begin());  // behind an input of reals
  model.tensors.erase("words.W");
  model.inputs = {{"input", {{4}, true, {}}}};
  model.nodes[0].inputs[0] = "input";
  model.nodes[0].formats["input"] = {NumberType::kI8, 0.1f, 0};
  return model;
}
Model gru_sample() { return samples::integer_gru(); }
Model graph_sample() { return samples::integer_graph(); }
LstmAttributes& lstm_of(Model& model) { return std::get<LstmAttributes>(model.nodes[0].operation); }

const Breakage kBreakages[] = {
    {"unknown_scheme", float_sample, [](Model& m) { m.scheme = "int3"; }, "unknown scheme 'int3'"},
    {"unknown_node_scheme", float_sample, [](Model& m) { m.nodes[0].scheme = "int3"; }, "unknown scheme 'int3'"},
    {"input_of_int16", gru_sample,
     [](Model& m) {
       m.inputs[0].value.format = {NumberType::kI16, 0.1f, 0};
     },
     "the model's input is i16, expected f32 or i8 or i32"},
    {"no_nodes", float_sample, [](Model& m) { m.nodes.clear(); }, "no nodes"},
    {"empty_name", float_sample, [](Model& m) { m.nodes[1].name = ""; }, "no name"},
    {"dotted_name", float_sample, [](Model& m) { m.nodes[1].name = "a.b"; }, "'a.b'"},
    {"twice", float_sample, [](Model& m) { m.nodes[1].name = "lstm0"; }, "'lstm0' is used twice"},
    {"called_input", float_sample, [](Model& m) { m.nodes[0].name = "input"; }, "'input' is used twice"},
    {"from_later", float_sample, [](Model& m) { m.nodes[0].inputs[0] = "gru1"; }, "reads 'gru1'"},
    {"from_itself", float_sample, [](Model& m) { m.nodes[0].inputs[0] = "lstm0"; }, "reads 'lstm0'"},
    {"no_outputs", float_sample, [](Model& m) { m.outputs.clear(); }, "no outputs"},
    {"unknown_output", float_sample, [](Model& m) { m.outputs = {"x"}; }, "output 'x' is not made by a node"},
    {"input_is_output", float_sample, [](Model& m) { m.outputs = {"input"}; }, "output 'input' is not made by a node"},
    {"output_twice", float_sample,
     [](Model& m) {
       m.outputs = {"scores", "scores"};
     },
     "listed twice"},
    {"classes", float_sample, [](Model& m) { m.classes.push_back("x"); }, "3 classes"},
    {"hidden_zero", float_sample, [](Model& m) { lstm_of(m).hidden_size = 0; }, "hidden_size 0, expected 1 to 65536"},
    {"hidden_huge", float_sample, [](Model& m) { lstm_of(m).hidden_size = INT64_MAX; }, "hidden_size"},
    {"input_size", float_sample, [](Model& m) { lstm_of(m).input_size = 6; },
     "takes 6 features, but its input 'input' has 5"},
    {"negative_projection", lstm_sample, [](Model& m) { lstm_of(m).projection_size = -1; }, "projection_size -1"},
    {"clip_nan", lstm_sample, [](Model& m) { lstm_of(m).clip = std::numeric_limits<float>::quiet_NaN(); }, "clip nan"},
    {"clip_alone", float_sample, [](Model& m) { lstm_of(m).projection_clip = 1; }, "no projection"},
    {"input_features", float_sample, [](Model& m) { m.inputs[0].value.shape = {0}; }, "0 features"},
    {"output_features", float_sample, [](Model& m) { m.nodes[1].outputs[0].shape = {4}; }, "expected 3 a step"},
    {"output_sequence", float_sample, [](Model& m) { m.nodes[2].outputs[0].has_time = true; },
     "expected 3 without time"},
    {"pool_twice", float_sample, [](Model& m) { m.nodes[3].operation = PoolAttributes{}; }, "has no time"},
    {"gru_without_time", float_sample,
     [](Model& m) { m.nodes[3].operation = GruAttributes{.input_size = 3, .hidden_size = 2}; }, "without time"},
    {"input_without_time", float_sample, [](Model& m) { m.inputs[0].value.has_time = false; },
     "one vector without time"},
    {"embedding_of_reals", float_sample,
     [](Model& m) { m.nodes[0].operation = EmbeddingAttributes{.vocabulary = 3, .features = 8}; }, "reads one i32 id"},
    {"lstm_of_ids", tagger_sample,
     [](Model& m) { m.nodes[0].operation = LstmAttributes{.input_size = 1, .hidden_size = 4}; }, "only an embedding"},
    {"f32_scale", float_sample, [](Model& m) { m.nodes[0].outputs[0].format.scale = 2; }, "expected 1"},
    {"i8_zero_point", lstm_sample, [](Model& m) { m.nodes[0].outputs[0].format.zero_point = 128; },
     "expected -128 to 127"},
    {"zero_scale", lstm_sample, [](Model& m) { m.nodes[0].outputs[0].format.scale = 0; }, "finite number above 0"},
    {"lstm_output", lstm_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0.1f, 0};
     },
     "is i16, expected i8"},
    {"lstm_reads_float", lstm_sample, [](Model& m) { m.inputs[0].value.format = {}; }, "is f32, expected i8"},
    {"gru_output", tagger_sample,
     [](Model& m) {
       m.nodes[1].outputs[0].format = {NumberType::kI32, 1.0f, 0};
     },
     "is i32, expected i8"},
    {"wide_output_scale", gru_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0.01f, 0};
     },
     "is i16 scale 0.01 zero point 0, expected i16 scale 3.05176e-05 zero point 0"},
    {"wide_output_without_copy", gru_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
     },
     "format 'state' of node 'gru' (gru) is missing"},
    {"wide_output_copy_fine", gru_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
       m.nodes[0].formats["state"] = {NumberType::kI8, 1e-5f, 0};
     },
     "has scale 1e-05, expected at least 2^-14, two steps of the state it is a copy of"},
    {"wide_output_copy_kind", gru_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
       m.nodes[0].formats["state"] = {NumberType::kI16, 0.01f, 0};
     },
     "is i16, expected i8"},
    {"copy_of_a_narrow_output", gru_sample,
     [](Model& m) {
       m.nodes[0].formats["state"] = {NumberType::kI8, 0.01f, 0};
     },
     "has a format 'state' that it does not use"},
    {"wide_output_projected", lstm_sample,
     [](Model& m) {
       m.nodes[0].outputs[0].format = {NumberType::kI16, 0x1p-15f, 0};
     },
     "is i16, expected i8"},
    {"wide_output_clamped", wide_lstm_sample, [](Model& m) { m.nodes[0].codes["output_low"] = -100; },
     "is -100, expected -128 to -128"},
    {"gru_output_fine", gru_sample, [](Model& m) { m.nodes[0].outputs[0].format.scale = 1e-5f; },
     "has scale 1e-05, expected at least 2^-14, two steps of the state it is a copy of"},
    {"candidate_coarse", gru_sample, [](Model& m) { m.nodes[0].formats["candidate_recurrent"].scale = 0x1p-7f; },
     "expected a power of two 2^-(15-m) with m = 3..7"},
    {"candidate_fine", gru_sample, [](Model& m) { m.nodes[0].formats["candidate_recurrent"].scale = 0x1p-13f; },
     "expected a power of two 2^-(15-m) with m = 3..7"},
    {"candidate_kind", gru_sample,
     [](Model& m) {
       m.nodes[0].formats["candidate_recurrent"] = {NumberType::kI8, 0x1p-12f, 0};
     },
     "is i8, expected i16"},
    {"candidate_of_reset_before", tagger_sample,
     [](Model& m) {
       m.nodes[1].formats["candidate_recurrent"] = {NumberType::kI16, 0x1p-12f, 0};
     },
     "'candidate_recurrent' that it does not use"},
    {"sums_in_float", float_sample, [](Model& m) { m.nodes[0].sums = Sums::kWhole; },
     "node 'lstm0' (lstm) with scheme 'f32' has sums 'whole', which only an integer lstm, gru or rnn has"},
    {"sums_of_dense", tagger_sample, [](Model& m) { m.nodes[4].sums = Sums::kWhole; }, "has sums 'whole'"},
    {"channels_of_reals", float_sample,
     [](Model& m) { m.tensors["lstm0.scale"] = Tensor::zeros(NumberType::kF32, {8}); },
     "'lstm0.scale' gives each channel of 'lstm0' its scale, but that value is f32, expected i8 or i16"},
    {"channels_of_ids", tagger_sample,
     [](Model& m) { m.tensors["input.offset"] = Tensor::zeros(NumberType::kF32, {1}); },
     "that value is i32, expected i8 or i16"},
    {"channels_of_nothing", gru_sample, [](Model& m) { m.tensors["x.scale"] = Tensor::zeros(NumberType::kF32, {3}); },
     "no node uses tensor 'x.scale'"},
    {"channel_count", gru_sample, [](Model& m) { m.tensors["input.scale"] = Tensor::zeros(NumberType::kF32, {4}); },
     "'input.scale' is 4 f32, expected 3 f32"},
    {"channel_kind", gru_sample, [](Model& m) { m.tensors["input.offset"] = Tensor::zeros(NumberType::kI32, {3}); },
     "'input.offset' is 3 i32, expected 3 f32"},
    {"channel_scale", gru_sample, [](Model& m) { m.tensors["input.scale"].as_mutable<float>()[1] = 0; },
     "'input.scale' has 0 at index 1, expected numbers above 0"},
    {"channel_offset", gru_sample,
     [](Model& m) { m.tensors["input.offset"].as_mutable<float>()[2] = std::numeric_limits<float>::infinity(); },
     "'input.offset' has inf at index 2, expected finite values"},
    {"relu_rnn", tagger_sample, [](Model& m) { m.nodes[2].scheme = "int8"; },
     "'island' (rnn) has no integer form (a relu state has no bound, so no fixed format)"},
    {"dense_output", tagger_sample, [](Model& m) { m.nodes[4].outputs[0].format = {}; }, "is f32, expected i8 or i16"},
    {"softmax_output", tagger_sample, [](Model& m) { m.nodes[5].outputs[0].format.scale = 0.1f; }, "'softmax'"},
    {"argmax_output", tagger_sample,
     [](Model& m) {
       m.nodes[6].outputs[0].format = {NumberType::kI8, 1.0f, 0};
     },
     "'tags'"},
    {"cell_missing", lstm_sample, [](Model& m) { m.nodes[0].formats.erase("cell_reverse"); },
     "'cell_reverse' of node 'lstm' (lstm) is missing"},
    {"cell_scale", lstm_sample, [](Model& m) { m.nodes[0].formats["cell"].scale = 0x1p-8f; }, "power of two"},
    {"cell_kind", lstm_sample, [](Model& m) { m.nodes[0].formats["cell"].kind = NumberType::kI8; }, "expected i16"},
    {"hidden_kind", lstm_sample,
     [](Model& m) {
       m.nodes[0].formats["hidden"] = {NumberType::kI16, 0.1f, 0};
     },
     "expected i8"},
    {"gate_i_of_cifg", lstm_sample,
     [](Model& m) {
       m.nodes[0].formats["gate_i"] = {NumberType::kI16, 0.1f, 0};
     },
     "'gate_i'"},
    {"input_kind", lstm_sample,
     [](Model& m) {
       m.nodes[0].formats["input"] = {NumberType::kI16, 0.1f, 0};
     },
     "format 'input' of node 'lstm' (lstm) with scheme 'int8' is i16, expected i8"},
    {"input_of_float", float_sample,
     [](Model& m) {
       m.nodes[0].formats["input"] = {NumberType::kI8, 0.1f, 0};
     },
     "'input' that it does not use"},
    {"input_of_embedding", tagger_sample,
     [](Model& m) {
       m.nodes[0].formats["input"] = {NumberType::kI8, 0.1f, 0};
     },
     "'input' that it does not use"},
    {"code_missing", lstm_sample, [](Model& m) { m.nodes[0].codes.erase("cell_clip"); },
     "code 'cell_clip' of node 'lstm' (lstm) is missing"},
    {"code_range", lstm_sample, [](Model& m) { m.nodes[0].codes["cell_clip"] = 32768; },
     "is 32768, expected 0 to 32767"},
    {"code_order", lstm_sample, [](Model& m) { m.nodes[0].codes["output_high"] = -128; },
     "output_low -120 is above output_high -128"},
    {"code_stray", lstm_sample, [](Model& m) { m.nodes[0].codes["output"] = 1; }, "'output' that it does not use"},
    {"code_of_gru", tagger_sample, [](Model& m) { m.nodes[1].codes["cell_clip"] = 1; },
     "'cell_clip' that it does not use"},
    {"formats_in_float", float_sample,
     [](Model& m) {
       m.nodes[0].formats["cell"] = {NumberType::kI16, 0x1p-12f, 0};
     },
     "'cell'"},
    {"tensor_missing", float_sample, [](Model& m) { m.tensors.erase("lstm0.R_reverse"); },
     "'lstm0.R_reverse' is missing, expected 16x4 f32"},
    {"tensor_stray", float_sample, [](Model& m) { m.tensors["lstm0.P"] = Tensor::zeros(NumberType::kF32, {8}); },
     "no node uses tensor 'lstm0.P'"},
    {"tensor_shape", float_sample, [](Model& m) { m.tensors["scores.b"] = Tensor::zeros(NumberType::kF32, {3}); },
     "'scores.b' is 3 f32, expected 2 f32"},
    {"tensor_kind", float_sample, [](Model& m) { m.tensors["scores.b"] = Tensor::zeros(NumberType::kI32, {2}); },
     "'scores.b' is 2 i32, expected 2 f32"},
    {"tensor_bytes", float_sample, [](Model& m) { SharedBytes& bytes = m.tensors["scores.b"].bytes;
       bytes = bytes.slice(0, 7); }, "7 bytes, expected 8"},
    {"tensor_nan", float_sample,
     [](Model& m) { m.tensors["gru1.W"].as_mutable<float>()[5] = std::numeric_limits<float>::quiet_NaN(); },
     "'gru1.W' has nan at index 5"},
    {"tensor_infinity", float_sample,
     [](Model& m) { m.tensors["gru1.W"].as_mutable<float>()[2] = -std::numeric_limits<float>::infinity(); },
     "'gru1.W' has -inf at index 2"},
    {"f32_scales", float_sample, [](Model& m) { m.tensors["gru1.W"].scales = {1.0f}; }, "expected none"},
    {"scale_count", lstm_sample, [](Model& m) { m.tensors["lstm.W"].scales.resize(5, 1.0f); },
     "5 scales, expected a number that divides its 12 rows"},
    {"no_scales", lstm_sample, [](Model& m) { m.tensors["lstm.W"].scales.clear(); }, "0 scales"},
    {"scale_negative", lstm_sample, [](Model& m) { m.tensors["lstm.W"].scales[3] = -1.0f; }, "scale -1 at index 3"},
    {"weight_code", lstm_sample, [](Model& m) { m.tensors["lstm.W"].as_mutable<std::int8_t>()[7] = -128; },
     "code -128 at index 7"},
    {"layer_norm_code", lstm_sample, [](Model& m) { m.tensors["lstm.L"].as_mutable<std::int16_t>()[1] = -32768; },
     "code -32768 at index 1"},
    {"table_missing", tagger_sample, [](Model& m) { m.tensors.erase("gelu.table"); }, "'gelu.table' is missing"},
    {"mean_alone", float_sample, [](Model& m) { m.tensors.erase("input.inverse_deviation"); },
     "'input.inverse_deviation' is missing"},
    {"mean_shape", float_sample, [](Model& m) { m.tensors["input.mean"] = Tensor::zeros(NumberType::kF32, {4}); },
     "expected 5 f32"},
    {"deviation_zero", float_sample, [](Model& m) { m.tensors["input.inverse_deviation"].as_mutable<float>()[0] = 0; },
     "above 0"},
    {"mean_of_ids", tagger_sample,
     [](Model& m) {
       m.tensors["input.mean"] = m.tensors["input.inverse_deviation"] = Tensor::zeros(NumberType::kF32, {1});
     },
     "cannot be applied to ids"},
    {"reads_nothing", graph_sample, [](Model& m) { m.nodes[2].inputs[1] = "hints"; },
     "node 'sum' (add) reads 'hints' in slot 1, which is neither an input of the model nor made by a node before it"},
    {"reads_no_slot", graph_sample, [](Model& m) { m.nodes[3].inputs[1] = "lstm.x"; }, "reads 'lstm.x' in slot 1"},
    {"reads_a_slot_that_is_left_out", graph_sample, [](Model& m) { m.nodes[3].inputs[1] = "sum.h_n"; },
     "reads 'sum.h_n' in slot 1"},
    {"cycle", graph_sample, [](Model& m) { m.nodes[2].inputs[1] = "both"; }, "reads 'both' in slot 1"},
    {"one_input_to_add", graph_sample, [](Model& m) { m.nodes[2].inputs.pop_back(); },
     "node 'sum' (add) has 1 inputs, expected 2 to 64"},
    {"two_inputs_to_lstm", graph_sample, [](Model& m) { m.nodes[0].inputs.push_back("context"); },
     "node 'lstm' (lstm) has 2 inputs, expected 1"},
    {"four_outputs_of_lstm", graph_sample, [](Model& m) { m.nodes[0].outputs.push_back(m.nodes[0].outputs[0]); },
     "node 'lstm' (lstm) has 4 outputs, expected 1 to 3"},
    {"two_outputs_of_dense", graph_sample, [](Model& m) { m.nodes[1].outputs.push_back(m.nodes[1].outputs[0]); },
     "node 'hint' (dense) has 2 outputs, expected 1"},
    {"no_outputs_of_node", graph_sample, [](Model& m) { m.nodes[1].outputs.clear(); }, "has 0 outputs, expected 1"},
    {"shape_of_h_n", graph_sample, [](Model& m) { m.nodes[0].outputs[1].shape = {5}; },
     "says its output 'lstm.h_n' is 5 without time, expected 4 without time"},
    {"time_of_c_n", graph_sample, [](Model& m) { m.nodes[0].outputs[2].has_time = true; },
     "says its output 'lstm.c_n' is 4 a step, expected 4 without time"},
    {"format_of_h_n", graph_sample, [](Model& m) { m.nodes[0].outputs[1].format.scale = 0.5f; },
     "output 'lstm.h_n' of node 'lstm' (lstm) is i8 scale 0.5 zero point -5, expected i8 scale 0.02"},
    {"format_of_c_n", graph_sample, [](Model& m) { m.nodes[0].outputs[2].format.scale = 0x1p-11f; },
     "output 'lstm.c_n' of node 'lstm' (lstm) is i16"},
    {"sum_of_two_shapes", graph_sample, [](Model& m) { m.nodes[2].inputs[1] = "context"; },
     "adds values of one shape, but its input 1 'context' is 2 and its input 0 'lstm' is 4"},
    {"sum_of_two_scales", graph_sample, [](Model& m) { m.nodes[2].formats["input_1"].scale = 2e-4f; },
     "format 'input_1' of node 'sum' (add) with scheme 'int8' is i16 scale 0.0002 zero point 0, expected i16 scale 0.0001"},
    {"sum_without_a_rescale", graph_sample, [](Model& m) { m.nodes[2].formats.erase("input_1"); },
     "input 1 'hint' of node 'sum' (add) with scheme 'int8' is i8, expected i16"},
    {"concat_without_a_rescale", graph_sample, [](Model& m) { m.nodes[3].formats.clear(); },
     "input 0 'sum' of node 'both' (concat) with scheme 'int8' is i8 scale 0.04 zero point 2, expected i8 scale 0.02"},
    {"join_with_the_end", graph_sample, [](Model& m) { m.nodes[2].inputs[1] = "lstm.h_n"; },
     "node 'sum' (add) joins values of each step, but its input 1 'lstm.h_n' is known at the end of the sequence only"},
    {"join_of_indices", tagger_sample,
     [](Model& m) {
       m.nodes.push_back({.name = "sum", .operation = AddAttributes{}, .inputs = {"tags", "tags"}, .outputs = {{{1}}}});
     },
     "node 'sum' (add) joins numbers, but its input 0 'tags' holds indices (i32)"},
    {"rate", graph_sample, [](Model& m) { m.nodes[1].outputs[0].rate = 2; },
     "node 'hint' (dense) says its output comes once every 2 steps, 0 late; expected every step and 0"},
    {"delay_of_input", graph_sample, [](Model& m) { m.inputs[0].value.delay = 1; },
     "the input 'frames' comes once every 1 steps, 1 late; expected every step and 0"},
    {"inputs_of_one_name", graph_sample, [](Model& m) { m.inputs[1].name = "frames"; },
     "the name 'frames' is used twice"},
    {"no_inputs", graph_sample, [](Model& m) { m.inputs.clear(); }, "there are no inputs"},
    {"no_time", graph_sample, [](Model& m) { m.inputs[0].value.has_time = false; }, "expected one a step of one input"},
    {"output_of_no_slot", graph_sample, [](Model& m) { m.outputs[1] = "lstm.x"; }, "output 'lstm.x' is not made by a node"},
    {"lstm_of_rows", graph_sample, [](Model& m) { m.inputs[0].value.shape = {2, 3}; },
     "node 'lstm' (lstm) reads one vector a step, but its input 'frames' has 2 axes"},
    {"five_axes_are_too_many_features", graph_sample,
     [](Model& m) { m.inputs[1].value.shape = {kMaxSize, kMaxSize, kMaxSize, kMaxSize}; },
     "the input 'context' has 65536x65536x65536x65536 features, expected 1 to 65536"},
    {"words_count", words_sample, [](Model& m) { m.words.pop_back(); },
     "4 words, but embeddings of inputs know other numbers: 'words' 5"},
    {"words_without_ids", float_sample, [](Model& m) { m.words = {"a"}; }, "1 words, but no input is ids"},
    {"axis", gru_sample, [](Model& m) { std::get<GruAttributes>(m.nodes[0].operation).axis = 1; },
     "has axis 1, expected -1 (one frame a step) or 0 (the first axis of each frame)"},
    {"inner_axis_of_vectors", gru_sample, [](Model& m) { std::get<GruAttributes>(m.nodes[0].operation).axis = 0; },
     "node 'gru' (gru) reads frames [steps, features], but its input 'input' has 1 axis"},
    {"carry_of_a_stream", gru_sample, [](Model& m) { std::get<GruAttributes>(m.nodes[0].operation).carry = true; },
     "has carry, which says how an inner axis begins, but it runs over time"},
    {"carry_of_both_directions", gru_sample,
     [](Model& m) {
       auto& gru = std::get<GruAttributes>(m.nodes[0].operation);
       gru.axis = 0;
       gru.carry = true;
       m.inputs[0].value.shape = {2, 3};
     },
     "carries its state from frame to frame, for which it must be forward"},
    {"too_many_elements", tagger_sample,
     [](Model& m) {
       m.nodes[0].operation = EmbeddingAttributes{.vocabulary = kMaxVocabulary, .features = kMaxSize};
       m.nodes[0].outputs[0].shape = {kMaxSize};
     },
     "more than the limit"},
};

class ValidateRefuses : public testing::TestWithParam<Breakage> {};

TEST_P(ValidateRefuses, WithNameAndReason) {
  Model model = GetParam().sample();
  validate(model);
  GetParam().change(model);
  const std::string error = error_of([&] { validate(model); });
  EXPECT_NE(error.find(GetParam().message), std::string::npos) << "the error was: " << error;
}

INSTANTIATE_TEST_SUITE_P(All, ValidateRefuses, testing::ValuesIn(kBreakages),
                         [](const testing::TestParamInfo<Breakage>& breakage) {
                           return std::string(breakage.param.name);
                         });

TEST(Validate, PoolKeepsTheFormatOfItsInput) {
  Model model = samples::integer_lstm();
  append(model, "mean", PoolAttributes{Pooling::kMean}, "int8", model.nodes[0].outputs[0].format);
  model.outputs = {"mean"};
  EXPECT_EQ(error_of([&] { validate(model); }), "");
  model.nodes[1].outputs[0].format.scale *= 2;
  EXPECT_NE(error_of([&] { validate(model); }), "");
}

TEST(Validate, FinalPoolsDirectionsThatEndAtDifferentSteps) {
  Model model = samples::float_classifier();
  auto& pool = std::get<PoolAttributes>(model.nodes[2].operation);
  auto& gru = std::get<GruAttributes>(model.nodes[1].operation);
  ASSERT_EQ(gru.direction, Direction::kForward);
  pool.pooling = Pooling::kFinal;
  EXPECT_NE(error_of([&] { validate(model); }).find("no reverse or bidirectional layer; expected pooling 'last'"),
            std::string::npos);
  gru.direction = Direction::kReverse;
  for (const char* name : {"W", "R", "b", "b_recurrent"}) {
    auto tensor = model.tensors.extract(concat("gru1.", name));
    tensor.key() += "_reverse";
    model.tensors.insert(std::move(tensor));
  }
  EXPECT_EQ(error_of([&] { validate(model); }), "");
  model.nodes[2].inputs[0] = "input";
  EXPECT_NE(error_of([&] { validate(model); }), "");
}

TEST(Validate, IntegerNodeReadsItsOwnFormatAfterAFloatOne) {
  Model model = samples::integer_tagger();
  model.nodes[2].outputs[0].format = {};  // the island now hands on reals
  EXPECT_NE(error_of([&] { validate(model); }), "");
  model.nodes[3].formats["input"] = {NumberType::kI8, 0.05f, 1};
  EXPECT_EQ(error_of([&] { validate(model); }), "");
}

TEST(Model, LooksThingsUpByNameAndSuggests) {
  const Model model = samples::float_classifier();
  EXPECT_EQ(model.node("gru1").name, "gru1");
  EXPECT_EQ(model.value("input").size(), 5);
  EXPECT_EQ(model.value("lstm0").size(), 8);
  EXPECT_NE(error_of([&] { model.node("gru2"); }).find("lstm0, gru1, last, scores, softmax"), std::string::npos);
  EXPECT_NE(error_of([&] { model.tensor("gru1.w"); }).find("did you mean 'gru1.R'"), std::string::npos);
  EXPECT_EQ(model.find_tensor("nothing"), nullptr);
}

TEST(Model, NamesOfAttributesGoBothWays) {
  for (const Sums sums : {Sums::kHalves, Sums::kWhole}) EXPECT_EQ(sums_from_name(sums_name(sums)), sums);
  for (const char* name : {"forward", "reverse", "bidirectional"})
    EXPECT_EQ(direction_name(direction_from_name(name)), name);
  for (const char* name : {"identity", "relu", "sigmoid", "tanh", "hard_sigmoid", "elu", "gelu"})
    EXPECT_EQ(nonlinearity_name(nonlinearity_from_name(name)), name);
  for (const char* name : {"last", "mean", "max", "final"}) EXPECT_EQ(pooling_name(pooling_from_name(name)), name);
  EXPECT_EQ(error_of([] { pooling_from_name("sum"); }),
            "unknown pooling 'sum', expected one of: last, mean, max, final");
}

TEST(Fingerprint, KnowsGraphAndTensorsButNotNameOrProvenance) {
  const Model model = samples::float_classifier();
  Model renamed = model;
  renamed.name = "other";
  renamed.provenance["seed"] = "2";
  EXPECT_EQ(fingerprint(renamed), fingerprint(model));
  Model changed = model;
  changed.tensors["gru1.W"].as_mutable<float>()[0] += 1;
  EXPECT_NE(fingerprint(changed), fingerprint(model));
  changed = model;
  lstm_of(changed).clip = 1;
  EXPECT_NE(fingerprint(changed), fingerprint(model));
  changed = model;
  changed.nodes[2].operation = PoolAttributes{Pooling::kMax};
  EXPECT_NE(fingerprint(changed), fingerprint(model));
}

TEST(Fingerprint, NeverChanges) {  // saved states carry it
  EXPECT_EQ(hex64(fingerprint(samples::integer_lstm())), "da84ea9b9f9439a1");
}

TEST(ToText, IsALineANode) {
  EXPECT_EQ(to_text(samples::integer_tagger()),
            R"(model integer tagger, scheme int8
node     operation           input   output     format                 scheme
input                                [time, 1]  i32
words    embedding 6x4       input   [time, 4]  i8 scale 0.013 zero 7  int8
gru      gru 3 reset_before  words   [time, 3]  i8 scale 0.0078125     int8_per_tensor
island   rnn 2 relu          gru     [time, 2]  i8 scale 0.013 zero 7  f32
gelu     gelu                island  [time, 2]  i8 scale 0.013 zero 7  int8
logits   dense 3             gelu    [time, 3]  i16 scale 0.001        int8
softmax  softmax             logits  [time, 3]  i16 scale 3.05176e-05  int8
tags     argmax              logits  [time, 1]  i32                    int8
outputs softmax, tags
)");
}

TEST(Scheme, SaysItsParts) {
  EXPECT_EQ(scheme_text(*find_scheme("f32")), "f32");
  EXPECT_EQ(scheme_text(*find_scheme("int8")), "weights i8, a scale a row; activations i8; state i16; scaled");
  EXPECT_EQ(scheme_text(*find_scheme("int8_per_tensor")),
            "weights i8, a scale a gate; activations i8; state i16; scaled");
  EXPECT_EQ(scheme_text(*find_scheme("int4")), "weights i4, a scale a row; activations i8; state i16; scaled");
  for (const std::string name : {"int4", "quaternary", "ternary", "binary"})
    EXPECT_EQ(scheme_text(*find_scheme(name + "_per_tensor")),
              "weights " + std::string(type_name(find_scheme(name)->weights)) +
                  ", a scale a gate; activations i8; state i16; scaled");
  EXPECT_EQ(find_scheme("int5"), nullptr);
}

TEST(Scheme, OfMemoryNetworksSaysItsSwitches) {
  const std::vector<std::pair<std::string, std::string>> texts{
      {"f32", "f32"},
      {"fixed8", "fixed n=8 iwl=5 dot"},
      {"qmann8", "fixed n=8 iwl=2 hamming hop-formats"},
      {"fixed-binary", "fixed n=8 iwl=5 dot one-bit-query"},
      {"qmann-binary", "fixed n=8 iwl=2 hamming hop-formats one-bit-query"},
      {"fixed-binary-weights", "fixed n=8 iwl=5 dot one-bit-weights"},
      {"int8", "scaled n=8 relative-similarity integer-only"},
      {"fixed8-calibrated", "scaled n=8 power-of-two relative-similarity integer-only"},
      {"binary-calibrated", "scaled n=8 power-of-two relative-similarity one-bit-query one-bit-state integer-only"},
      {"binary-weights-calibrated",
       "scaled n=8 power-of-two relative-similarity one-bit-query one-bit-state one-bit-weights integer-only"}};
  std::vector<std::string> names;
  for (const auto& [name, text] : texts) {
    EXPECT_EQ(memory_scheme_text(memory_scheme_from_name(name)), text) << name;
    EXPECT_NO_THROW(validate(memory_scheme_from_name(name))) << name;
    names.push_back(name);
  }
  EXPECT_EQ(memory_scheme_names(), names);
  EXPECT_THROW(memory_scheme_from_name("fixed9"), Error);
}

}  // namespace
}  // namespace quaver
