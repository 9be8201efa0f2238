#include "quaver/bench/random_model.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/quantize/quantize.h"

namespace quaver {
namespace {

// Enough steps for ranges, fewer for large layers: the float reference that observes them is a slow reader.
constexpr std::size_t kMostCalibrationSteps = 50, kLeastCalibrationSteps = 4, kCalibrationSequences = 2;
constexpr std::size_t kCalibrationWeights = 50'000'000;  // times steps

// The attributes of the options that the cell has.
Operation operation(const RandomModelOptions& options) {
  const std::vector<std::string> cells = recurrent_names();
  if (std::ranges::find(cells, options.cell) == cells.end())
    throw_usage(concat("unknown cell '", options.cell, "', expected one of: ", join(cells, ", ")));
  Operation cell = operation_from_name(options.cell);
  visit_fields(cell, [&]<typename T>(std::string_view name, T& value) {
    const auto set = [&](std::string_view attribute, auto wanted) {
      if constexpr (std::is_same_v<T, decltype(wanted)>)
        if (name == attribute) value = wanted;
    };
    set("input_size", static_cast<std::int64_t>(options.input));
    set("hidden_size", static_cast<std::int64_t>(options.hidden));
    set("projection_size", static_cast<std::int64_t>(options.projection));
    set("input_forget", options.cifg);
    set("peephole", options.peephole);
    set("layer_norm", options.layer_norm);
    set("linear_before_reset", options.linear_before_reset);
  });
  return cell;
}

}  // namespace

Model random_model(const RandomModelOptions& options) {
  Random random(options.seed);
  Model model;
  model.name = "random " + options.cell;
  model.inputs = {{"input", {{static_cast<std::int64_t>(options.input)}, true, {}}}};
  Node node;
  node.name = options.cell + "0";
  node.operation = operation(options);
  node.inputs = {"input"};
  node.outputs = {output_value(node.operation, model.inputs[0].value)};
  const double bound = 1 / std::sqrt(static_cast<double>(options.hidden));
  for (const TensorSlot& slot : tensor_slots(node)) {
    Tensor tensor = Tensor::zeros(slot.kind, slot.shape);
    for (float& value : tensor.as_mutable<float>()) value = static_cast<float>(random.uniform(-bound, bound));
    model.tensors[slot.name] = std::move(tensor);
  }
  model.outputs = {node.name};
  model.nodes.push_back(std::move(node));
  validate(model);
  if (is_float_scheme(options.scheme)) return model;

  const std::size_t weights = options.hidden * (options.hidden + options.input);
  const std::size_t steps = std::clamp(kCalibrationWeights / weights, kLeastCalibrationSteps, kMostCalibrationSteps);
  std::vector<std::vector<float>> sequences(kCalibrationSequences, std::vector<float>(steps * options.input));
  std::vector<SequenceView> views;
  for (std::vector<float>& sequence : sequences) {
    for (float& value : sequence) value = static_cast<float>(random.uniform(-1, 1));
    views.push_back({steps, sequence, {}, {}});
  }
  QuantizeOptions quantize_options;
  quantize_options.scheme = options.scheme;
  quantize_options.rounding = Rounding::kNearest;  // the other takes minutes at 2048 units and times the same
  return quantize(model, calibrate(model, views), quantize_options).model;
}

}  // namespace quaver
