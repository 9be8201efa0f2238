#include "quaver/report/inspect.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/core/text.h"
#include "quaver/report/table.h"

namespace quaver {
namespace {

// pJ at 45 nm (Horowitz 2014). int16 is the geometric mean of its neighbours: sqrt(0.2 3.1) and sqrt(0.03 0.1).
constexpr double kI8Multiply = 0.2, kI16Multiply = 0.787, kI32Multiply = 3.1, kF32Multiply = 3.7;
constexpr double kI16Add = 0.055, kI32Add = 0.1, kF32Add = 0.9;
constexpr double kSramPjPerByte = 20.0 / 8, kDramPjPerByte = 1300.0 / 8;

constexpr std::uint64_t kNormalizeOps = 2, kEncodeOps = 5, kDecodeOps = 2;

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

  std::uint64_t macs = 0;
  OperationCounts operations;

  void matrix(std::uint64_t rows, std::uint64_t cols) {
    macs += rows * cols;
    if (float_) {
      operations.f32_multiply += rows * cols;
      operations.f32_add += rows * cols;
    } else {
      operations.i8_multiply += rows * cols;
      operations.i32_add += rows * cols;
    }
  }
  // Biases, or two sums that become one.
  void add(std::uint64_t count) { (float_ ? operations.f32_add : operations.i32_add) += count; }
  void add_i16(std::uint64_t count) { (float_ ? operations.f32_add : operations.i16_add) += count; }
  // A product of two int16 numbers with the rounding shift after it.
  void multiply(std::uint64_t count) {
    if (float_) {
      operations.f32_multiply += count;
    } else {
      operations.i16_multiply += count;
      operations.i32_add += count;
    }
  }
  void multiply_i32(std::uint64_t count) { (float_ ? operations.f32_multiply : operations.i32_multiply) += count; }
  void curve(std::uint64_t count) {
    if (float_) {
      operations.f32_curve += count;
    } else {
      operations.i16_multiply += kCurveSteps * count;
      operations.i16_add += kCurveSteps * count;
    }
  }
  // From one scale to another; float needs none.
  void requantize(std::uint64_t count) {
    if (float_) return;
    operations.i32_multiply += count;
    operations.i32_add += 2 * count;
  }
  // The zero point of an affine output.
  void shift_zero(std::uint64_t count) {
    if (!float_) operations.i32_add += count;
  }
  bool in_float() const { return float_; }

 private:
  bool float_;
};

void count(const LstmAttributes& lstm, Counter& counter) {
  const std::uint64_t n = number(lstm.hidden_size), out = number(lstm.output_size());
  const std::uint64_t gates = number(lstm.gate_count()), rows = gates * n;
  for (const std::uint64_t cols : {number(lstm.input_size), out}) {
    counter.matrix(rows, cols);
    counter.requantize(rows);
  }
  counter.add(rows);                           // bias
  if (!counter.in_float()) counter.add(rows);  // the recurrent sum has a folded bias of its own
  counter.add_i16(counter.in_float() ? 0 : rows);
  if (lstm.peephole) {
    const std::uint64_t peepholes = (gates - 1) * n;
    counter.multiply(peepholes);
    counter.requantize(peepholes);
    counter.add_i16(peepholes);
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
  if (lstm.clip > 0) counter.add_i16(2 * n);
  counter.curve(n);
  counter.multiply(n);
  counter.requantize(n);
  counter.shift_zero(n);
  if (lstm.projection_size > 0) {
    counter.matrix(out, n);
    counter.add(out);
    counter.requantize(out);
    counter.shift_zero(out);
    if (lstm.projection_clip > 0) counter.add_i16(2 * out);
  }
}

void count(const GruAttributes& gru, Counter& counter) {
  const std::uint64_t n = number(gru.hidden_size);
  for (const std::uint64_t cols : {number(gru.input_size), n}) {
    counter.matrix(3 * n, cols);
    counter.add(3 * n);  // biases of both sums
    counter.requantize(3 * n);
  }
  counter.add_i16(3 * n);
  counter.multiply(n);  // reset
  counter.curve(3 * n);
  counter.add_i16(n);
  counter.multiply(n);
  counter.add_i16(n);
  counter.shift_zero(n);  // rounding of the int8 copy
}

void count(const RnnAttributes& rnn, Counter& counter) {
  const std::uint64_t n = number(rnn.hidden_size);
  for (const std::uint64_t cols : {number(rnn.input_size), n}) {
    counter.matrix(n, cols);
    counter.requantize(n);
  }
  counter.add(n);
  counter.add_i16(counter.in_float() ? 0 : n);
  if (rnn.nonlinearity == Nonlinearity::kRelu) {
    counter.add(n);
  } else {
    counter.curve(n);
  }
  counter.shift_zero(n);
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
    counter.add(features);
  } else if (activation.function == Nonlinearity::kHardSigmoid) {
    counter.multiply(features);
    counter.add(3 * features);
  } else {
    counter.curve(features);
  }
}

void count(const PoolAttributes& pool, std::uint64_t features, Counter& counter) {
  if (pool.pooling == Pooling::kLast) return;
  counter.add(features);  // sum or comparison
  if (pool.pooling == Pooling::kMean) counter.curve(features);
}

// Operations of one node in f32 or in integers, without the recoding of its edges.
Counter count(const Node& node, std::uint64_t input_features, bool in_float) {
  Counter one(in_float);
  Counter all(in_float);
  std::uint64_t times = 1;
  std::visit(Overloaded{[&](const LstmAttributes& lstm) {
                          count(lstm, one);
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
                          one.add(3 * input_features);  // largest, difference, sum
                          one.curve(2 * input_features);
                        },
                        [&](const ArgmaxAttributes&) { one.add(input_features); }},
             node.operation);
  for (std::uint64_t i = 0; i < times; ++i) {
    all.macs += one.macs;
    all.operations += one.operations;
  }
  return all;
}

// Bytes that a stream keeps in this node between steps.
std::uint64_t state_bytes(const Node& node, std::uint64_t input_features) {
  const bool in_float = node.scheme == "f32";
  return std::visit(Overloaded{[&](const LstmAttributes& lstm) {
                                 const std::uint64_t n = number(lstm.hidden_size), out = number(lstm.output_size());
                                 return direction_count(lstm.direction) * (in_float ? 4 * (n + out) : 2 * n + out);
                               },
                               [&](const GruAttributes& gru) {
                                 return direction_count(gru.direction) * number(gru.hidden_size) * (in_float ? 4u : 3u);
                               },
                               [&](const RnnAttributes& rnn) {
                                 return direction_count(rnn.direction) * number(rnn.hidden_size) * (in_float ? 4u : 3u);
                               },
                               [&](const PoolAttributes& pool) {
                                 return pool.pooling == Pooling::kLast ? std::uint64_t{0}
                                                                       : 8 + input_features * (in_float ? 4u : 8u);
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
  return {name, std::string(format_name(tensor.kind)), tensor.shape, tensor.scales.size(),
          tensor.bytes.size() + tensor.scales.size() * sizeof(float)};
}

LayerReport layer_report(const Model& model, const Node& node) {
  const Value& edge = model.value(node.input);
  const bool in_float = node.scheme == "f32";
  const bool reads_ids = std::holds_alternative<EmbeddingAttributes>(node.operation);
  const std::uint64_t features = number(edge.features);

  LayerReport layer;
  layer.name = node.name;
  layer.kind = operation_name(node.operation);
  layer.detail = detail(node.operation);
  layer.scheme = node.scheme;
  layer.input_format = format_name(edge.format.kind);
  layer.output_format = format_name(node.output.format.kind);
  layer.input_features = edge.features;
  layer.output_features = node.output.features;
  for (const TensorSlot& slot : tensor_slots(node)) {
    layer.tensors.push_back(tensor_report(slot.name, model.tensor(slot.name)));
    layer.bytes += layer.tensors.back().bytes;
    if (slot.name == node.name + ".W") layer.weight_format = layer.tensors.back().format;
  }
  layer.state_bytes = state_bytes(node, features);

  Counter counter = count(node, features, in_float);
  layer.macs = counter.macs;
  OperationCounts& operations = counter.operations;
  const auto recode = [&](std::uint64_t values, std::uint64_t each) {
    operations.f32_multiply += values;
    operations.f32_add += values * (each - 1);
  };
  const auto own = node.formats.find("input");
  if (in_float && !reads_ids && !is_float(edge.format)) recode(features, kDecodeOps);
  if (own != node.formats.end()) {
    if (is_float(edge.format)) {
      recode(features, kEncodeOps);
    } else if (own->second != edge.format) {
      operations.i32_multiply += features;
      operations.i32_add += 3 * features;
    }
  }
  const bool index = node.output.format.kind == FormatKind::kI32;
  if (in_float && !index && !is_float(node.output.format)) recode(number(node.output.features), kEncodeOps);
  layer.operations = operations;
  layer.energy_pj = operations.energy_pj();
  return layer;
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
  const OperationCounts& operations = layer.operations;
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
          {"float_ops", operations.float_ops()},
          {"energy_pj", layer.energy_pj},
          {"operations",
           {{"i8_multiply", operations.i8_multiply},
            {"i16_multiply", operations.i16_multiply},
            {"i32_multiply", operations.i32_multiply},
            {"i16_add", operations.i16_add},
            {"i32_add", operations.i32_add},
            {"f32_multiply", operations.f32_multiply},
            {"f32_add", operations.f32_add},
            {"f32_curve", operations.f32_curve}}},
          {"tensors", std::move(tensors)}};
}

}  // namespace

OperationCounts& OperationCounts::operator+=(const OperationCounts& other) {
  i8_multiply += other.i8_multiply;
  i16_multiply += other.i16_multiply;
  i32_multiply += other.i32_multiply;
  i16_add += other.i16_add;
  i32_add += other.i32_add;
  f32_multiply += other.f32_multiply;
  f32_add += other.f32_add;
  f32_curve += other.f32_curve;
  return *this;
}

double OperationCounts::energy_pj() const {
  const auto cost = [](std::uint64_t count, double each) { return static_cast<double>(count) * each; };
  return cost(i8_multiply, kI8Multiply) + cost(i16_multiply, kI16Multiply) + cost(i32_multiply, kI32Multiply) +
         cost(i16_add, kI16Add) + cost(i32_add, kI32Add) + cost(f32_multiply + kCurveSteps * f32_curve, kF32Multiply) +
         cost(f32_add + kCurveSteps * f32_curve, kF32Add);
}

Inspection inspect(const Model& model, std::uint64_t file_bytes) {
  Inspection inspection;
  inspection.model = model.name;
  inspection.task = model.task;
  inspection.scheme = model.scheme;
  inspection.input_features = model.input.features;
  inspection.input_format = format_name(model.input.format.kind);

  OperationCounts operations, in_float;
  for (const Node& node : model.nodes) {
    inspection.layers.push_back(layer_report(model, node));
    const LayerReport& layer = inspection.layers.back();
    inspection.macs += layer.macs;
    inspection.state_bytes += layer.state_bytes;
    operations += layer.operations;
    in_float += count(node, number(model.value(node.input).features), true).operations;
    if (model.scheme != "f32" && layer.operations.float_ops() > 0) inspection.float_nodes.push_back(node.name);
  }
  for (const auto& [name, tensor] : model.tensors) {
    inspection.weights_bytes += tensor_report(name, tensor).bytes;
    inspection.parameters += number(tensor.element_count());
  }
  inspection.bytes = file_bytes > 0 ? file_bytes : inspection.weights_bytes;

  inspection.float_ops = operations.float_ops();
  const std::uint64_t inputs = number(model.input.features);
  if (model.find_tensor("input.mean") != nullptr) inspection.border_float_ops += inputs * kNormalizeOps;
  if (model.input.format.kind == FormatKind::kI8) inspection.border_float_ops += inputs * kEncodeOps;
  for (const std::string& output : model.outputs) {
    const Value& value = model.value(output);
    if (value.format.kind == FormatKind::kI8 || value.format.kind == FormatKind::kI16)
      inspection.border_float_ops += number(value.features) * kDecodeOps;
  }

  inspection.energy_pj = operations.energy_pj();
  if (inspection.energy_pj > 0) inspection.energy_gain_vs_f32 = in_float.energy_pj() / inspection.energy_pj;
  inspection.memory_pj_sram = static_cast<double>(inspection.weights_bytes) * kSramPjPerByte;
  inspection.memory_pj_dram = static_cast<double>(inspection.weights_bytes) * kDramPjPerByte;
  return inspection;
}

nlohmann::ordered_json to_json(const Inspection& inspection) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerReport& layer : inspection.layers) layers.push_back(to_json(layer));
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
          {"memory_pj_sram", inspection.memory_pj_sram},
          {"memory_pj_dram", inspection.memory_pj_dram},
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
  text += fmt::format("model       {}{}, scheme {}\n", inspection.model.empty() ? "(no name)" : inspection.model,
                      inspection.task.empty() ? "" : fmt::format(", task {}", inspection.task), inspection.scheme);
  text +=
      fmt::format("input       {} per step, {}\n",
                  inspection.input_format == "i32" ? "one id" : fmt::format("{} features", inspection.input_features),
                  inspection.input_format);
  text += fmt::format("bytes       {} file, {} weights, {} state per stream, {} parameters\n", inspection.bytes,
                      inspection.weights_bytes, inspection.state_bytes, inspection.parameters);
  text += fmt::format("step        {} MACs, float_ops: {} (border: {})\n", inspection.macs, inspection.float_ops,
                      inspection.border_float_ops);
  text += fmt::format(
      "energy      {:.1f} nJ/step in arithmetic, {:.1f}x less than f32; weights from SRAM {:.0f} nJ, "
      "from DRAM {:.0f} nJ\n",
      inspection.energy_pj / 1000, inspection.energy_gain_vs_f32, inspection.memory_pj_sram / 1000,
      inspection.memory_pj_dram / 1000);
  if (!inspection.float_nodes.empty()) text += fmt::format("float       {}\n", join(inspection.float_nodes, ", "));
  return text;
}

}  // namespace quaver
