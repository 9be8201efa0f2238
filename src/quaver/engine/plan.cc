#include "quaver/engine/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "quaver/cells/scratch.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/engine/bind.h"
#include "quaver/fixed/quantization.h"

namespace quaver {
namespace {

bool is_coded(const Format& format) { return format.kind == NumberType::kI8 || format.kind == NumberType::kI16; }

// The matrices of a float node, which one step reads whole; a row of an embedding's is nothing beside them.
std::size_t float_weight_bytes(const Model& model, const Node& node) {
  if (std::holds_alternative<EmbeddingAttributes>(node.operation)) return 0;
  std::size_t bytes = 0;
  for (const TensorSlot& slot : tensor_slots(node))
    if (slot.shape.size() > 1) bytes += model.tensor(slot.name).byte_count();
  return bytes;
}

}  // namespace

Session::Plan::Plan(const Model& source, Isa chosen) : model(source), isa(chosen) {
  validate(model);
  std::optional<Model> wide;
  if (has_i4(model)) wide = unpacked(model);
  const Model& readable = wide ? *wide : model;
  values.push_back(model.inputs[0].value);
  channels.push_back(channels_of(model, "input"));
  std::map<std::string, std::size_t> value_of{{"input", 0}};
  StateLayout states;
  const auto add = [&](std::unique_ptr<Layer> layer, std::size_t input, Channels made) {
    values.push_back(layer->output());
    channels.push_back(std::move(made));
    layer->set_channels(channels[input], channels.back());
    scratch_bytes = std::max(scratch_bytes, layer->scratch_bytes());
    weight_bytes += layer->weight_bytes();
    if (!layer->streams() && looks_ahead.empty()) looks_ahead = layer->name();
    for (StatePart part : layer->state_parts()) {
      part.name = layer->name() + "." + part.name;
      part.offset += state_bytes;
      states.parts.push_back(part);
    }
    stages.push_back({std::move(layer), input, values.size() - 1, state_bytes});
    state_bytes += align_up(stages.back().layer->state_bytes());
    return values.size() - 1;
  };
  const auto layer_of = [&](const Node& node) {
    try {
      return make_layer(readable, node, isa);
    } catch (const Error& error) {  // scales that no multiplier holds, sums beyond int32
      throw Error(error.kind(), concat("node '", printable(node.name), "': ", error.what()));
    }
  };
  for (const Node& node : model.nodes) {
    std::size_t input = value_of.at(node.inputs[0]);
    if (node.scheme == "f32") weight_bytes += float_weight_bytes(model, node);
    const Format wanted = input_format(model, node);
    if (wanted != values[input].format)
      input = add(make_conversion(values[input], wanted), input, is_float(wanted) ? Channels{} : channels[input]);
    if (node.scheme == "f32" && is_coded(node.outputs[0].format)) {  // a float island that gives codes
      Node inside = node;
      inside.outputs[0].format = Format{};
      const std::size_t real = add(layer_of(inside), input, {});
      value_of[node.name] =
          add(make_conversion(values[real], node.outputs[0].format), real, channels_of(model, node.name));
    } else {
      value_of[node.name] = add(layer_of(node), input, channels_of(model, node.name));
    }
  }
  for (const std::string& name : model.outputs) outputs.push_back(value_of.at(name));
  states.bytes = state_bytes;
  states.fingerprint = fingerprint(model);
  layout = std::make_shared<const StateLayout>(std::move(states));
  std::vector<float> mean, inverse_deviation;
  if (const Tensor* tensor = model.find_tensor("input.mean")) {
    const auto means = tensor->as<float>(), inverse = model.tensor("input.inverse_deviation").as<float>();
    mean.assign(means.begin(), means.end());
    inverse_deviation.assign(inverse.begin(), inverse.end());
  }
  border = FrameCoder(input_features(), values[0].format, channels[0], std::move(mean), std::move(inverse_deviation));
}

std::size_t Session::Plan::block_steps(std::size_t sequences, std::size_t longest) const {
  constexpr std::size_t kBytes = 2 << 20;  // of all values
  constexpr std::size_t kLeast = 64;       // products of several steps at once need some
  if (!looks_ahead.empty()) return longest;
  std::size_t step_bytes = 0;
  for (const Value& value : values) step_bytes += value.has_time ? value_bytes(value) : 0;
  return std::min(longest, std::max(kLeast, kBytes / std::max<std::size_t>(step_bytes * sequences, 1)));
}

void Session::Plan::reset(std::byte* state) const noexcept {
  for (const Stage& stage : stages) stage.layer->reset(state + stage.state_offset);
}

Session::Workspace::Workspace(const Plan& plan)
    : values(plan.values.size()), scratch(plan.scratch_bytes), states(kCellGroup * plan.state_bytes) {
  reserve(plan, kCellGroup);
}

void Session::Workspace::reserve(const Plan& plan, std::size_t steps) {
  for (std::size_t v = 0; v < values.size(); ++v) {
    const std::size_t bytes = value_bytes(plan.values[v]) * (plan.values[v].has_time ? steps : kCellGroup);
    if (values[v].size() < bytes) values[v].resize(bytes);
  }
}

}  // namespace quaver
