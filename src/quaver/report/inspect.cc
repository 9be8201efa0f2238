#include "quaver/report/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/model/channels.h"
#include "quaver/report/table.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

constexpr const char* kStepRules = "every node once a step, every operation it executes, sums as wide as they must be";

constexpr std::uint64_t kNormalizeOps = 2, kEncodeOps = 5, kDecodeOps = 2, kChannelOps = 2;

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

std::uint64_t number(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::uint64_t direction_count(Direction direction) { return direction_suffixes(direction).size(); }

// Adds up the operations of one node, in f32 or in integers, in the order in which the cells compute.
class Counter {
 public:
  explicit Counter(bool in_float) : float_(in_float) {}

  OperationCounts operations;

  void matrix(std::uint64_t rows, std::uint64_t cols) {
    if (float_) {
      operations.mac(kF32, kF32, rows * cols);
    } else {
      operations.mac(kI8, kI32, rows * cols);
    }
  }
  // Biases, or two sums that become one.
  void add(std::uint64_t count) { operations.add(kAdd, float_ ? kF32 : kI32, count); }
  void add_i16(std::uint64_t count) { operations.add(kAdd, float_ ? kF32 : kI16, count); }
  void compare(std::uint64_t count) { operations.add(kCompare, float_ ? kF32 : kI16, count); }
  // A product of two int16 numbers with the rounding shift after it.
  void multiply(std::uint64_t count) {
    if (float_) {
      operations.add(kMultiply, kF32, count);
    } else {
      operations.add(kMultiply, kI16, count);
      rounding_shift(count);
    }
  }
  void multiply_i32(std::uint64_t count) { operations.add(kMultiply, float_ ? kF32 : kI32, count); }
  void curve(std::uint64_t count) {
    if (float_) {
      operations.f32_curve += count;
    } else {
      operations.add(kMultiply, kI16, kCurveSteps * count);
      operations.add(kAdd, kI16, kCurveSteps * count);
    }
  }
  // From one scale to another: a product and two rounding shifts' additions. Float needs none.
  void requantize(std::uint64_t count) {
    if (float_) return;
    operations.add(kMultiply, kI32, count);
    operations.add(kAdd, kI32, count);
    rounding_shift(count);
  }
  // The zero point of an affine output.
  void shift_zero(std::uint64_t count) {
    if (!float_) operations.add(kAdd, kI32, count);
  }
  bool in_float() const { return float_; }

 private:
  void rounding_shift(std::uint64_t count) {
    operations.add(kAdd, kI32, count);
    operations.add(kShift, kI32, count);
  }

  bool float_;
};

// The int8 copy of a state of 16 bits.
void state_codes(std::uint64_t count, Counter& counter) {
  if (counter.in_float()) return;
  counter.multiply(count);
  counter.shift_zero(count);
}

void count(const LstmAttributes& lstm, bool wide_output, Counter& counter) {
  const std::uint64_t n = number(lstm.hidden_size), out = number(lstm.output_size());
  const std::uint64_t gates = number(lstm.gate_count()), rows = gates * n;
  for (const std::uint64_t cols : {number(lstm.input_size), out}) {
    counter.matrix(rows, cols);
    counter.requantize(rows);
  }
  counter.add(rows);                           // bias
  if (!counter.in_float()) counter.add(rows);  // the recurrent sum has a folded bias of its own
  if (!counter.in_float()) counter.add(rows);  // both sums
  if (lstm.peephole) {
    const std::uint64_t peepholes = (gates - 1) * n;
    counter.multiply(peepholes);
    counter.requantize(peepholes);
    counter.add(peepholes);
  }
  if (lstm.layer_norm) {
    counter.add(rows);           // mean
    counter.add(rows);           // centre
    counter.multiply_i32(rows);  // squares
    counter.add(rows);           // variance
    if (counter.in_float()) {
      counter.operations.f32_curve += rows + 3 * gates;  // a division a value; mean, variance and root a gate
    } else {
      counter.requantize(rows);  // times the inverse root
      counter.curve(gates);      // the root itself
    }
    counter.multiply_i32(rows);  // weight
    counter.add(rows);           // shift
    counter.requantize(rows);
  }
  counter.curve(rows);
  if (lstm.input_forget) counter.add_i16(n);
  counter.multiply(2 * n);
  counter.add_i16(n);
  if (lstm.clip > 0) counter.compare(2 * n);
  counter.curve(n);
  counter.multiply(n);
  if (wide_output) return state_codes(n, counter);
  counter.requantize(n);
  counter.shift_zero(n);
  if (lstm.projection_size > 0) {
    counter.matrix(out, n);
    counter.add(out);
    counter.requantize(out);
    counter.shift_zero(out);
    if (lstm.projection_clip > 0) counter.compare(2 * out);
  }
}

void count(const GruAttributes& gru, Counter& counter) {
  const std::uint64_t n = number(gru.hidden_size);
  for (const std::uint64_t cols : {number(gru.input_size), n}) {
    counter.matrix(3 * n, cols);
    counter.add(3 * n);  // biases of both sums
    counter.requantize(3 * n);
  }
  counter.add(3 * n);   // both sums
  counter.multiply(n);  // reset
  counter.curve(3 * n);
  counter.add_i16(n);
  counter.multiply(n);
  counter.add_i16(n);
  state_codes(n, counter);
}

void count(const RnnAttributes& rnn, Counter& counter) {
  const std::uint64_t n = number(rnn.hidden_size);
  for (const std::uint64_t cols : {number(rnn.input_size), n}) {
    counter.matrix(n, cols);
    counter.requantize(n);
  }
  counter.add(n);
  if (!counter.in_float()) counter.add(n);  // both sums
  if (rnn.nonlinearity == Nonlinearity::kRelu) {
    counter.compare(n);
  } else {
    counter.curve(n);
  }
  state_codes(n, counter);
}

void count(const DenseAttributes& dense, Counter& counter) {
  const std::uint64_t units = number(dense.units);
  counter.matrix(units, number(dense.input_size));
  counter.add(units);
  counter.requantize(units);
  counter.shift_zero(units);
}

void count(const ActivationAttributes& activation, std::uint64_t features, Counter& counter) {
  if (!counter.in_float() || activation.function == Nonlinearity::kIdentity) return;  // a table look-up
  if (activation.function == Nonlinearity::kRelu) {
    counter.compare(features);
  } else if (activation.function == Nonlinearity::kHardSigmoid) {
    counter.multiply(features);
    counter.add(features);
    counter.compare(2 * features);
  } else {
    counter.curve(features);
  }
}

void count(const PoolAttributes& pool, std::uint64_t features, Counter& counter) {
  if (pool.pooling == Pooling::kLast || pool.pooling == Pooling::kFinal) return;  // copies
  if (pool.pooling == Pooling::kMax) {
    counter.compare(features);
  } else {
    counter.add(features);
    counter.curve(features);
  }
}

// The second product of matrices whose input has codes of 16 bits (A45): an addend of each gate's sums, else added to
// the accumulators.
void count_high_halves(const Node& node, std::uint64_t cols, Counter& counter) {
  std::uint64_t rows = 0, accumulators = 0;
  if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation))
    rows = number(lstm->gate_count() * lstm->hidden_size);
  else if (const auto* gru = std::get_if<GruAttributes>(&node.operation))
    rows = number(3 * gru->hidden_size);
  else if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation))
    accumulators = number(rnn->hidden_size);
  else if (const auto* dense = std::get_if<DenseAttributes>(&node.operation))
    accumulators = number(dense->units);
  counter.matrix(rows + accumulators, cols);
  counter.requantize(rows);
  counter.operations.add(kShift, kI32, accumulators);
  counter.add(rows + accumulators);
}

// Operations of one node in f32 or in integers, without the recoding of its edges.
OperationCounts count(const Node& node, std::uint64_t input_features, NumberType input, bool in_float) {
  Counter one(in_float);
  if (!in_float && input == NumberType::kI16) count_high_halves(node, input_features, one);
  const bool wide_output = !in_float && node.outputs[0].format.kind == NumberType::kI16;
  std::uint64_t times = 1;
  std::visit(Overloaded{[&](const LstmAttributes& lstm) {
                          count(lstm, wide_output, one);
                          times = direction_count(lstm.direction);
                        },
                        [&](const GruAttributes& gru) {
                          count(gru, one);
                          times = direction_count(gru.direction);
                        },
                        [&](const RnnAttributes& rnn) {
                          count(rnn, one);
                          times = direction_count(rnn.direction);
                        },
                        [&](const DenseAttributes& dense) { count(dense, one); }, [&](const EmbeddingAttributes&) {},
                        [&](const ActivationAttributes& activation) { count(activation, input_features, one); },
                        [&](const PoolAttributes& pool) { count(pool, input_features, one); },
                        [&](const SoftmaxAttributes&) {
                          one.operations += softmax_operations(input_features,
                                                               in_float ? SoftmaxForm::kFloat : SoftmaxForm::kComputed);
                        },
                        [&](const ArgmaxAttributes&) { one.compare(input_features); }},
             node.operation);
  return one.operations.times(times);
}

// Bytes that a stream keeps in this node between steps.
std::uint64_t state_bytes(const Node& node, std::uint64_t input_features) {
  const bool in_float = node.scheme == "f32";
  const std::uint64_t h_bytes = node.outputs[0].format.kind == NumberType::kI16 ? 3 : 1;  // a wide h and its copy
  return std::visit(
      Overloaded{[&](const LstmAttributes& lstm) {
                   const std::uint64_t n = number(lstm.hidden_size), out = number(lstm.output_size());
                   return direction_count(lstm.direction) * (in_float ? 4 * (n + out) : 2 * n + h_bytes * out);
                 },
                 [&](const GruAttributes& gru) {
                   return direction_count(gru.direction) * number(gru.hidden_size) * (in_float ? 4u : 3u);
                 },
                 [&](const RnnAttributes& rnn) {
                   return direction_count(rnn.direction) * number(rnn.hidden_size) * (in_float ? 4u : 3u);
                 },
                 [&](const PoolAttributes& pool) {
                   return pool.pooling == Pooling::kLast ? std::uint64_t{0} : 8 + input_features * (in_float ? 4u : 8u);
                 },
                 [](const auto&) { return std::uint64_t{0}; }},
      node.operation);
}

std::string detail(const Operation& operation) {
  std::vector<std::string> words;
  const auto say = [&](bool when, std::string word) {
    if (when) words.push_back(std::move(word));
  };
  const auto say_direction = [&](Direction direction) {
    say(direction != Direction::kForward, std::string(direction_name(direction)));
  };
  std::visit(Overloaded{[&](const LstmAttributes& lstm) {
                          say(lstm.input_forget, "cifg");
                          say(lstm.peephole, "peephole");
                          say(lstm.layer_norm, "layer norm");
                          say(lstm.projection_size > 0, fmt::format("projected from {}", lstm.hidden_size));
                          say(lstm.clip > 0, fmt::format("clip {:g}", lstm.clip));
                          say(lstm.projection_clip > 0, fmt::format("projection clip {:g}", lstm.projection_clip));
                          say_direction(lstm.direction);
                        },
                        [&](const GruAttributes& gru) {
                          say(!gru.linear_before_reset, "reset before");
                          say_direction(gru.direction);
                        },
                        [&](const RnnAttributes& rnn) {
                          say(true, std::string(nonlinearity_name(rnn.nonlinearity)));
                          say_direction(rnn.direction);
                        },
                        [&](const ActivationAttributes& activation) {
                          say(true, std::string(nonlinearity_name(activation.function)));
                        },
                        [&](const PoolAttributes& pool) { say(true, std::string(pooling_name(pool.pooling))); },
                        [](const auto&) {}},
             operation);
  return join(words, ", ");
}

TensorReport tensor_report(const std::string& name, const Tensor& tensor) {
  return {name, std::string(type_name(tensor.kind)), tensor.shape, tensor.scales.size(),
          tensor.bytes.size() + tensor.scales.size() * sizeof(float)};
}

LayerReport layer_report(const Model& model, const Node& node, const EnergyTable& table) {
  const Value& edge = model.value(node.inputs[0]);
  const bool in_float = node.scheme == "f32";
  const bool reads_ids = std::holds_alternative<EmbeddingAttributes>(node.operation);
  const std::uint64_t features = number(edge.size());

  LayerReport layer;
  layer.name = node.name;
  layer.kind = operation_name(node.operation);
  layer.detail = detail(node.operation);
  layer.scheme = node.scheme;
  layer.input_format = type_name(edge.format.kind);
  layer.output_format = type_name(node.outputs[0].format.kind);
  layer.input_features = edge.size();
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
  layer.state_bytes = state_bytes(node, features);

  OperationCounts& operations = layer.operations;
  const auto own = node.formats.find("input");
  operations = count(node, features, (own == node.formats.end() ? edge.format : own->second).kind, in_float);
  layer.macs = operations.macs;
  const auto recode = [&](std::uint64_t values, std::uint64_t each) {
    operations.add(kMultiply, kF32, values);
    operations.add(kAdd, kF32, values * (each - 1));
  };
  if (in_float && !reads_ids && !is_float(edge.format)) recode(features, kDecodeOps);
  if (own != node.formats.end()) {
    if (is_float(edge.format)) {
      recode(features, kEncodeOps);
    } else if (own->second != edge.format) {
      operations.add(kMultiply, kI32, features);
      operations.add(kAdd, kI32, 3 * features);
    }
  }
  const bool index = node.outputs[0].format.kind == NumberType::kI32;
  if (in_float && !index && !is_float(node.outputs[0].format)) recode(number(node.outputs[0].size()), kEncodeOps);
  layer.energy_pj = operations.energy_pj(table);

  // Of a table one row is read.
  layer.traffic.weights_read = reads_ids ? layer.bytes / number(layer.tensors.front().shape.front()) : layer.bytes;
  layer.traffic.activations_read = features * type_bytes(edge.format.kind) + layer.state_bytes;
  layer.traffic.activations_written =
      number(node.outputs[0].size()) * type_bytes(node.outputs[0].format.kind) + layer.state_bytes;
  return layer;
}

std::optional<ChannelReport> channel_report(const Model& model, const std::string& name) {
  const Channels channels = channels_of(model, name);
  if (channels.empty()) return std::nullopt;
  const Format& format = model.value(name).format;
  const bool i8 = format.kind == NumberType::kI8;
  const Tensor* mean = name == "input" ? model.find_tensor("input.mean") : nullptr;
  ChannelReport report{name, {}, {}, {}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(model.value(name).size()); ++c) {
    const double deviation =
        mean == nullptr ? 1 : 1 / static_cast<double>(model.tensor("input.inverse_deviation").as<float>()[c]);
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
  inspection.input_features = model.inputs[0].value.size();
  inspection.input_format = type_name(model.inputs[0].value.format.kind);

  OperationCounts operations, in_float;
  for (const Node& node : model.nodes) {
    inspection.layers.push_back(layer_report(model, node, table));
    const LayerReport& layer = inspection.layers.back();
    inspection.macs += layer.macs;
    inspection.state_bytes += layer.state_bytes;
    operations += layer.operations;
    inspection.traffic += layer.traffic;
    in_float += count(node, number(model.value(node.inputs[0]).size()), NumberType::kF32, true);
    if (model.scheme != "f32" && layer.operations.float_ops() > 0) inspection.float_nodes.push_back(node.name);
  }
  for (const auto& [name, tensor] : model.tensors) {
    inspection.weights_bytes += tensor_report(name, tensor).bytes;
    inspection.parameters += number(tensor.element_count());
  }
  inspection.bytes = file_bytes > 0 ? file_bytes : inspection.weights_bytes;

  inspection.float_ops = operations.float_ops();
  const std::uint64_t inputs = number(model.inputs[0].value.size());
  if (model.find_tensor("input.mean") != nullptr) inspection.border_float_ops += inputs * kNormalizeOps;
  if (model.inputs[0].value.format.kind == NumberType::kI8) inspection.border_float_ops += inputs * kEncodeOps;
  if (std::optional<ChannelReport> input = channel_report(model, "input")) {
    inspection.border_float_ops += inputs * kChannelOps;
    inspection.channels.push_back(std::move(*input));
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
          {"layers", std::move(layers)}};
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
