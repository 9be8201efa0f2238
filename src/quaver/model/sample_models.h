// sample_models.h - small valid models with random weights, for tests and fuzz seeds. Not a public header.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/model.h"

namespace quaver::samples {

// Appends a node that reads `inputs` (none: the last node made, or the model's first input).
inline Node& append(Model& model, std::string name, Operation operation, const std::string& scheme, Format output,
                    std::vector<std::string> inputs = {}) {
  if (inputs.empty()) inputs = {model.nodes.empty() ? model.inputs[0].name : model.nodes.back().name};
  std::vector<const Value*> read;
  for (const std::string& input : inputs) read.push_back(&model.value(input));
  Node node;
  node.outputs = {row_of(operation).outputs(operation, read)[0]};
  node.outputs[0].format = output;
  node.name = std::move(name);
  node.operation = std::move(operation);
  node.inputs = std::move(inputs);
  node.scheme = scheme;
  for (const FormatSlot& slot : row_of(node.operation).formats(node))
    if (!slot.optional)
      node.formats[slot.name] = slot.kind == NumberType::kI8
                                    ? Format{NumberType::kI8, 0.007f, 4}
                                    : Format{NumberType::kI16, slot.integer_bits ? 0x1p-12f : 3e-4f, 0};
  for (const CodeSlot& slot : row_of(node.operation).codes(node))
    node.codes[slot.name] = slot.name == "output_low" && slot.high > -120 ? -120 : std::min(slot.high, 32000);
  model.nodes.push_back(std::move(node));
  return model.nodes.back();
}

// Random tensors for every slot; integer weights get a scale a row where the scheme has one.
inline void fill_tensors(Model& model, std::uint64_t seed) {
  Random random(seed);
  for (const Node& node : model.nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      Tensor tensor = Tensor::zeros(slot.kind, slot.shape);
      if (slot.kind == NumberType::kF32) {
        for (float& value : tensor.as_mutable<float>()) value = static_cast<float>(random.uniform(-0.5, 0.5));
      } else if (const WeightFormat* format = weight_format_of(slot.kind)) {
        Tensor codes = Tensor::zeros(NumberType::kI8, slot.shape);
        for (std::int8_t& code : codes.as_mutable<std::int8_t>()) do
            code = static_cast<std::int8_t>(random.between(-format->limit, format->limit));
          while (!format->holds(code));
        tensor = codes.packed(slot.kind);
      } else if (slot.kind == NumberType::kI16) {
        for (std::int16_t& code : tensor.as_mutable<std::int16_t>())
          code = static_cast<std::int16_t>(random.between(-32767, 32767));
      } else {
        for (std::int32_t& code : tensor.as_mutable<std::int32_t>())
          code = static_cast<std::int32_t>(random.between(-1000, 1000));
      }
      if (weight_format_of(slot.kind) != nullptr || slot.kind == NumberType::kI16) {
        const bool per_row = find_scheme(node.scheme)->scale_a_row && tensor.rows() != 256;
        tensor.scales.assign(per_row ? static_cast<std::size_t>(tensor.rows()) : 1, 0.0f);
        for (float& scale : tensor.scales) scale = static_cast<float>(random.uniform(1e-4, 1e-2));
      }
      model.tensors[slot.name] = std::move(tensor);
    }
  }
}

// Features -> two recurrent layers -> pool -> dense -> softmax in float, with normalization of the input.
inline Model float_classifier(std::uint64_t seed = 1) {
  Model model;
  model.name = "float classifier";
  model.task = "chirps";
  model.inputs = {{"input", {{5}, true, {}}}};
  append(model, "lstm0", LstmAttributes{.input_size = 5, .hidden_size = 4, .direction = Direction::kBidirectional},
         "f32", {});
  append(model, "gru1", GruAttributes{.input_size = 8, .hidden_size = 3}, "f32", {});
  append(model, "last", PoolAttributes{Pooling::kLast}, "f32", {});
  append(model, "scores", DenseAttributes{.input_size = 3, .units = 2}, "f32", {});
  append(model, "softmax", SoftmaxAttributes{}, "f32", {});
  fill_tensors(model, seed);
  const std::vector<float> mean{0.1f, -0.2f, 0.3f, 0.0f, 5.0f}, inverse{1.0f, 2.0f, 0.5f, 1e-3f, 3.0f};
  model.tensors["input.mean"] = Tensor::from<float>({5}, mean);
  model.tensors["input.inverse_deviation"] = Tensor::from<float>({5}, inverse);
  model.outputs = {"scores", "softmax"};
  model.classes = {"up", "down \"quoted\" \xc3\xa9"};
  model.provenance = {{"command", "quaver train chirps"}, {"seed", "1"}};
  return model;
}

// One LSTM with every switch on, in integers.
inline Model integer_lstm(const std::string& scheme = "int8", std::uint64_t seed = 2) {
  Model model;
  model.name = "integer lstm";
  model.scheme = scheme;
  model.inputs = {{"input", {{3}, true, {NumberType::kI8, 0.02f, -5}}}};
  append(model, "lstm",
         LstmAttributes{.input_size = 3,
                        .hidden_size = 4,
                        .projection_size = 2,
                        .input_forget = true,
                        .peephole = true,
                        .layer_norm = true,
                        .clip = 7.5f,
                        .projection_clip = 0.9f,
                        .direction = Direction::kBidirectional},
         scheme, {NumberType::kI8, 0.0078f, 3});
  fill_tensors(model, seed);
  model.outputs = {"lstm"};
  return model;
}

// Ids -> embedding -> GRU -> dense -> softmax and argmax a step, in integers, with one float island in the middle.
inline Model integer_tagger(std::uint64_t seed = 3) {
  const Format i8{NumberType::kI8, 0.013f, 7};
  Model model;
  model.name = "integer tagger";
  model.scheme = "int8";
  model.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
  append(model, "words", EmbeddingAttributes{.vocabulary = 6, .features = 4}, "int8", i8);
  append(model, "gru", GruAttributes{.input_size = 4, .hidden_size = 3, .linear_before_reset = false},
         "int8_per_tensor", {NumberType::kI8, 0x1p-7f, 0});
  append(model, "island", RnnAttributes{.input_size = 3, .hidden_size = 2, .nonlinearity = Nonlinearity::kRelu}, "f32",
         i8);
  append(model, "gelu", ActivationAttributes{Nonlinearity::kGelu}, "int8", i8);
  append(model, "logits", DenseAttributes{.input_size = 2, .units = 3}, "int8", {NumberType::kI16, 1e-3f, 0});
  append(model, "softmax", SoftmaxAttributes{}, "int8", {NumberType::kI16, 0x1p-15f, 0});
  append(model, "tags", ArgmaxAttributes{}, "int8", {NumberType::kI32, 1.0f, 0}, {"logits"});
  fill_tensors(model, seed);
  model.outputs = {"softmax", "tags"};
  model.classes = {"a", "b", "c"};
  return model;
}

// A GRU and an RNN with all that version 2 of the file brought: whole sums, a format of their own for the candidate's
// recurrent half and for the outputs, scales and offsets a channel.
inline Model integer_gru(std::uint64_t seed = 4) {
  Model model;
  model.name = "integer gru";
  model.scheme = "int8";
  model.inputs = {{"input", {{3}, true, {NumberType::kI8, 0.02f, -5}}}};
  Node& gru =
      append(model, "gru", GruAttributes{.input_size = 3, .hidden_size = 4, .direction = Direction::kBidirectional},
             "int8", {NumberType::kI8, 0.004f, -11});
  gru.formats = {{"candidate_recurrent", {NumberType::kI16, 0x1p-12f, 0}},
                 {"candidate_recurrent_reverse", {NumberType::kI16, 0x1p-8f, 0}}};
  gru.sums = Sums::kWhole;
  append(model, "rnn", RnnAttributes{.input_size = 8, .hidden_size = 2}, "int8", {NumberType::kI8, 0.006f, 7}).sums =
      Sums::kWhole;
  fill_tensors(model, seed);
  const std::vector<float> scale{1.0f, 2.5f, 1e-3f}, offset{0.0f, -7.0f, 1e4f}, rows{1.0f, 0.5f};
  model.tensors["input.scale"] = Tensor::from<float>({3}, scale);
  model.tensors["input.offset"] = Tensor::from<float>({3}, offset);
  model.tensors["rnn.scale"] = Tensor::from<float>({2}, rows);
  model.outputs = {"rnn"};
  return model;
}

// Ids -> embedding of 16 bits -> LSTM -> RNN, whose states are handed on in 16 bits as well.
inline Model integer_wide(std::uint64_t seed = 5) {
  const Format state{NumberType::kI16, 0x1p-15f, 0};
  Model model;
  model.name = "integer wide";
  model.scheme = "int8";
  model.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
  append(model, "words", EmbeddingAttributes{.vocabulary = 6, .features = 4}, "int8", {NumberType::kI16, 1e-4f, 0});
  append(model, "lstm", LstmAttributes{.input_size = 4, .hidden_size = 3, .direction = Direction::kBidirectional},
         "int8", state)
      .sums = Sums::kWhole;
  append(model, "rnn", RnnAttributes{.input_size = 6, .hidden_size = 2}, "int8", state).sums = Sums::kWhole;
  fill_tensors(model, seed);
  model.outputs = {"rnn"};
  return model;
}

// Frames and a context without time, joined; an LSTM that hands out what it ends with; in integers.
inline Model integer_graph(std::uint64_t seed = 6) {
  const Format i8{NumberType::kI8, 0.02f, -5}, common{NumberType::kI16, 1e-4f, 0};
  Model model;
  model.name = "integer graph";
  model.scheme = "int8";
  model.inputs = {{"frames", {{3}, true, i8}}, {"context", {{2}, false, {NumberType::kI8, 0.1f, 3}}}};
  Node& lstm = append(model, "lstm", LstmAttributes{.input_size = 3, .hidden_size = 4}, "int8", i8, {"frames"});
  lstm.outputs.push_back({{4}, false, i8});
  lstm.outputs.push_back({{4}, false, lstm.formats.at("cell")});
  append(model, "hint", DenseAttributes{.input_size = 2, .units = 4}, "int8", {NumberType::kI8, 0.03f, 1}, {"context"});
  append(model, "sum", AddAttributes{}, "int8", {NumberType::kI8, 0.04f, 2}, {"lstm", "hint"}).formats = {
      {"input", common}, {"input_1", common}};
  append(model, "both", ConcatAttributes{}, "int8", i8, {"sum", "lstm"}).formats = {{"input", i8}};
  append(model, "scores", DenseAttributes{.input_size = 8, .units = 2}, "int8", {NumberType::kI16, 1e-3f, 0});
  fill_tensors(model, seed);
  model.outputs = {"scores", "lstm.h_n", "lstm.c_n"};
  return model;
}

// What is no chain, in float: three inputs (frames, ids, a context without time), joins, states as outputs, words.
inline Model float_graph(std::uint64_t seed = 7) {
  Model model;
  model.name = "float graph";
  model.inputs = {
      {"frames", {{3}, true, {}}}, {"ids", {{1}, true, {NumberType::kI32, 1.0f, 0}}}, {"context", {{2}, false, {}}}};
  append(model, "words", EmbeddingAttributes{.vocabulary = 5, .features = 2}, "f32", {}, {"ids"});
  append(model, "beside", ConcatAttributes{}, "f32", {}, {"frames", "words", "context"});
  Node& lstm =
      append(model, "lstm", LstmAttributes{.input_size = 7, .hidden_size = 3, .projection_size = 2}, "f32", {});
  lstm.outputs.push_back({.shape = {2}, .has_time = false});
  lstm.outputs.push_back({.shape = {3}, .has_time = false});
  append(model, "sum", AddAttributes{}, "f32", {}, {"lstm.h_n", "context"});
  fill_tensors(model, seed);
  model.outputs = {"lstm", "sum", "lstm.c_n"};
  model.words = {"", "yes", "no", "\xc3\xa9", "\"quoted\""};
  return model;
}

// Frames of two axes beside a vector, in integers with weights of two widths.
inline Model integer_picture(std::uint64_t seed = 8) {
  const Format i8{NumberType::kI8, 0.013f, 7}, sum{NumberType::kI16, 1e-4f, 0};
  Model model;
  model.name = "integer picture";
  model.scheme = "int8";
  model.inputs = {{"picture", {{2, 3}, true, {NumberType::kI8, 0.02f, -5}}}, {"x", {{3}, true, i8}}};
  append(model, "rows", DenseAttributes{.input_size = 3, .units = 2}, "int8", i8);
  append(model, "gru", GruAttributes{.input_size = 3, .hidden_size = 2}, "int8", {NumberType::kI8, 0x1p-7f, 0}, {"x"})
      .outputs.push_back({.shape = {2}, .has_time = false, .format = {NumberType::kI8, 0x1p-7f, 0}});
  append(model, "again", DenseAttributes{.input_size = 2, .units = 2}, "int4", i8, {"gru"});
  append(model, "sum", AddAttributes{}, "int8", i8, {"gru", "again"}).formats = {{"input", sum}, {"input_1", sum}};
  append(model, "beside", ConcatAttributes{}, "int8", i8, {"sum", "gru"}).formats = {{"input_1", i8}};
  fill_tensors(model, seed);
  model.outputs = {"rows", "beside", "gru.h_n"};
  return model;
}

// Ids -> an embedding of each packed format, joined -> RNN with a scale a gate.
inline Model integer_few_bits(std::uint64_t seed = 9) {
  const Format codes{NumberType::kI8, 0.3f, 0};
  Model model;
  model.name = "integer few bits";
  model.scheme = "ternary";
  model.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
  std::vector<std::string> tables;
  for (const std::string scheme : {"int4", "quaternary", "ternary", "binary"}) {
    append(model, scheme, EmbeddingAttributes{.vocabulary = 6, .features = 5}, scheme, codes, {"input"});
    tables.push_back(scheme);
  }
  append(model, "both", ConcatAttributes{}, "int8", codes, tables);
  append(model, "rnn", RnnAttributes{.input_size = 20, .hidden_size = 3}, "ternary_per_tensor",
         {NumberType::kI8, 0x1p-7f, 0})
      .sums = Sums::kWhole;
  fill_tensors(model, seed);
  model.outputs = {"both", "rnn"};
  return model;
}

inline std::vector<Model> all() {
  return {float_classifier(),   integer_lstm(),    integer_lstm("int8_per_tensor"),
          integer_lstm("int4"), integer_tagger(),  integer_gru(),
          integer_wide(),       integer_graph(),   float_graph(),
          integer_picture(),    integer_few_bits()};
}

}  // namespace quaver::samples
