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

// Appends `operation` as node `name` reading the last node (or the first input) and fills its tensors: matrices with
// deviation gain / sqrt(columns), biases with deviation 0.1.
class ModelBuilder {
 public:
  ModelBuilder(std::string name, std::int64_t features, std::uint64_t seed) : random_(seed) {
    model_.name = std::move(name);
    model_.inputs = {{"input", {{features}, true, {}}}};
  }
  ModelBuilder(std::string name, std::vector<ModelInput> inputs, std::uint64_t seed) : random_(seed) {
    model_.name = std::move(name);
    model_.inputs = std::move(inputs);
  }
  // A model that reads ids.
  static ModelBuilder of_ids(std::string name, std::uint64_t seed) {
    ModelBuilder builder(std::move(name), 1, seed);
    builder.model_.inputs[0].value.format.kind = NumberType::kI32;
    return builder;
  }

  ModelBuilder& add(const std::string& name, const Operation& operation) {
    return add(name, operation, {model_.nodes.empty() ? model_.inputs[0].name : model_.nodes.back().name});
  }
  // outputs: how many of the operation's slots are handed out.
  ModelBuilder& add(const std::string& name, const Operation& operation, std::vector<std::string> inputs,
                    std::size_t outputs = 1) {
    std::vector<const Value*> read;
    for (const std::string& input : inputs) read.push_back(&model_.value(input));
    Node node{.name = name, .operation = operation, .inputs = std::move(inputs)};
    node.outputs = row_of(operation).outputs(operation, read);
    node.outputs.resize(outputs);
    for (const TensorSlot& slot : tensor_slots(node)) fill(slot, operation);
    model_.nodes.push_back(std::move(node));
    return *this;
  }
  Model finish() { return finish({model_.nodes.back().name}); }
  Model finish(std::vector<std::string> outputs) {
    model_.outputs = std::move(outputs);
    validate(model_);
    return model_;
  }

 private:
  void fill(const TensorSlot& slot, const Operation& operation) {
    double mean = 0, deviation = 0.1;
    if (slot.start == TensorStart::kOnes) {
      mean = 1;
      deviation = 0.2;
    } else if (slot.role == TensorRole::kTable) {
      deviation = 1;
    } else if (slot.role == TensorRole::kMatrix) {
      deviation = 1 / std::sqrt(static_cast<double>(slot.shape[1]));
      // A plain recurrent layer has no gate that keeps its state from growing.
      if (slot.start == TensorStart::kOrthogonal && row_of(operation).gates(operation).size() == 1) deviation *= 0.5;
    }
    Tensor tensor = Tensor::zeros(slot.kind, slot.shape);
    for (float& value : tensor.as_mutable<float>()) value = static_cast<float>(mean + deviation * random_.normal());
    model_.tensors[slot.name] = std::move(tensor);
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
