#include "quaver/model/model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iomanip>
#include <optional>
#include <span>
#include <sstream>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

template <typename Enum, std::size_t kCount>
using NameTable = std::array<std::pair<Enum, std::string_view>, kCount>;

constexpr NameTable<Direction, 3> kDirections{
    {{Direction::kForward, "forward"}, {Direction::kReverse, "reverse"}, {Direction::kBidirectional, "bidirectional"}}};
constexpr NameTable<Nonlinearity, 7> kNonlinearities{{{Nonlinearity::kIdentity, "identity"},
                                                      {Nonlinearity::kRelu, "relu"},
                                                      {Nonlinearity::kSigmoid, "sigmoid"},
                                                      {Nonlinearity::kTanh, "tanh"},
                                                      {Nonlinearity::kHardSigmoid, "hard_sigmoid"},
                                                      {Nonlinearity::kElu, "elu"},
                                                      {Nonlinearity::kGelu, "gelu"}}};
constexpr NameTable<Pooling, 4> kPoolings{
    {{Pooling::kLast, "last"}, {Pooling::kMean, "mean"}, {Pooling::kMax, "max"}, {Pooling::kFinal, "final"}}};
constexpr NameTable<Sums, 2> kSums{{{Sums::kHalves, "halves"}, {Sums::kWhole, "whole"}}};

template <typename Enum, std::size_t kCount>
std::string_view name_in(const NameTable<Enum, kCount>& table, Enum value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "unknown";
}

template <typename Enum, std::size_t kCount>
Enum value_in(const NameTable<Enum, kCount>& table, std::string_view what, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [entry, entry_name] : table) {
    if (entry_name == name) return entry;
    names.emplace_back(entry_name);
  }
  throw_bad_input(concat("unknown ", what, " '", printable(name), "', expected one of: ", join(names, ", ")));
}

std::vector<std::string> node_names(const Model& model) {
  std::vector<std::string> names;
  for (const Node& node : model.nodes) names.push_back(node.name);
  return names;
}

std::int64_t direction_count(Direction direction) { return direction == Direction::kBidirectional ? 2 : 1; }

// Feeds every field with its length, so that no two different models run together into one byte string.
class Fingerprint {
 public:
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    hash_ = fnv1a(std::as_bytes(std::span(text)), hash_);
  }
  void add(std::int64_t value) { hash_ = fnv1a(std::as_bytes(std::span(&value, 1)), hash_); }
  void add(float value) { add(static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(value))); }
  void add(const Format& format) {
    add(type_name(format.kind));
    add(format.scale);
    add(static_cast<std::int64_t>(format.zero_point));
  }
  void add(const Value& value) {
    add(static_cast<std::int64_t>(value.has_time));
    add(value.size());
    add(value.format);
  }
  void add(const Operation& operation) {
    add(operation_name(operation));
    std::visit(Overloaded{[this](const LstmAttributes& a) {
                            add(a.input_size), add(a.hidden_size), add(a.projection_size);
                            add(static_cast<std::int64_t>(a.input_forget));
                            add(static_cast<std::int64_t>(a.peephole));
                            add(static_cast<std::int64_t>(a.layer_norm));
                            add(a.clip), add(a.projection_clip);
                            add(direction_name(a.direction));
                          },
                          [this](const GruAttributes& a) {
                            add(a.input_size), add(a.hidden_size);
                            add(static_cast<std::int64_t>(a.linear_before_reset));
                            add(direction_name(a.direction));
                          },
                          [this](const RnnAttributes& a) {
                            add(a.input_size), add(a.hidden_size);
                            add(nonlinearity_name(a.nonlinearity));
                            add(direction_name(a.direction));
                          },
                          [this](const DenseAttributes& a) { add(a.input_size), add(a.units); },
                          [this](const EmbeddingAttributes& a) { add(a.vocabulary), add(a.features); },
                          [this](const ActivationAttributes& a) { add(nonlinearity_name(a.function)); },
                          [this](const PoolAttributes& a) { add(pooling_name(a.pooling)); },
                          [](const SoftmaxAttributes&) {}, [](const ArgmaxAttributes&) {}},
               operation);
  }
  void add(const Tensor& tensor) {
    add(type_name(tensor.kind));
    add(static_cast<std::int64_t>(tensor.shape.size()));
    for (const std::int64_t size : tensor.shape) add(size);
    add(static_cast<std::int64_t>(tensor.scales.size()));
    for (const float scale : tensor.scales) add(scale);
    hash_ = fnv1a(tensor.bytes, hash_);
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = fnv1a({});
};

std::string format_text(const Format& format) {
  std::string text(type_name(format.kind));
  if (is_float(format) || format.kind == NumberType::kI32) return text;
  text += concat(" scale ", format.scale);
  if (format.zero_point != 0) text += concat(" zero ", format.zero_point);
  return text;
}

std::string value_text(const Value& value) { return concat(value.has_time ? "[time, " : "[", value.size(), "]"); }

std::string operation_text(const Operation& operation) {
  return std::visit(
      Overloaded{[](const LstmAttributes& a) {
                   std::string text = concat("lstm ", a.hidden_size);
                   if (a.projection_size > 0) text += concat(" projection ", a.projection_size);
                   if (a.input_forget) text += " cifg";
                   if (a.peephole) text += " peephole";
                   if (a.layer_norm) text += " layer_norm";
                   if (a.direction != Direction::kForward) text += concat(" ", direction_name(a.direction));
                   return text;
                 },
                 [](const GruAttributes& a) {
                   std::string text = concat("gru ", a.hidden_size);
                   if (!a.linear_before_reset) text += " reset_before";
                   if (a.direction != Direction::kForward) text += concat(" ", direction_name(a.direction));
                   return text;
                 },
                 [](const RnnAttributes& a) {
                   std::string text = concat("rnn ", a.hidden_size, " ", nonlinearity_name(a.nonlinearity));
                   if (a.direction != Direction::kForward) text += concat(" ", direction_name(a.direction));
                   return text;
                 },
                 [](const DenseAttributes& a) { return concat("dense ", a.units); },
                 [](const EmbeddingAttributes& a) { return concat("embedding ", a.vocabulary, "x", a.features); },
                 [](const ActivationAttributes& a) { return std::string(nonlinearity_name(a.function)); },
                 [](const PoolAttributes& a) { return concat("pool ", pooling_name(a.pooling)); },
                 [](const SoftmaxAttributes&) { return std::string("softmax"); },
                 [](const ArgmaxAttributes&) { return std::string("argmax"); }},
      operation);
}

}  // namespace

std::string_view operation_name(const Operation& operation) {
  return std::visit(
      Overloaded{[](const LstmAttributes&) { return "lstm"; }, [](const GruAttributes&) { return "gru"; },
                 [](const RnnAttributes&) { return "rnn"; }, [](const DenseAttributes&) { return "dense"; },
                 [](const EmbeddingAttributes&) { return "embedding"; },
                 [](const ActivationAttributes&) { return "activation"; }, [](const PoolAttributes&) { return "pool"; },
                 [](const SoftmaxAttributes&) { return "softmax"; }, [](const ArgmaxAttributes&) { return "argmax"; }},
      operation);
}

std::string_view direction_name(Direction direction) { return name_in(kDirections, direction); }
std::string_view nonlinearity_name(Nonlinearity nonlinearity) { return name_in(kNonlinearities, nonlinearity); }
std::string_view pooling_name(Pooling pooling) { return name_in(kPoolings, pooling); }
std::string_view sums_name(Sums sums) { return name_in(kSums, sums); }
Direction direction_from_name(std::string_view name) { return value_in(kDirections, "direction", name); }
Nonlinearity nonlinearity_from_name(std::string_view name) { return value_in(kNonlinearities, "nonlinearity", name); }
Pooling pooling_from_name(std::string_view name) { return value_in(kPoolings, "pooling", name); }
Sums sums_from_name(std::string_view name) { return value_in(kSums, "sums", name); }

bool is_recurrent(const Operation& operation) {
  return std::holds_alternative<LstmAttributes>(operation) || std::holds_alternative<GruAttributes>(operation) ||
         std::holds_alternative<RnnAttributes>(operation);
}

const Node& Model::node(std::string_view node_name) const {
  for (const Node& node : nodes) {
    if (node.name == node_name) return node;
  }
  throw_bad_input(
      concat("the model has no node '", printable(node_name), "'; its nodes are: ", join(node_names(*this), ", ")));
}

const Value& Model::value(std::string_view value_name) const {
  return value_name == "input" ? inputs[0].value : node(value_name).outputs[0];
}

const Tensor* Model::find_tensor(std::string_view tensor_name) const {
  const auto found = tensors.find(std::string(tensor_name));
  return found == tensors.end() ? nullptr : &found->second;
}

const Tensor& Model::tensor(std::string_view tensor_name) const {
  if (const Tensor* found = find_tensor(tensor_name)) return *found;
  std::vector<std::string> names;
  for (const auto& entry : tensors) names.push_back(entry.first);
  const std::string near = closest(tensor_name, names);
  throw_bad_input(concat("the model has no tensor '", tensor_name, "'",
                         near.empty() ? "" : concat("; did you mean '", near, "'?")));
}

std::vector<std::string> direction_suffixes(Direction direction) {
  switch (direction) {
    case Direction::kForward: return {""};
    case Direction::kReverse: return {"_reverse"};
    case Direction::kBidirectional: return {"", "_reverse"};
  }
  return {""};
}

std::int64_t output_features(const Operation& operation, std::int64_t input_features) {
  return std::visit(Overloaded{[](const LstmAttributes& a) { return a.output_size() * direction_count(a.direction); },
                               [](const GruAttributes& a) { return a.hidden_size * direction_count(a.direction); },
                               [](const RnnAttributes& a) { return a.hidden_size * direction_count(a.direction); },
                               [](const DenseAttributes& a) { return a.units; },
                               [](const EmbeddingAttributes& a) { return a.features; },
                               [](const ArgmaxAttributes&) { return std::int64_t{1}; },
                               [input_features](const auto&) { return input_features; }},
                    operation);
}

std::vector<std::string> direction_suffixes(const Operation& operation) {
  return direction_suffixes(direction_of(operation).value_or(Direction::kForward));
}

std::optional<Direction> direction_of(const Operation& operation) {
  return std::visit(Overloaded{[](const LstmAttributes& a) { return std::optional(a.direction); },
                               [](const GruAttributes& a) { return std::optional(a.direction); },
                               [](const RnnAttributes& a) { return std::optional(a.direction); },
                               [](const auto&) { return std::optional<Direction>(); }},
                    operation);
}

std::int64_t forward_features(const Node& node) {
  const std::optional<Direction> direction = direction_of(node.operation);
  if (!direction || *direction == Direction::kReverse) return 0;
  return node.outputs[0].size() / (*direction == Direction::kBidirectional ? 2 : 1);
}

Value output_value(const Operation& operation, const Value& input) {
  Value value;
  value.has_time = input.has_time && !std::holds_alternative<PoolAttributes>(operation);
  value.shape = {output_features(operation, input.size())};
  if (std::holds_alternative<ArgmaxAttributes>(operation)) value.format.kind = NumberType::kI32;
  return value;
}

std::uint64_t fingerprint(const Model& model) {
  Fingerprint print;
  print.add(model.inputs[0].value);
  for (const Node& node : model.nodes) {
    print.add(node.name);
    print.add(node.operation);
    print.add(node.inputs[0]);
    print.add(node.outputs[0]);
    print.add(static_cast<std::int64_t>(node.formats.size()));
    for (const auto& [name, format] : node.formats) {
      print.add(name);
      print.add(format);
    }
    print.add(static_cast<std::int64_t>(node.codes.size()));
    for (const auto& [name, code] : node.codes) {
      print.add(name);
      print.add(static_cast<std::int64_t>(code));
    }
    print.add(node.scheme);
    // Only what version 1 did not have: states saved with its models keep their fingerprint.
    if (node.sums != Sums::kHalves) print.add(sums_name(node.sums));
  }
  print.add(static_cast<std::int64_t>(model.outputs.size()));
  for (const std::string& output : model.outputs) print.add(output);
  for (const auto& [name, tensor] : model.tensors) {
    print.add(name);
    print.add(tensor);
  }
  return print.hash();
}

std::string to_text(const Model& model) {
  std::vector<std::array<std::string, 6>> rows;
  rows.push_back({"node", "operation", "input", "output", "format", "scheme"});
  rows.push_back({"input", "", "", value_text(model.inputs[0].value), format_text(model.inputs[0].value.format), ""});
  for (const Node& node : model.nodes)
    rows.push_back({node.name, operation_text(node.operation), node.inputs[0], value_text(node.outputs[0]),
                    format_text(node.outputs[0].format), node.scheme});
  std::array<std::size_t, 6> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::ostringstream out;
  out << "model " << model.name << ", scheme " << model.scheme;
  if (!model.task.empty()) out << ", task " << model.task;
  out << "\n";
  for (const auto& row : rows) {
    std::ostringstream line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line << std::left << std::setw(static_cast<int>(widths[i] + 2)) << row[i];
    std::string text = line.str();
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << "\n";
  }
  out << "outputs " << join(model.outputs, ", ") << "\n";
  return out.str();
}

}  // namespace quaver
