#include "quaver/io/model_file/model_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "quaver/io/container/test_support.h"
#include "quaver/model/sample_models.h"
#include "support/places.h"

namespace quaver {
namespace {

using io_test::bytes_of;
using io_test::contains;
using io_test::error_of;
using io_test::safetensors_text;

// The text of a model file taken apart, to be changed and put together again with a checksum that fits.
struct Parts : io_test::SafetensorsContents {
  nlohmann::ordered_json graph;

  explicit Parts(const std::string& text)
      : SafetensorsContents(text), graph(nlohmann::ordered_json::parse(metadata.at("graph"))) {}

  std::string text() {
    metadata["graph"] = graph.dump();
    std::uint64_t hash = fnv1a({});
    const auto add = [&hash](const std::string& part) {
      hash = fnv1a(bytes_of({part.c_str(), part.size() + 1}), hash);
    };
    add(metadata["graph"]);
    for (const char* key : {"words", "provenance"}) {
      if (std::string(key) == "words" && metadata["version"] < "4") continue;
      add(metadata.contains(key) ? metadata[key] : "");
    }
    for (const auto& [name, entry] : entries) {
      add(name);
      add(std::string(dtype_name(entry.dtype)));
      add(shape_text(entry.shape));
      hash = fnv1a(entry.bytes, hash);
    }
    metadata["checksum"] = hex64(hash);
    return safetensors_text(entries, metadata);
  }
};

std::string error_of_text(const std::string& text) {
  return error_of([&text] { load_bytes(bytes_of(text)); });
}

TEST(ModelFile, RoundTripGivesTheSameModelAndBytes) {
  for (const Model& model : samples::all()) {
    const std::string text = save_bytes(model);
    EXPECT_EQ(load_bytes(bytes_of(text)), model) << model.name;
    EXPECT_EQ(save_bytes(load_bytes(bytes_of(text))), text) << model.name;
  }
}

TEST(ModelFile, FloatsSurviveToTheLastBit) {
  Model model = samples::integer_lstm();
  auto& lstm = std::get<LstmAttributes>(model.nodes[0].operation);
  Random random(11);
  for (int i = 0; i < 2000; ++i) {
    // Any positive finite float: a random pattern of bits.
    const auto any = [&random] {
      const auto bits = static_cast<std::uint32_t>(random.between(1, 0x7f7fffff));
      return std::bit_cast<float>(bits);
    };
    lstm.clip = any();
    model.inputs[0].value.format.scale = any();
    model.tensors["lstm.R"].scales = {any()};
    for (float& scale : model.tensors["lstm.W"].scales) scale = any();
    ASSERT_EQ(load_bytes(bytes_of(save_bytes(model))), model);
  }
}

TEST(ModelFile, SmallScalesLieInTheGraphAndLongListsInTensors) {
  const std::string text = save_bytes(samples::integer_lstm());
  const Parts parts(text);
  EXPECT_TRUE(parts.entries.contains("lstm.W.scale"));
  EXPECT_FALSE(parts.graph.contains("scales"));
  const std::string per_tensor = save_bytes(samples::integer_lstm("int8_per_tensor"));
  const Parts other(per_tensor);
  EXPECT_FALSE(other.entries.contains("lstm.W.scale"));
  EXPECT_TRUE(other.graph["scales"].contains("lstm.W"));
}

// A model says only what differs from what it starts with; its smallest file is the shorter for it.
TEST(ModelFile, DefaultsAreLeftOut) {
  Model model;
  model.inputs = {{"input", {{2}, true, {}}}};
  samples::append(model, "dense", DenseAttributes{.input_size = 2, .units = 1}, "f32", {});
  samples::append(model, "mean", PoolAttributes{Pooling::kMean}, "f32", {});
  samples::fill_tensors(model, 1);
  model.outputs = {"mean"};
  const std::string text = save_bytes(model);
  const Parts parts(text);
  EXPECT_EQ(
      parts.metadata.at("graph"),
      R"({"inputs":[{"name":"input","value":{"shape":[2]}}],"nodes":[{"name":"dense","op":"dense",)"
      R"("attributes":{"input_size":2,"units":1},"inputs":["input"],"outputs":[{"shape":[1]}]},{"name":"mean",)"
      R"("op":"pool","attributes":{"pooling":"mean"},"inputs":["dense"],"outputs":[{"shape":[1],"time":false}]}],)"
      R"("outputs":["mean"]})");
  for (const char* key : {"words", "provenance"}) EXPECT_FALSE(parts.metadata.contains(key)) << key;
}

TEST(ModelFile, PackedTensorsSayWhatTheyHold) {
  const std::string text = save_bytes(samples::integer_lstm("int4"));
  const Parts parts(text);
  EXPECT_EQ(parts.graph["tensors"]["lstm.R"].dump(), R"({"format":"i4","shape":[12,2]})");
  EXPECT_EQ(parts.graph["tensors"]["lstm.W"].dump(), R"({"format":"i4","shape":[12,3]})");
  EXPECT_EQ(parts.entries.at("lstm.W").shape, (std::vector<std::int64_t>{12, 2}));
  EXPECT_EQ(parts.entries.at("lstm.W").dtype, NumberType::kU8);
}

TEST(ModelFile, AFlippedBitIsFoundOrChangesNothing) {
  const auto flip_all = [](const Model& model, const std::vector<int>& masks) {
    std::string text = save_bytes(model);
    std::size_t found = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const int mask : masks) {
        const char original = text[i];
        text[i] = static_cast<char>(original ^ mask);
        try {
          EXPECT_EQ(load_bytes(bytes_of(text)), model) << "byte " << i << " mask " << mask;
        } catch (const Error&) {
          ++found;
        }
        text[i] = original;
      }
    }
    EXPECT_GT(found, text.size() * masks.size() * 9 / 10) << "of " << text.size() * masks.size();
  };
  flip_all(samples::integer_tagger(), {0x01, 0x20, 0xff});
  flip_all(samples::integer_lstm(), {0x04});
  flip_all(samples::integer_lstm("int4"), {0x80});
  flip_all(samples::float_graph(), {0x02});
}

TEST(ModelFile, ATruncatedFileIsAnError) {
  const std::string text = save_bytes(samples::float_classifier());
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_NE(error_of_text(text.substr(0, size)), "") << size;
  EXPECT_NE(error_of_text(text + "x"), "");
}

TEST(ModelFile, ANewerVersionSaysWhatToDo) {
  const std::string text = save_bytes(samples::integer_lstm());
  Parts parts(text);
  parts.metadata["version"] = "5";
  EXPECT_EQ(error_of_text(parts.text()), "version 5, this program reads up to 4: update quaver");
  parts.metadata["version"] = "3";
  EXPECT_EQ(error_of_text(parts.text()), "version 3 with the format 'quaver', of which there are 1 to 2");
  for (const char* version : {"", "0", "-1", "1.5", "one", "1 ", "99999999999999999999999"}) {
    parts.metadata["version"] = version;
    EXPECT_TRUE(contains(error_of_text(parts.text()), "is no version number")) << version;
  }
}

TEST(ModelFile, WhatIsNoModelSaysSo) {
  EXPECT_TRUE(contains(error_of_text(safetensors_text("{}")), "not a Quaver model"));
  EXPECT_TRUE(contains(error_of_text(safetensors_text("{}")), "quaver convert"));
  const std::string text = save_bytes(samples::integer_lstm());
  const auto error_without = [](const std::string& whole, const char* key) {
    Parts parts(whole);
    parts.metadata.erase(key);
    return error_of_text(safetensors_text(parts.entries, parts.metadata));
  };
  for (const char* key : {"version", "checksum"})
    EXPECT_TRUE(contains(error_without(text, key), concat("no '", key, "'")));
  EXPECT_TRUE(contains(error_without(text, "graph"), "has neither 'graph' of a model nor 'network'"));
  const std::string older = io_test::read_text(testing_support::own_goldens("model_v2") / "model.safetensors");
  for (const char* key : {"version", "graph", "provenance", "checksum"})
    EXPECT_TRUE(contains(error_without(older, key), concat("no '", key, "'")));
}

TEST(ModelFile, AGraphBesideANetworkIsAnError) {
  const std::string text = save_bytes(samples::integer_lstm());
  Parts parts(text);
  parts.metadata["network"] = "{}";
  EXPECT_TRUE(contains(error_of_text(parts.text()), "has both 'graph' of a model and 'network' of a memory network"));
}

TEST(ModelFile, AMissingTextFailsTheChecksum) {
  const std::string text = save_bytes(samples::float_graph());
  Parts parts(text);
  parts.metadata.erase("words");
  EXPECT_TRUE(contains(error_of_text(safetensors_text(parts.entries, parts.metadata)), "the file is damaged"));
}

TEST(ModelFile, AChangedTensorFailsTheChecksum) {
  const std::string text = save_bytes(samples::integer_lstm());
  Parts parts(text);
  const std::vector<std::byte> zeros(parts.entries["lstm.W"].bytes.size());
  parts.entries["lstm.W"].bytes = zeros;
  EXPECT_TRUE(contains(error_of_text(safetensors_text(parts.entries, parts.metadata)), "the file is damaged"));
}

struct Change {
  const char* name;
  void (*apply)(Parts&);
  const char* message;
};
void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

const std::vector<std::byte> kTwelveBytes(12);

const Change kChanges[] = {
    {"graph_is_a_list", [](Parts& p) { p.graph = nlohmann::ordered_json::array(); },
     "graph is a JSON array, expected an object"},
    {"no_nodes_key", [](Parts& p) { p.graph.erase("nodes"); }, "graph: 'nodes' is missing"},
    {"nodes_text", [](Parts& p) { p.graph["nodes"] = "x"; }, "graph: 'nodes' is a JSON string, expected a list"},
    {"unknown_entry", [](Parts& p) { p.graph["extra"] = 1; }, "graph has an unknown entry 'extra'"},
    {"unknown_attribute", [](Parts& p) { p.graph["nodes"][0]["attributes"]["x"] = 1; },
     "node 0: 'attributes' has an unknown entry 'x'"},
    {"missing_attribute", [](Parts& p) { p.graph["nodes"][0]["attributes"].erase("input_size"); },
     "node 'lstm' (lstm) has input_size 0"},
    {"attribute_type", [](Parts& p) { p.graph["nodes"][0]["attributes"]["peephole"] = 1; },
     "'peephole' is a JSON number, expected true or false"},
    {"size_fraction", [](Parts& p) { p.graph["nodes"][0]["attributes"]["hidden_size"] = 4.5; }, "expected an integer"},
    {"size_beyond", [](Parts& p) { p.graph["nodes"][0]["attributes"]["hidden_size"] = 18446744073709551615u; },
     "expected an integer"},
    {"size_huge", [](Parts& p) { p.graph["nodes"][0]["attributes"]["hidden_size"] = 1 << 30; }, "expected 1 to 65536"},
    {"scale_beyond_float", [](Parts& p) { p.graph["inputs"][0]["value"]["format"]["scale"] = 1e300; },
     "beyond what a float holds"},
    {"scale_null", [](Parts& p) { p.graph["inputs"][0]["value"]["format"]["scale"] = nullptr; }, "expected a number"},
    {"zero_point_beyond", [](Parts& p) { p.graph["inputs"][0]["value"]["format"]["zero_point"] = 1LL << 40; },
     "beyond 32 bits"},
    {"unknown_sums", [](Parts& p) { p.graph["nodes"][0]["sums"] = "parts"; }, "unknown sums 'parts'"},
    {"graph_of_version_2", [](Parts& p) { p.metadata["version"] = "2"; }, "'provenance'"},
    {"no_inputs_key", [](Parts& p) { p.graph.erase("inputs"); }, "graph: 'inputs' is missing"},
    {"inputs_number", [](Parts& p) { p.graph["nodes"][0]["inputs"] = {1}; },
     "node 0: 'inputs' holds a number, expected texts"},
    {"shape_missing", [](Parts& p) { p.graph["inputs"][0]["value"].erase("shape"); }, "'shape' is missing"},
    {"shape_fraction", [](Parts& p) { p.graph["inputs"][0]["value"]["shape"] = {1.5}; },
     "'shape' holds a number, expected integers"},
    {"shape_axes",
     [](Parts& p) {
       p.graph["inputs"][0]["value"]["shape"] = {1, 1, 1, 1, 3};
     },
     "5 axes, expected at most 4"},
    {"shape_negative", [](Parts& p) { p.graph["nodes"][0]["outputs"][0]["shape"] = {-2}; },
     "says its output is -2 a step"},
    {"rate", [](Parts& p) { p.graph["inputs"][0]["value"]["rate"] = 2; }, "once every 2 steps"},
    {"delay", [](Parts& p) { p.graph["nodes"][0]["outputs"][0]["delay"] = 3; }, "3 late"},
    {"entry_of_a_value", [](Parts& p) { p.graph["inputs"][0]["value"]["sequence"] = true; },
     "input 0: 'value' has an unknown entry 'sequence'"},
    {"packed_i8",
     [](Parts& p) {
       p.graph["tensors"]["lstm.W"] = {{"format", "i4"}, {"shape", {12, 3}}};
     },
     "'lstm.W' is 12x3 I8, which does not hold 12x3 i4, expected 12x2 U8"},
    {"packed_nothing",
     [](Parts& p) {
       p.graph["tensors"]["x"] = {{"format", "i4"}, {"shape", {12, 3}}};
     },
     "says what 'x' is, but there is no such tensor"},
    {"packed_unknown",
     [](Parts& p) {
       p.graph["tensors"]["lstm.W"] = {{"format", "i3"}, {"shape", {12, 3}}};
     },
     "unknown format 'i3', expected one of i4, ternary, quaternary, binary"},
    {"u8_unsaid",
     [](Parts& p) {
       p.entries["lstm.W"] = {NumberType::kU8, {12}, kTwelveBytes};
     },
     "'lstm.W' is U8, but graph: 'tensors' does not say"},
    {"u8_of_another_format",
     [](Parts& p) {
       p.entries["lstm.W"] = {NumberType::kU8, {12, 1}, kTwelveBytes};
       p.graph["tensors"]["lstm.W"] = {{"format", "binary"}, {"shape", {12, 3}}};
     },
     "'lstm.W' is 12x3 binary, expected 12x3 i8"},
    {"words_list", [](Parts& p) { p.metadata["words"] = "{}"; }, "words is no list"},
    {"words_number", [](Parts& p) { p.metadata["words"] = R"(["a",1])"; }, "words: element 1 is no text"},
    {"words_deep", [](Parts& p) { p.metadata["words"] = R"([["a"]])"; }, "words: element 0 is no text"},
    {"words_broken", [](Parts& p) { p.metadata["words"] = R"(["a")"; }, "words is not valid JSON"},
    {"words_of_reals", [](Parts& p) { p.metadata["words"] = R"(["a"])"; }, "1 words, but no input is ids"},
    {"unknown_operation", [](Parts& p) { p.graph["nodes"][0]["op"] = "transformer"; },
     "unknown operation 'transformer'"},
    {"unknown_direction", [](Parts& p) { p.graph["nodes"][0]["attributes"]["direction"] = "up"; },
     "unknown direction 'up'"},
    {"unknown_kind", [](Parts& p) { p.graph["inputs"][0]["value"]["format"]["kind"] = "i3"; }, "unknown format 'i3'"},
    {"classes_numbers",
     [](Parts& p) {
       p.graph["classes"] = {1, 2};
     },
     "'classes' holds a number"},
    {"cycle", [](Parts& p) { p.graph["nodes"][0]["inputs"][0] = "lstm"; }, "reads 'lstm', which is neither"},
    {"scale_of_nothing", [](Parts& p) { p.graph["scales"]["x.W"] = 1.0; }, "scales for 'x.W', but no such tensor"},
    {"scales_twice", [](Parts& p) { p.graph["scales"]["lstm.W"] = 1.0; }, "the only scales of 'lstm.W'"},
    {"scale_of_scales", [](Parts& p) { p.graph["scales"]["lstm.W.scale"] = 1.0; }, "scales of scales"},
    {"scales_as_integers", [](Parts& p) { p.entries["lstm.W.scale"].dtype = NumberType::kI32; },
     "expected the only scales"},
    {"scale_count",
     [](Parts& p) {
       p.entries["lstm.W.scale"] = {NumberType::kF32, {3}, kTwelveBytes};
     },
     "'lstm.W' has scale 0"},
    {"scale_of_a_bias", [](Parts& p) { p.graph["scales"]["lstm.b"] = 1.0; }, "'lstm.b' is a bias and has scales"},
    {"tensor_missing",
     [](Parts& p) {
       p.entries.erase("lstm.P");
       p.entries.erase("lstm.P.scale");
     },
     "'lstm.P' is missing"},
    {"tensor_stray",
     [](Parts& p) {
       p.entries["x"] = {NumberType::kF32, {3}, kTwelveBytes};
     },
     "no node uses tensor 'x'"},
    {"tensor_dtype",
     [](Parts& p) {
       p.entries["x"] = {NumberType::kI64, {1}, std::span(kTwelveBytes).first(8)};
     },
     "'x' is I64, expected F32, U8, I8, I16 or I32"},
    {"provenance_list", [](Parts& p) { p.metadata["provenance"] = "[]"; }, "provenance is a JSON array"},
    {"provenance_number", [](Parts& p) { p.metadata["provenance"] = R"({"a":1})"; },
     "provenance: 'a' is a JSON number"},
    {"provenance_deep", [](Parts& p) { p.metadata["provenance"] = R"({"a":{"b":{"c":1}}})"; }, "nested deeper"},
    {"provenance_twice", [](Parts& p) { p.metadata["provenance"] = R"({"a":"1","a":"2"})"; }, "the key 'a' twice"},
    {"provenance_endless", [](Parts& p) { p.metadata["provenance"] = "{}" + std::string(1 << 24, ' '); },
     "16777218 bytes, more than the limit of 16777216"},
    {"provenance_broken", [](Parts& p) { p.metadata["provenance"] = "{"; }, "provenance is not valid JSON"},
};

class ModelFileRefuses : public testing::TestWithParam<Change> {};

TEST_P(ModelFileRefuses, AnInconsistentFile) {
  const std::string text = save_bytes(samples::integer_lstm());
  Parts parts(text);
  GetParam().apply(parts);
  EXPECT_TRUE(contains(error_of_text(parts.text()), GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, ModelFileRefuses, testing::ValuesIn(kChanges),
                         [](const testing::TestParamInfo<Change>& change) { return std::string(change.param.name); });

TEST(ModelFile, AGraphNestedWithoutEndIsAnError) {
  const std::string text = save_bytes(samples::integer_lstm());
  Parts parts(text);
  nlohmann::ordered_json deep = 1;
  for (int i = 0; i < 100; ++i) deep = nlohmann::ordered_json::array({deep});
  parts.graph["classes"] = deep;
  EXPECT_TRUE(contains(error_of_text(parts.text()), "graph is nested deeper than 6"));
}

TEST(ModelFile, SavesAndLoadsByPath) {
  const io_test::TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  const Model model = samples::float_classifier();
  save(model, path);
  EXPECT_EQ(load(path), model);
  EXPECT_EQ(io_test::read_text(path), save_bytes(model));

  Model broken = model;
  broken.outputs.clear();
  EXPECT_TRUE(contains(error_of([&] { save(broken, path); }), "no outputs"));
  EXPECT_EQ(load(path), model) << "a model that cannot be saved must leave the old file";
  Model latin = model;
  latin.classes[0] = "\xe9";
  EXPECT_TRUE(contains(error_of([&] { save(latin, path); }), "graph cannot be written as JSON"));

  write_file_atomically(path, "garbage!");
  EXPECT_TRUE(contains(error_of([&] { load(path); }), "model.safetensors: the header claims"));
  EXPECT_TRUE(contains(error_of([&] { load(folder.path() / "none"); }), "No such file or directory"));
  EXPECT_EQ(folder.file_count(), 1u);
}

// The values that make.py of tests/golden/model_v1, model_v2 and model_v4 write.
namespace golden {

Tensor codes_i8(std::vector<std::int64_t> shape, std::vector<float> scales) {
  Tensor tensor = Tensor::zeros(NumberType::kI8, std::move(shape));
  int i = 0;
  for (std::int8_t& code : tensor.as_mutable<std::int8_t>())
    code = static_cast<std::int8_t>((37 * i++ + 11) % 255 - 127);
  tensor.scales = std::move(scales);
  return tensor;
}

Tensor codes_i32(std::vector<std::int64_t> shape) {
  Tensor tensor = Tensor::zeros(NumberType::kI32, std::move(shape));
  std::int32_t i = 0;
  for (std::int32_t& code : tensor.as_mutable<std::int32_t>()) code = 100 * i++ - 500;
  return tensor;
}

Tensor reals(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

Model version_one() {
  Model model;
  model.name = "golden";
  model.task = "chirps";
  model.scheme = "int8";
  model.inputs = {{"input", {{3}, true, {NumberType::kI8, 0.02f, -5}}}};
  const Format lstm_output{NumberType::kI8, 0.0078f, 3};
  Node& lstm = samples::append(model, "lstm", LstmAttributes{.input_size = 3, .hidden_size = 4, .clip = 7.7f}, "int8",
                               lstm_output);
  lstm.codes = {{"cell_clip", 31539}, {"output_low", -128}, {"output_high", 127}};
  samples::append(model, "last", PoolAttributes{Pooling::kLast}, "int8", lstm_output);
  samples::append(model, "scores", DenseAttributes{.input_size = 4, .units = 2}, "int8", {NumberType::kI16, 0.001f, 0});
  std::vector<float> rows;
  for (int row = 0; row < 16; ++row) rows.push_back(static_cast<float>(row + 1) / 1024.0f);
  model.tensors = {{"lstm.W", codes_i8({16, 3}, rows)},
                   {"lstm.R", codes_i8({16, 4}, {0.0123f})},
                   {"lstm.b", codes_i32({16})},
                   {"scores.W", codes_i8({2, 4}, {1.0f / 3.0f})},
                   {"scores.b", codes_i32({2})},
                   {"input.mean", reals({-1.5f, 0.1f, 2.0f})},
                   {"input.inverse_deviation", reals({1.0f, 0.3f, 4.0f})}};
  model.outputs = {"scores"};
  model.classes = {"up", "d\xc3\xb6wn"};
  model.provenance = {{"command", "tests/golden/model_v1/make.py"}, {"seed", "none"}};
  return model;
}

Model version_two() {
  Model model;
  model.name = "golden";
  model.scheme = "int8";
  model.inputs = {{"input", {{3}, true, {NumberType::kI8, 0.02f, -5}}}};
  const Format gru_output{NumberType::kI8, 0.003f, -7};
  Node& gru = samples::append(model, "gru", GruAttributes{.input_size = 3, .hidden_size = 2}, "int8", gru_output);
  gru.formats = {{"candidate_recurrent", {NumberType::kI16, 0x1p-10f, 0}}};
  gru.sums = Sums::kWhole;
  Node& lstm = samples::append(model, "lstm", LstmAttributes{.input_size = 2, .hidden_size = 2}, "int8_per_tensor",
                               {NumberType::kI8, 0.0078f, 3});
  lstm.codes = {{"cell_clip", 0}, {"output_low", -128}, {"output_high", 127}};
  Node& rnn = samples::append(model, "rnn", RnnAttributes{.input_size = 2, .hidden_size = 2}, "int8",
                              {NumberType::kI16, 0x1p-15f, 0});
  rnn.formats = {{"state", {NumberType::kI8, 0.003f, -7}}};
  rnn.sums = Sums::kWhole;
  model.tensors = {{"gru.W", codes_i8({6, 3}, {0.01f})},
                   {"gru.R", codes_i8({6, 2}, {0.02f})},
                   {"gru.b", codes_i32({6})},
                   {"gru.b_recurrent", codes_i32({2})},
                   {"lstm.W", codes_i8({8, 2}, {0.03f})},
                   {"lstm.R", codes_i8({8, 2}, {0.04f})},
                   {"lstm.b", codes_i32({8})},
                   {"rnn.W", codes_i8({2, 2}, {0.05f})},
                   {"rnn.R", codes_i8({2, 2}, {0.06f})},
                   {"rnn.b", codes_i32({2})},
                   {"input.scale", reals({1.0f, 2.5f, 0.1f})},
                   {"input.offset", reals({0.0f, -7.0f, 1e4f})},
                   {"lstm.scale", reals({1.0f, 0.3f})}};
  model.outputs = {"lstm", "rnn"};
  model.provenance = {{"command", "tests/golden/model_v2/make.py"}, {"seed", "none"}};
  return model;
}

Tensor nibbles(std::vector<std::int64_t> shape, std::vector<float> scales) {
  Tensor tensor = Tensor::zeros(NumberType::kI8, std::move(shape));
  const std::span<std::int8_t> codes = tensor.as_mutable<std::int8_t>();
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int8_t>((5 * i + 3) % 15) - 7;
  tensor.scales = std::move(scales);
  return tensor.packed(NumberType::kI4);
}

Model version_four() {
  const Format i8{NumberType::kI8, 0.0078f, 3}, state{NumberType::kI16, 0x1p-12f, 0}, total{NumberType::kI16, 1e-4f, 0};
  Model model;
  model.name = "golden";
  model.task = "chirps";
  model.scheme = "int4";
  model.inputs = {{"frames", {{2}, true, i8}},
                  {"ids", {{1}, true, {NumberType::kI32, 1.0f, 0}}},
                  {"context", {{2}, false, i8}},
                  {"picture", {{3, 2}, true, i8}}};
  samples::append(model, "words", EmbeddingAttributes{.vocabulary = 4, .features = 3}, "int4",
                  {NumberType::kI8, 0.02f, -1}, {"ids"});
  samples::append(model, "beside", ConcatAttributes{}, "int4", i8, {"frames", "words"}).formats = {{"input_1", i8}};
  Node& lstm =
      samples::append(model, "lstm", LstmAttributes{.input_size = 5, .hidden_size = 2, .clip = 7.7f}, "int4", i8);
  lstm.outputs.push_back({{2}, false, i8});
  lstm.outputs.push_back({{2}, false, state});
  lstm.formats = {{"cell", state}};
  lstm.codes = {{"cell_clip", 31539}, {"output_low", -128}, {"output_high", 127}};
  lstm.sums = Sums::kWhole;
  samples::append(model, "sum", AddAttributes{}, "int8", {NumberType::kI8, 0.02f, 0}, {"lstm", "context"}).formats = {
      {"input", total}, {"input_1", total}};
  samples::append(model, "rows", DenseAttributes{.input_size = 2, .units = 2}, "int8_per_tensor",
                  {NumberType::kI16, 0.001f, 0}, {"picture"});
  std::vector<float> rows;
  for (int row = 0; row < 8; ++row) rows.push_back(static_cast<float>(row + 1) / 64.0f);
  model.tensors = {{"words.W", codes_i8({4, 3}, {0.02f})},      {"lstm.W", nibbles({8, 5}, rows)},
                   {"lstm.R", nibbles({8, 2}, {0.01f, 0.03f})}, {"lstm.b", codes_i32({8})},
                   {"rows.W", codes_i8({2, 2}, {1.0f / 3.0f})}, {"rows.b", codes_i32({2})},
                   {"frames.mean", reals({-1.5f, 0.1f})},       {"frames.inverse_deviation", reals({1.0f, 0.3f})},
                   {"lstm.offset", reals({0.5f, -0.25f})}};
  model.outputs = {"sum", "rows", "lstm.c_n"};
  model.classes = {"up", "d\xc3\xb6wn"};
  model.words = {"", "yes", "no", "\"\xc3\xa9\""};
  model.provenance = {{"command", "tests/golden/model_v4/make.py"}, {"seed", "none"}};
  return model;
}

std::filesystem::path path(const char* set) { return testing_support::own_goldens(set) / "model.safetensors"; }

}  // namespace golden

// What version 1 says nothing of is what it did: halves of sums are cut off one by one.
TEST(ModelFile, ReadsTheGoldenOfVersionOne) { EXPECT_EQ(load(golden::path("model_v1")), golden::version_one()); }

TEST(ModelFile, ReadsTheGoldenOfVersionTwo) { EXPECT_EQ(load(golden::path("model_v2")), golden::version_two()); }

TEST(ModelFile, ReadsAndWritesTheGoldenOfVersionFour) {
  EXPECT_EQ(load(golden::path("model_v4")), golden::version_four());
  EXPECT_EQ(save_bytes(golden::version_four()), io_test::read_text(golden::path("model_v4")))
      << "version 4 is still the version written";
}

// A model read from an older file is written as what it is in the newest version.
TEST(ModelFile, OlderModelsAreWrittenAnew) {
  for (const char* version : {"model_v1", "model_v2"}) {
    const Model model = load(golden::path(version));
    const std::string text = save_bytes(model);
    EXPECT_EQ(Parts(text).metadata.at("version"), "4");
    EXPECT_EQ(load_bytes(bytes_of(text)), model);
    EXPECT_EQ(fingerprint(load_bytes(bytes_of(text))), fingerprint(model));
    EXPECT_LT(text.size(), std::filesystem::file_size(golden::path(version))) << "files do not grow";
  }
}

}  // namespace
}  // namespace quaver
