#include "quaver/report/cost/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/formats/channels.h"
#include "quaver/report/cost/operations/row.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

constexpr const char* kStepRules = "every node once a step, every operation it executes, sums as wide as they must be";

constexpr std::uint64_t kNormalizeOps = 2, kEncodeOps = 5, kDecodeOps = 2, kChannelOps = 2;

std::uint64_t number(std::int64_t value) { return static_cast<std::uint64_t>(value); }

TensorReport tensor_report(const std::string& name, const Tensor& tensor) {
  return {name, std::string(type_name(tensor.kind)), tensor.shape, tensor.scales.size(),
          tensor.bytes.size() + tensor.scales.size() * type_bytes(tensor.scale_type())};
}

LayerReport layer_report(const Model& model, const Node& node, const StateLayout& states, const EnergyTable& table) {
  const Value& edge = model.value(node.inputs[0]);
  const bool in_float = runs_in_float(node);
  const bool reads_ids = row_of(node.operation).reads_ids();

  LayerReport layer;
  layer.name = node.name;
  layer.kind = operation_name(node.operation);
  layer.detail = row_of(node.operation).variant(node.operation);
  layer.scheme = node.scheme;
  layer.input_format = type_name(edge.format.kind);
  layer.output_format = type_name(node.outputs[0].format.kind);
  layer.input_features = 0;
  for (const std::string& input : node.inputs) layer.input_features += model.value(input).size();
  layer.output_features = node.outputs[0].size();
  for (const TensorSlot& slot : tensor_slots(node)) {
    layer.tensors.push_back(tensor_report(slot.name, model.tensor(slot.name)));
    layer.bytes += layer.tensors.back().bytes;
    if (slot.name == node.name + ".W") layer.weight_format = layer.tensors.back().format;
  }
  for (const TensorSlot& slot : optional_tensor_slots(node)) {
    const Tensor* tensor = model.find_tensor(slot.name);
    if (tensor == nullptr) continue;
    layer.tensors.push_back(tensor_report(slot.name, *tensor));
    layer.bytes += layer.tensors.back().bytes;
  }
  for (const StatePart& part : states.parts)
    if (part.name.starts_with(node.name + ".")) layer.state_bytes += part.count * type_bytes(part.type);

  OperationCounts& operations = layer.operations;
  operations = operations_of(node, edge, input_format(model, node).kind, in_float);
  layer.macs = operations.macs;
  const auto recode = [&](std::uint64_t values, std::uint64_t each) {
    operations.add(kMultiply, kF32, values);
    operations.add(kAdd, kF32, values * (each - 1));
  };
  for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
    const Value& input = model.value(node.inputs[slot]);
    const Format read = input_format(model, node, slot);
    const std::uint64_t values = number(input.size());
    if (read == input.format) continue;
    if (is_float(read)) {
      recode(values, kDecodeOps);
    } else if (is_float(input.format)) {
      recode(values, kEncodeOps);
    } else {
      operations.add(kMultiply, kI32, values);
      operations.add(kAdd, kI32, 3 * values);
    }
  }
  const bool index = node.outputs[0].format.kind == NumberType::kI32;
  if (in_float && !index && !is_float(node.outputs[0].format)) recode(number(node.outputs[0].size()), kEncodeOps);
  layer.energy_pj = operations.energy_pj(table);

  // Of a table one row is read.
  layer.traffic.weights_read = reads_ids ? layer.bytes / number(layer.tensors.front().shape.front()) : layer.bytes;
  const auto bytes = [](const Value& value) { return number(value.size()) * type_bytes(value.format.kind); };
  layer.traffic.activations_read = layer.traffic.activations_written = layer.state_bytes;
  for (const std::string& input : node.inputs) layer.traffic.activations_read += bytes(model.value(input));
  for (const Value& output : node.outputs) layer.traffic.activations_written += bytes(output);
  return layer;
}

std::optional<ChannelReport> channel_report(const Model& model, const std::string& name) {
  const Channels channels = channels_of(model, name);
  if (channels.empty()) return std::nullopt;
  const Format& format = model.value(name).format;
  const bool i8 = format.kind == NumberType::kI8;
  const Tensor* mean = model.find_tensor(name + ".mean");
  ChannelReport report{name, {}, {}, {}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(model.value(name).shape.features()); ++c) {
    const double deviation =
        mean == nullptr ? 1 : 1 / static_cast<double>(model.tensor(name + ".inverse_deviation").as<float>()[c]);
    const double middle = mean == nullptr ? 0 : static_cast<double>(mean->as<float>()[c]);
    const double step = deviation * channels.scale_of(c) * static_cast<double>(format.scale);
    const double zero = middle + deviation * channels.offset_of(c);  // of code zero_point
    report.step.push_back(step);
    report.low.push_back(zero + step * ((i8 ? -128 : -32768) - format.zero_point));
    report.high.push_back(zero + step * ((i8 ? 127 : 32767) - format.zero_point));
  }
  return report;
}

nlohmann::ordered_json to_json(const ChannelReport& channels) {
  return {{"value", channels.value}, {"step", channels.step}, {"low", channels.low}, {"high", channels.high}};
}

nlohmann::ordered_json to_json(const LayerReport& layer) {
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const TensorReport& tensor : layer.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"format", tensor.format},
                       {"shape", tensor.shape},
                       {"scales", tensor.scales},
                       {"bytes", tensor.bytes}});
  }
  return {{"name", layer.name},
          {"kind", layer.kind},
          {"detail", layer.detail},
          {"scheme", layer.scheme},
          {"input_features", layer.input_features},
          {"output_features", layer.output_features},
          {"input_format", layer.input_format},
          {"weight_format", layer.weight_format},
          {"output_format", layer.output_format},
          {"bytes", layer.bytes},
          {"state_bytes", layer.state_bytes},
          {"macs", layer.macs},
          {"float_ops", layer.operations.float_ops()},
          {"energy_pj", layer.energy_pj},
          {"operations", to_json(layer.operations)},
          {"traffic", to_json(layer.traffic)},
          {"tensors", std::move(tensors)}};
}

}  // namespace

Inspection inspect(const Model& model, std::uint64_t file_bytes, const EnergyTable& table) {
  Inspection inspection;
  inspection.model = model.name;
  inspection.task = model.task;
  inspection.scheme = model.scheme;
  inspection.fingerprint = fingerprint(model);
  inspection.classes = model.classes;
  inspection.input_features = model.inputs[0].value.size();
  inspection.input_format = type_name(model.inputs[0].value.format.kind);

  const Session session(model);
  OperationCounts operations, in_float;
  for (const Node& node : model.nodes) {
    inspection.layers.push_back(layer_report(model, node, session.state_layout(), table));
    const LayerReport& layer = inspection.layers.back();
    inspection.macs += layer.macs;
    inspection.state_bytes += layer.state_bytes;
    operations += layer.operations;
    inspection.traffic += layer.traffic;
    in_float += operations_of(node, model.value(node.inputs[0]), NumberType::kF32, true);
    if (!is_float_scheme(model.scheme) && layer.operations.float_ops() > 0) inspection.float_nodes.push_back(node.name);
  }
  for (const auto& [name, tensor] : model.tensors) {
    inspection.weights_bytes += tensor_report(name, tensor).bytes;
    inspection.parameters += number(tensor.element_count());
  }
  inspection.bytes = file_bytes > 0 ? file_bytes : inspection.weights_bytes;

  inspection.float_ops = operations.float_ops();
  for (const ModelInput& input : model.inputs) {
    const std::uint64_t values = number(input.value.size());
    if (model.find_tensor(input.name + ".mean") != nullptr) inspection.border_float_ops += values * kNormalizeOps;
    if (input.value.format.kind == NumberType::kI8) inspection.border_float_ops += values * kEncodeOps;
    if (std::optional<ChannelReport> report = channel_report(model, input.name)) {
      inspection.border_float_ops += values * kChannelOps;
      inspection.channels.push_back(std::move(*report));
    }
  }
  for (const Node& node : model.nodes) {
    std::optional<ChannelReport> report = channel_report(model, node.name);
    if (!report) continue;
    if (std::ranges::find(model.outputs, node.name) != model.outputs.end())
      inspection.border_float_ops += number(node.outputs[0].size()) * kChannelOps;
    inspection.channels.push_back(std::move(*report));
  }
  for (const std::string& output : model.outputs) {
    const Value& value = model.value(output);
    if (value.format.kind == NumberType::kI8 || value.format.kind == NumberType::kI16)
      inspection.border_float_ops += number(value.size()) * kDecodeOps;
  }

  inspection.energy_table = table;
  inspection.energy_pj = operations.energy_pj(table);
  if (inspection.energy_pj > 0) inspection.energy_gain_vs_f32 = in_float.energy_pj(table) / inspection.energy_pj;
  const auto weights = static_cast<double>(inspection.traffic.weights_read);
  if (table.sram_pj_per_byte) inspection.memory_pj_sram = weights * *table.sram_pj_per_byte;
  if (table.dram_pj_per_byte) inspection.memory_pj_dram = weights * *table.dram_pj_per_byte;
  return inspection;
}

nlohmann::ordered_json to_json(const Inspection& inspection) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerReport& layer : inspection.layers) layers.push_back(to_json(layer));
  nlohmann::ordered_json channels = nlohmann::ordered_json::array();
  for (const ChannelReport& report : inspection.channels) channels.push_back(to_json(report));
  return {{"model", inspection.model},
          {"task", inspection.task},
          {"scheme", inspection.scheme},
          {"input_features", inspection.input_features},
          {"input_format", inspection.input_format},
          {"bytes", inspection.bytes},
          {"weights_bytes", inspection.weights_bytes},
          {"state_bytes", inspection.state_bytes},
          {"parameters", inspection.parameters},
          {"macs", inspection.macs},
          {"float_ops", inspection.float_ops},
          {"border_float_ops", inspection.border_float_ops},
          {"energy_pj", inspection.energy_pj},
          {"energy_gain_vs_f32", inspection.energy_gain_vs_f32},
          {"energy_table", to_json(inspection.energy_table)},
          {"energy_rules", kStepRules},
          {"traffic", to_json(inspection.traffic)},
          {"memory_pj_sram", optional(inspection.memory_pj_sram)},
          {"memory_pj_dram", optional(inspection.memory_pj_dram)},
          {"channels", std::move(channels)},
          {"float_nodes", inspection.float_nodes},
          {"layers", std::move(layers)},
          {"fingerprint", hex64(inspection.fingerprint)},
          {"classes", inspection.classes}};
}

std::string to_text(const Inspection& inspection) {
  Table table({{"layer", Align::kLeft},
               {"kind", Align::kLeft},
               {"scheme", Align::kLeft},
               {"in"},
               {"out"},
               {"formats in/W/out", Align::kLeft},
               {"weights B"},
               {"state B"},
               {"MACs/step"},
               {"float ops/step"},
               {"nJ/step"},
               {"variant", Align::kLeft}});
  for (const LayerReport& layer : inspection.layers) {
    table.add_row({layer.name, layer.kind, layer.scheme, std::to_string(layer.input_features),
                   std::to_string(layer.output_features),
                   fmt::format("{}/{}/{}", layer.input_format, layer.weight_format.empty() ? "-" : layer.weight_format,
                               layer.output_format),
                   count_text(layer.bytes), count_text(layer.state_bytes), count_text(layer.macs),
                   count_text(layer.operations.float_ops()), fixed_text(layer.energy_pj / 1000, 2), layer.detail});
  }
  std::string text = table.text() + '\n';
  text += fmt::format(
      "model       {}{}, scheme {}\n", inspection.model.empty() ? "(no name)" : printable(inspection.model),
      inspection.task.empty() ? "" : fmt::format(", task {}", printable(inspection.task)), inspection.scheme);
  text +=
      fmt::format("input       {} per step, {}\n",
                  inspection.input_format == "i32" ? "one id" : fmt::format("{} features", inspection.input_features),
                  inspection.input_format);
  for (const ChannelReport& channels : inspection.channels) {
    const auto [least, most] = std::ranges::minmax(channels.step);
    text += fmt::format("channels    {}: a scale for each of {}, a code is {:.3g} to {:.3g}\n", channels.value,
                        channels.step.size(), least, most);
  }
  text += fmt::format("bytes       {} file, {} weights, {} state per stream, {} parameters\n", inspection.bytes,
                      inspection.weights_bytes, inspection.state_bytes, inspection.parameters);
  text += fmt::format("step        {} MACs, float_ops: {} (border: {})\n", inspection.macs, inspection.float_ops,
                      inspection.border_float_ops);
  text += fmt::format("energy      {:.1f} nJ/step in arithmetic, {:.1f}x less than the same model in f32 ({})\n",
                      inspection.energy_pj / 1000, inspection.energy_gain_vs_f32, inspection.energy_table.source);
  text += fmt::format("            counted: {}; docs/energy.md\n", kStepRules);
  text += traffic_text(inspection.traffic, "step", inspection.memory_pj_sram, inspection.memory_pj_dram);
  if (!inspection.float_nodes.empty()) text += fmt::format("float       {}\n", join(inspection.float_nodes, ", "));
  return text;
}

}  // namespace quaver
