// test_models.h - random float models with their quantized forms and sequences, for the tests of this floor.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/sample_models.h"
#include "quaver/quantize/quantize.h"

namespace quaver::samples {

// features -> cell -> (last) -> 3 scores; without pooling a tagger.
inline Model small_model(Operation cell, bool pooled) {
  Model model;
  model.name = "small";
  model.inputs = {{"input", {{4}, true, {}}}};
  append(model, "cell", std::move(cell), "f32", {});
  if (pooled) append(model, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
  append(model, "scores", DenseAttributes{.input_size = model.nodes.back().outputs[0].size(), .units = 3}, "f32", {});
  fill_tensors(model, 7);
  model.outputs = {"scores"};
  return model;
}

struct RandomSequences {
  std::vector<std::vector<float>> values;
  std::vector<SequenceView> views;
};

inline RandomSequences random_sequences(std::size_t count, std::size_t steps, std::size_t features,
                                        std::uint64_t seed = 11) {
  Random random(seed);
  RandomSequences sequences;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<float> values(steps * features);
    for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
    sequences.values.push_back(std::move(values));
  }
  for (const auto& values : sequences.values) sequences.views.push_back({steps, values, {}, {}});
  return sequences;
}

inline Model quantized(const Model& model, const RandomSequences& sequences, const QuantizeOptions& options = {}) {
  return quantize(model, calibrate(model, sequences.views), options).model;
}

}  // namespace quaver::samples
