// random_model.h - models and sequences from a seed, for tests and benches: every cell and variant without training.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/data/dataset.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"

namespace quaver::testing {

// Appends `operation` as node `name` reading the last node (or the input) and fills its tensors: matrices with
// deviation gain / sqrt(columns), biases with deviation 0.1.
class ModelBuilder {
 public:
  ModelBuilder(std::string name, std::int64_t features, std::uint64_t seed) : random_(seed) {
    model_.name = std::move(name);
    model_.inputs = {{"input", {{features}, true, {}}}};
  }
  // A model that reads ids.
  static ModelBuilder of_ids(std::string name, std::uint64_t seed) {
    ModelBuilder builder(std::move(name), 1, seed);
    builder.model_.inputs[0].value.format.kind = NumberType::kI32;
    return builder;
  }

  ModelBuilder& add(const std::string& name, const Operation& operation) {
    Node node;
    node.name = name;
    node.operation = operation;
    node.inputs = {model_.nodes.empty() ? "input" : model_.nodes.back().name};
    node.outputs = {output_value(operation, model_.value(node.inputs[0]))};
    node.outputs[0].format = {};
    if (std::holds_alternative<ArgmaxAttributes>(operation)) node.outputs[0].format.kind = NumberType::kI32;
    model_.nodes.push_back(node);
    fill(node);
    return *this;
  }
  Model finish() {
    model_.outputs = {model_.nodes.back().name};
    validate(model_);
    return model_;
  }
  Model finish(std::vector<std::string> outputs) {
    model_.outputs = std::move(outputs);
    validate(model_);
    return model_;
  }

 private:
  void tensor(const std::string& name, std::vector<std::int64_t> shape, double mean, double deviation) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(mean + deviation * random_.normal());
    model_.tensors[name] = Tensor::from<float>(std::move(shape), values);
  }
  void matrix(const std::string& name, std::int64_t rows, std::int64_t cols) {
    tensor(name, {rows, cols}, 0, 1 / std::sqrt(static_cast<double>(cols)));
  }
  void vector(const std::string& name, std::int64_t size) { tensor(name, {size}, 0, 0.1); }

  void fill(const Node& node) {
    const std::string prefix = node.name + ".";
    if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation)) {
      const std::int64_t rows = lstm->gate_count() * lstm->hidden_size;
      for (const std::string& suffix : direction_suffixes(lstm->direction)) {
        matrix(prefix + "W" + suffix, rows, lstm->input_size);
        matrix(prefix + "R" + suffix, rows, lstm->output_size());
        vector(prefix + "b" + suffix, rows);
        if (lstm->peephole) vector(prefix + "P" + suffix, (lstm->gate_count() - 1) * lstm->hidden_size);
        if (lstm->layer_norm) tensor(prefix + "L" + suffix, {rows}, 1, 0.2);
        if (lstm->projection_size > 0) {
          matrix(prefix + "W_projection" + suffix, lstm->projection_size, lstm->hidden_size);
          vector(prefix + "b_projection" + suffix, lstm->projection_size);
        }
      }
    } else if (const auto* gru = std::get_if<GruAttributes>(&node.operation)) {
      for (const std::string& suffix : direction_suffixes(gru->direction)) {
        matrix(prefix + "W" + suffix, 3 * gru->hidden_size, gru->input_size);
        matrix(prefix + "R" + suffix, 3 * gru->hidden_size, gru->hidden_size);
        vector(prefix + "b" + suffix, 3 * gru->hidden_size);
        vector(prefix + "b_recurrent" + suffix, 3 * gru->hidden_size);
      }
    } else if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation)) {
      for (const std::string& suffix : direction_suffixes(rnn->direction)) {
        matrix(prefix + "W" + suffix, rnn->hidden_size, rnn->input_size);
        tensor(prefix + "R" + suffix, {rnn->hidden_size, rnn->hidden_size}, 0,
               0.5 / std::sqrt(static_cast<double>(rnn->hidden_size)));
        vector(prefix + "b" + suffix, rnn->hidden_size);
      }
    } else if (const auto* dense = std::get_if<DenseAttributes>(&node.operation)) {
      matrix(prefix + "W", dense->units, dense->input_size);
      vector(prefix + "b", dense->units);
    } else if (const auto* embedding = std::get_if<EmbeddingAttributes>(&node.operation)) {
      tensor(prefix + "W", {embedding->vocabulary, embedding->features}, 0, 1);
    }
  }

  Random random_;
  Model model_;
};

// Smooth random features: a first-order process of deviation 1, as real streams are correlated in time.
inline Sequence random_sequence(std::size_t steps, std::size_t features, std::uint64_t seed) {
  Random random(seed);
  Sequence sequence{steps, features, std::vector<float>(steps * features), {}};
  for (std::size_t i = 0; i < sequence.values.size(); ++i) {
    const double before = i >= features ? static_cast<double>(sequence.values[i - features]) : 0;
    sequence.values[i] = static_cast<float>(0.8 * before + 0.6 * random.normal());
  }
  return sequence;
}

inline Sequence random_ids(std::size_t steps, std::int64_t vocabulary, std::uint64_t seed) {
  Random random(seed);
  Sequence sequence{steps, 0, {}, std::vector<std::int32_t>(steps)};
  for (std::int32_t& id : sequence.ids)
    id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary)));
  return sequence;
}

inline SequenceView view(const Sequence& sequence) { return {sequence.steps, sequence.values, sequence.ids, {}}; }

inline std::vector<SequenceView> views(const std::vector<Sequence>& sequences) {
  std::vector<SequenceView> all;
  for (const Sequence& sequence : sequences) all.push_back(view(sequence));
  return all;
}

}  // namespace quaver::testing
