#include "quaver/model/model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iomanip>
#include <limits>
#include <optional>
#include <span>
#include <sstream>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

std::vector<std::string> node_names(const Model& model) {
  std::vector<std::string> names;
  for (const Node& node : model.nodes) names.push_back(node.name);
  return names;
}

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
  void add(bool value) { add(static_cast<std::int64_t>(value)); }
  void add(const Value& value) {
    add(value.has_time);
    // A vector as versions of the file before 4 said it.
    if (value.shape.axes() == 1) {
      add(value.size());
    } else {
      for (const std::int64_t size : value.shape.sizes()) add(-1 - size);
    }
    add(value.format);
  }
  void add(const Operation& operation) {
    add(operation_name(operation));
    const bool inside = row_of(operation).runs_inside_frames(operation);
    visit_fields(operation, [&]<typename Attribute>(std::string_view name, const Attribute& attribute) {
      // What files before version 4 did not have: states saved with their models keep their fingerprint.
      if (!inside && is_attribute_of_graphs(name)) return;
      if constexpr (std::is_enum_v<Attribute>) {
        add(name_of(attribute));
      } else {
        add(attribute);
      }
    });
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

std::string value_text(const Value& value) {
  std::vector<std::string> axes;
  if (value.has_time) axes.push_back("time");
  for (const std::int64_t size : value.shape.sizes()) axes.push_back(std::to_string(size));
  return concat("[", join(axes, ", "), "]");
}

}  // namespace

const Node& Model::node(std::string_view node_name) const {
  for (const Node& node : nodes) {
    if (node.name == node_name) return node;
  }
  throw_bad_input(
      concat("the model has no node '", printable(node_name), "'; its nodes are: ", join(node_names(*this), ", ")));
}

const ModelInput* Model::find_input(std::string_view input) const {
  const auto found = std::ranges::find(inputs, input, &ModelInput::name);
  return found == inputs.end() ? nullptr : &*found;
}

const Node* Model::maker(std::string_view value) const {
  const auto found = std::ranges::find(nodes, value.substr(0, value.find('.')), &Node::name);
  return found == nodes.end() ? nullptr : &*found;
}

const Value& Model::value(std::string_view wanted) const {
  if (const ModelInput* input = find_input(wanted)) return input->value;
  const Node& made_by = node(wanted.substr(0, wanted.find('.')));
  for (std::size_t slot = 0; slot < made_by.outputs.size(); ++slot)
    if (value_name(made_by, slot) == wanted) return made_by.outputs[slot];
  throw_bad_input(concat("node '", made_by.name, "' gives no '", printable(wanted), "'"));
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

std::vector<std::string> direction_suffixes(const Operation& operation) {
  return direction_suffixes(direction_of(operation).value_or(Direction::kForward));
}

std::optional<Direction> direction_of(const Operation& operation) { return row_of(operation).direction(operation); }

std::int64_t forward_features(const Node& node) {
  const std::optional<Direction> direction = direction_of(node.operation);
  if (!direction || *direction == Direction::kReverse) return 0;
  return node.outputs[0].shape.features() / (*direction == Direction::kBidirectional ? 2 : 1);
}

std::int64_t vocabulary_of(const Model& model, const ModelInput& input) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const Node& node : model.nodes) {
    const OperationRow& row = row_of(node.operation);
    if (row.reads_ids() && node.inputs[0] == input.name) least = std::min(least, row.vocabulary(node.operation));
  }
  return least;
}

Value output_value(const Operation& operation, const Value& input) {
  const std::array<const Value*, 1> inputs{&input};
  return row_of(operation).outputs(operation, inputs)[0];
}

Format input_format(const Model& model, const Node& node, std::size_t slot) {
  if (const auto own = node.formats.find(input_format_name(slot)); own != node.formats.end()) return own->second;
  if (runs_in_float(node) && !row_of(node.operation).reads_ids()) return Format{};
  return model.value(node.inputs[slot]).format;
}

std::vector<TensorSlot> tensor_slots(const Node& node) { return row_of(node.operation).tensors(node); }
std::vector<TensorSlot> optional_tensor_slots(const Node& node) {
  return row_of(node.operation).optional_tensors(node);
}

std::vector<std::string> format_slots(const Node& node) {
  std::vector<std::string> names;
  for (const FormatSlot& slot : row_of(node.operation).formats(node))
    if (!slot.optional) names.push_back(slot.name);
  return names;
}

std::uint64_t fingerprint(const Model& model) {
  Fingerprint print;
  const bool one_input = model.inputs.size() == 1 && model.inputs[0].name == "input";  // the only ones before version 4
  for (const ModelInput& input : model.inputs) {
    if (!one_input) print.add(input.name);
    print.add(input.value);
  }
  for (const Node& node : model.nodes) {
    print.add(node.name);
    print.add(node.operation);
    if (node.inputs.size() != 1 || node.outputs.size() != 1) {
      print.add(static_cast<std::int64_t>(node.inputs.size()));
      print.add(static_cast<std::int64_t>(node.outputs.size()));
    }
    for (const std::string& input : node.inputs) print.add(input);
    for (const Value& output : node.outputs) print.add(output);
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
  for (const ModelInput& input : model.inputs)
    rows.push_back({input.name, "", "", value_text(input.value), format_text(input.value.format), ""});
  for (const Node& node : model.nodes)
    for (std::size_t slot = 0; slot < node.outputs.size(); ++slot) {
      const Value& output = node.outputs[slot];
      const bool own = slot == 0;
      rows.push_back({value_name(node, slot), own ? row_of(node.operation).text(node.operation) : "",
                      own ? join(node.inputs, ", ") : "", value_text(output), format_text(output.format),
                      own ? node.scheme : ""});
    }
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
