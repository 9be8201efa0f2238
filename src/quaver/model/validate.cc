// validate.cc - the door of the model: after it, plans, cells and kernels run without a check.
//
// The order of checks matters: sizes are bounded before any two of them are multiplied, tensors are compared with the
// shapes that the (then known good) attributes ask for, and codes are read only after their count is known.

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/model/model.h"
#include "quaver/model/scheme.h"

namespace quaver {
namespace {

template <typename... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  throw_bad_input(concat("model: ", parts...));
}

void check_scheme(const std::string& what, const std::string& scheme) {
  if (find_scheme(scheme) == nullptr)
    refuse(what, " has unknown scheme '", printable(scheme), "', expected one of: ", join(scheme_names(), ", "));
}
bool runs_in_float(const Node& node) { return node.scheme == "f32"; }

std::string described(const Node& node) {
  return concat("node '", node.name, "' (", operation_name(node.operation), ")");
}

// A power of two with integer bits m: Qm.(15-m).
void expect_power_of_two(const std::string& what, float scale, int least_m, int most_m) {
  for (int m = least_m; m <= most_m; ++m) {
    if (scale == std::ldexp(1.0f, m - 15)) return;
  }
  refuse(what, " has scale ", scale, ", expected a power of two 2^-(15-m) with m = ", least_m, "..", most_m);
}

void check_format(const std::string& what, const Format& format) {
  if (!std::isfinite(format.scale) || format.scale <= 0)
    refuse(what, " has scale ", format.scale, ", expected a finite number above 0");
  const auto expect_zero_point = [&](std::int32_t low, std::int32_t high) {
    if (format.zero_point < low || format.zero_point > high)
      refuse(what, " is ", type_name(format.kind), " with zero point ", format.zero_point, ", expected ", low,
             low == high ? "" : concat(" to ", high));
  };
  switch (format.kind) {
    case NumberType::kF32:
    case NumberType::kI32:
      if (format.scale != 1.0f)
        refuse(what, " is ", type_name(format.kind), " with scale ", format.scale, ", expected 1");
      expect_zero_point(0, 0);
      return;
    case NumberType::kI8: expect_zero_point(-128, 127); return;
    case NumberType::kI16: expect_zero_point(0, 0); return;
    default: refuse(what, " is ", type_name(format.kind), ", which no value can be");
  }
}

void expect_kind(const std::string& what, const Format& format, std::initializer_list<NumberType> kinds) {
  if (std::find(kinds.begin(), kinds.end(), format.kind) != kinds.end()) return;
  std::vector<std::string> names;
  for (const NumberType kind : kinds) names.emplace_back(type_name(kind));
  refuse(what, " is ", type_name(format.kind), ", expected ", join(names, " or "));
}

void expect_format(const std::string& what, const Format& format, const Format& expected) {
  if (format == expected) return;
  refuse(what, " is ", type_name(format.kind), " scale ", format.scale, " zero point ", format.zero_point,
         ", expected ", type_name(expected.kind), " scale ", expected.scale, " zero point ", expected.zero_point);
}

void check_size(const Node& node, std::string_view attribute, std::int64_t size, std::int64_t limit = kMaxSize) {
  if (size < 1 || size > limit) refuse(described(node), " has ", attribute, " ", size, ", expected 1 to ", limit);
}

void check_input_size(const Node& node, std::int64_t size, const Value& input) {
  check_size(node, "input_size", size);
  if (size != input.size())
    refuse(described(node), " takes ", size, " features, but its input '", node.inputs[0], "' has ", input.size());
}

void check_clip(const Node& node, std::string_view attribute, float clip) {
  if (!std::isfinite(clip) || clip < 0)
    refuse(described(node), " has ", attribute, " ", clip, ", expected 0 (none) or a finite number above 0");
}

void check_recurrent(const Node& node, std::int64_t input_size, std::int64_t hidden_size, const Value& input) {
  check_input_size(node, input_size, input);
  check_size(node, "hidden_size", hidden_size);
  if (!input.has_time)
    refuse(described(node), " runs over time, but its input '", node.inputs[0], "' is one vector without time");
}

// Attributes alone and against the input's shape; formats come later.
struct CheckAttributes {
  const Node& node;
  const Value& input;
  const Node* before;  // that makes the input; null: the model's own

  void operator()(const LstmAttributes& a) const {
    check_recurrent(node, a.input_size, a.hidden_size, input);
    if (a.projection_size != 0) check_size(node, "projection_size", a.projection_size);
    check_clip(node, "clip", a.clip);
    check_clip(node, "projection_clip", a.projection_clip);
    if (a.projection_clip > 0 && a.projection_size == 0)
      refuse(described(node), " has projection_clip ", a.projection_clip, " but no projection");
  }
  void operator()(const GruAttributes& a) const { check_recurrent(node, a.input_size, a.hidden_size, input); }
  void operator()(const RnnAttributes& a) const {
    check_recurrent(node, a.input_size, a.hidden_size, input);
    if (a.nonlinearity != Nonlinearity::kTanh && a.nonlinearity != Nonlinearity::kRelu)
      refuse(described(node), " has nonlinearity ", nonlinearity_name(a.nonlinearity), ", expected tanh or relu");
    if (a.nonlinearity == Nonlinearity::kRelu && !runs_in_float(node))
      refuse(described(node), " with relu has no integer form (its state has no bound), but its scheme is '",
             node.scheme, "'; keep the node at scheme 'f32'");
  }
  void operator()(const DenseAttributes& a) const {
    check_input_size(node, a.input_size, input);
    check_size(node, "units", a.units);
  }
  void operator()(const EmbeddingAttributes& a) const {
    check_size(node, "vocabulary", a.vocabulary, kMaxVocabulary);
    check_size(node, "features", a.features);
    if (input.format.kind != NumberType::kI32 || input.size() != 1)
      refuse(described(node), " reads one i32 id a step, but its input '", node.inputs[0], "' has ", input.size(), " ",
             type_name(input.format.kind), " features");
  }
  void operator()(const PoolAttributes& a) const {
    if (!input.has_time) refuse(described(node), " pools over time, but its input '", node.inputs[0], "' has no time");
    if (a.pooling != Pooling::kFinal) return;
    const std::optional<Direction> direction = before == nullptr ? std::nullopt : direction_of(before->operation);
    if (!direction || *direction == Direction::kForward)
      refuse(described(node), " takes the final state of each direction, but its input '", node.inputs[0],
             "' is no reverse or bidirectional layer; expected pooling 'last'");
  }
  void operator()(const ActivationAttributes&) const {}
  void operator()(const SoftmaxAttributes&) const {}
  void operator()(const ArgmaxAttributes&) const {}
};

// What the matrices of a recurrent node read. Codes of 16 bits are two addends of a sum (A45), which halves that are
// cut one by one have no place for.
void expect_codes_of_input(const std::string& in, const Format& input, const Node& node) {
  if (node.sums == Sums::kWhole) {
    expect_kind(in, input, {NumberType::kI8, NumberType::kI16});
  } else {
    expect_kind(in, input, {NumberType::kI8});
  }
}

// What an integer recurrent node hands on: int8 codes, or its state in Q0.15 (A46), of which "state" is the copy that
// its matrix reads.
void check_state_formats(const std::string& out, const Node& node) {
  const Format& format = node.outputs[0].format;
  const auto* lstm = std::get_if<LstmAttributes>(&node.operation);
  const bool projected = lstm != nullptr && lstm->projection_size > 0;
  const auto expect_copy = [](const std::string& what, const Format& copy) {
    if (copy.scale < 0x1p-14f)
      refuse(what, " has scale ", copy.scale, ", expected at least 2^-14, two steps of the state it is a copy of");
  };
  if (projected || format.kind != NumberType::kI16) {
    expect_kind(out, format, {NumberType::kI8});
    if (lstm == nullptr) expect_copy(out, format);
    return;
  }
  expect_format(out, format, {NumberType::kI16, 0x1p-15f, 0});
  if (const auto copy = node.formats.find("state"); copy != node.formats.end())
    expect_copy(concat("format 'state' of ", described(node)), copy->second);
}

// Formats at the node's borders, as its scheme wants them. An integer node reads the codes of its format "input" when
// it has one (the engine converts), else those of the edge.
void check_border_formats(const Node& node, const Value& edge) {
  const auto converted = node.formats.find("input");
  const Format& input = converted == node.formats.end() ? edge.format : converted->second;
  const std::string in =
      concat(converted == node.formats.end() ? concat("input '", node.inputs[0], "'") : "format 'input'", " of ",
             described(node), " with scheme '", node.scheme, "'");
  const std::string out = concat("output of ", described(node), " with scheme '", node.scheme, "'");
  const Format& format = node.outputs[0].format;
  check_format(out, format);
  const bool reads_ids = std::holds_alternative<EmbeddingAttributes>(node.operation);
  if (edge.format.kind == NumberType::kI32 && !reads_ids)
    refuse("input '", node.inputs[0], "' of ", described(node), " holds ids (i32); only an embedding reads them");
  if (std::holds_alternative<ArgmaxAttributes>(node.operation)) {
    expect_format(out, format, {NumberType::kI32, 1.0f, 0});
    return;
  }
  if (runs_in_float(node)) {
    expect_kind(out, format, {NumberType::kF32, NumberType::kI8, NumberType::kI16});
    return;
  }
  if (is_recurrent(node.operation)) {
    expect_codes_of_input(in, input, node);
    check_state_formats(out, node);
  } else if (std::holds_alternative<DenseAttributes>(node.operation)) {
    expect_kind(in, input, {NumberType::kI8, NumberType::kI16});
    expect_kind(out, format, {NumberType::kI8, NumberType::kI16});
  } else if (reads_ids) {
    expect_kind(out, format, {NumberType::kI8, NumberType::kI16});
  } else if (std::holds_alternative<ActivationAttributes>(node.operation)) {
    expect_kind(in, input, {NumberType::kI8});
    expect_kind(out, format, {NumberType::kI8});
  } else if (std::holds_alternative<PoolAttributes>(node.operation)) {
    expect_kind(in, input, {NumberType::kI8, NumberType::kI16});
    expect_format(out, format, input);
  } else if (std::holds_alternative<SoftmaxAttributes>(node.operation)) {
    expect_kind(in, input, {NumberType::kI16});
    expect_format(out, format, {NumberType::kI16, 0x1p-15f, 0});
  }
}

// What an integer cell needs to know of its inside.
void check_inner_formats(const Node& node) {
  std::vector<std::string> wanted = format_slots(node);
  const std::size_t needed = wanted.size();
  std::ranges::copy(optional_format_slots(node), std::back_inserter(wanted));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string& name = wanted[i];
    const std::string what = concat("format '", name, "' of ", described(node));
    const auto found = node.formats.find(name);
    if (found == node.formats.end()) {
      if (i < needed) refuse(what, " is missing");
      continue;
    }
    const Format& format = found->second;
    check_format(what, format);
    expect_kind(what, format, {name.starts_with("hidden") || name == "state" ? NumberType::kI8 : NumberType::kI16});
    if (name.starts_with("cell")) expect_power_of_two(what, format.scale, 0, 6);
    if (name.starts_with("candidate")) expect_power_of_two(what, format.scale, 3, 7);
  }
  const auto input = node.formats.find("input");
  const bool converts = input != node.formats.end() && !runs_in_float(node) &&
                        !std::holds_alternative<EmbeddingAttributes>(node.operation);
  if (converts) check_format(concat("format 'input' of ", described(node)), input->second);
  for (const auto& [name, format] : node.formats) {
    if (converts && name == "input") continue;
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end())
      refuse(described(node), " with scheme '", node.scheme, "' has a format '", printable(name),
             "' that it does not use", wanted.empty() ? "" : concat("; it uses: ", join(wanted, ", ")));
  }
}

// The clamps of an integer LSTM.
void check_codes(const Node& node) {
  const bool wanted = std::holds_alternative<LstmAttributes>(node.operation) && !runs_in_float(node);
  constexpr std::array<std::string_view, 3> kNames{"cell_clip", "output_high", "output_low"};
  for (const auto& [name, code] : node.codes) {
    if (!wanted || std::find(kNames.begin(), kNames.end(), name) == kNames.end())
      refuse(described(node), " with scheme '", node.scheme, "' has a code '", printable(name),
             "' that it does not use");
  }
  if (!wanted) return;
  const auto code = [&](std::string_view name, std::int32_t low, std::int32_t high) {
    const auto found = node.codes.find(std::string(name));
    if (found == node.codes.end()) refuse("code '", name, "' of ", described(node), " is missing");
    if (found->second < low || found->second > high)
      refuse("code '", name, "' of ", described(node), " is ", found->second, ", expected ", low, " to ", high);
    return found->second;
  };
  code("cell_clip", 0, 32767);
  const bool clamped = node.outputs[0].format.kind == NumberType::kI8;  // the copy of a wide output is not
  const std::int32_t low = code("output_low", -128, clamped ? 127 : -128);
  const std::int32_t high = code("output_high", clamped ? -128 : 127, 127);
  if (low > high) refuse("codes of ", described(node), ": output_low ", low, " is above output_high ", high);
}

template <typename T>
void expect_symmetric(const std::string& name, const Tensor& tensor) {
  const std::span<const T> codes = tensor.as<T>();
  const auto lowest = std::find(codes.begin(), codes.end(), std::numeric_limits<T>::min());
  if (lowest != codes.end())
    refuse("tensor '", name, "' has code ", int{*lowest}, " at index ", lowest - codes.begin(), ", expected ",
           int{std::numeric_limits<T>::min()} + 1, " to ", int{std::numeric_limits<T>::max()});
}

// Codes within -7..7, and kNoNibble behind the last column of rows of odd length.
void expect_nibbles(const std::string& name, const Tensor& tensor) {
  const auto cols = static_cast<std::size_t>(tensor.row_size()), row_bytes = (cols + 1) / 2;
  for (std::size_t i = 0; i < tensor.bytes.size(); ++i) {
    const bool pads = cols % 2 == 1 && i % row_bytes == row_bytes - 1;
    const int lower = lower_nibble(tensor.bytes[i]), upper = upper_nibble(tensor.bytes[i]);
    if (lower == kNoNibble || (upper == kNoNibble) != pads)
      refuse("tensor '", name, "' has the codes ", lower, " and ", upper, " in byte ", i, ", expected ",
             pads ? "one within -7..7 and then -8" : "two within -7..7");
  }
}

void expect_finite(const std::string& name, const Tensor& tensor) {
  const std::span<const float> values = tensor.as<float>();
  const auto wrong = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (wrong != values.end())
    refuse("tensor '", name, "' has ", *wrong, " at index ", wrong - values.begin(), ", expected finite values");
}

void check_tensor(const TensorSlot& slot, const Tensor& tensor) {
  if (tensor.kind != slot.kind || tensor.shape != slot.shape)
    refuse("tensor '", slot.name, "' is ", shape_text(tensor.shape), " ", type_name(tensor.kind), ", expected ",
           shape_text(slot.shape), " ", type_name(slot.kind));
  const std::size_t bytes = tensor.byte_count();
  if (tensor.bytes.size() != bytes)
    refuse("tensor '", slot.name, "' of shape ", shape_text(tensor.shape), " holds ", tensor.bytes.size(),
           " bytes, expected ", bytes);
  if (tensor.kind == NumberType::kF32) {
    if (!tensor.scales.empty()) refuse("tensor '", slot.name, "' is f32 and has scales, expected none");
    expect_finite(slot.name, tensor);
    return;
  }
  if (tensor.kind == NumberType::kI32) {
    if (!tensor.scales.empty())
      refuse("tensor '", slot.name, "' is a bias and has scales; it counts in units of the sum it is added to");
    return;
  }
  if (tensor.scales.empty() || tensor.rows() % static_cast<std::int64_t>(tensor.scales.size()) != 0)
    refuse("tensor '", slot.name, "' has ", tensor.scales.size(), " scales, expected a number that divides its ",
           tensor.rows(), " rows");
  for (std::size_t i = 0; i < tensor.scales.size(); ++i) {
    if (!std::isfinite(tensor.scales[i]) || tensor.scales[i] <= 0)
      refuse("tensor '", slot.name, "' has scale ", tensor.scales[i], " at index ", i,
             ", expected a finite number above 0");
  }
}

void check_node_tensors(const Model& model, const Node& node, std::set<std::string>& used) {
  // A table and an integer embedding hold output codes, which use all of i8 (or i16); weights are symmetric.
  const bool output_codes = std::holds_alternative<ActivationAttributes>(node.operation) ||
                            std::holds_alternative<EmbeddingAttributes>(node.operation);
  for (const TensorSlot& slot : tensor_slots(node)) {
    std::int64_t elements = 1;
    for (const std::int64_t size : slot.shape) elements *= size;  // at most 2^18 x 2^16, or 2^24 x 2^16
    if (elements > kMaxTensorElements)
      refuse("tensor '", slot.name, "' would have ", shape_text(slot.shape), " elements, more than the limit of ",
             kMaxTensorElements);
    const Tensor* tensor = model.find_tensor(slot.name);
    if (tensor == nullptr)
      refuse("tensor '", slot.name, "' is missing, expected ", shape_text(slot.shape), " ", type_name(slot.kind),
             " for ", described(node));
    check_tensor(slot, *tensor);
    if (tensor->kind == NumberType::kI4) expect_nibbles(slot.name, *tensor);
    if (tensor->kind == NumberType::kI8 && !output_codes) expect_symmetric<std::int8_t>(slot.name, *tensor);
    if (tensor->kind == NumberType::kI16 && !output_codes) expect_symmetric<std::int16_t>(slot.name, *tensor);
    used.insert(slot.name);
  }
  for (const TensorSlot& slot : optional_tensor_slots(node)) {
    const Tensor* tensor = model.find_tensor(slot.name);
    if (tensor == nullptr) continue;
    check_tensor(slot, *tensor);
    used.insert(slot.name);
  }
}

void check_normalization(const Model& model, std::set<std::string>& used) {
  constexpr std::string_view kMean = "input.mean", kInverse = "input.inverse_deviation";
  const Tensor* mean = model.find_tensor(kMean);
  const Tensor* inverse = model.find_tensor(kInverse);
  if (mean == nullptr && inverse == nullptr) return;
  if (mean == nullptr || inverse == nullptr)
    refuse("tensor '", mean == nullptr ? kMean : kInverse,
           "' is missing; the input's mean and inverse deviation come together");
  if (model.inputs[0].value.format.kind == NumberType::kI32)
    refuse("tensor 'input.mean' cannot be applied to ids (i32)");
  for (const auto& [name, tensor] : {std::pair(kMean, mean), std::pair(kInverse, inverse)}) {
    check_tensor({std::string(name), {model.inputs[0].value.size()}, NumberType::kF32}, *tensor);
    used.insert(std::string(name));
  }
  for (const float value : inverse->as<float>()) {
    if (value <= 0) refuse("tensor '", kInverse, "' has ", value, ", expected values above 0");
  }
}

// (A44) The scale and offset a channel of "input" or a node's value.
void check_channels(const Model& model, const std::string& name, const Value& value, std::set<std::string>& used) {
  for (const std::string_view part : {"scale", "offset"}) {
    const std::string tensor_name = concat(name, ".", part);
    const Tensor* tensor = model.find_tensor(tensor_name);
    if (tensor == nullptr) continue;
    const NumberType kind = value.format.kind;
    if (kind != NumberType::kI8 && kind != NumberType::kI16)
      refuse("tensor '", tensor_name, "' gives each channel of '", name, "' its ", part, ", but that value is ",
             type_name(kind), ", expected i8 or i16");
    check_tensor({tensor_name, {value.size()}, NumberType::kF32}, *tensor);
    used.insert(tensor_name);
    if (part != "scale") continue;
    const std::span<const float> scales = tensor->as<float>();
    const auto wrong = std::ranges::find_if(scales, [](float scale) { return scale <= 0; });
    if (wrong != scales.end())
      refuse("tensor '", tensor_name, "' has ", *wrong, " at index ", wrong - scales.begin(),
             ", expected numbers above 0");
  }
}

void check_name(const Node& node, const std::set<std::string>& known) {
  if (node.name.empty()) refuse("a node has no name");
  const bool plain =
      std::all_of(node.name.begin(), node.name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '.'; });
  if (!plain || node.name.size() > 255)
    refuse("node name '", printable(node.name, 255),
           "' must be printable ASCII without blanks and '.', 255 characters at most");
  if (known.contains(node.name))
    refuse("the name '", node.name, "' is used twice", node.name == "input" ? "; 'input' is the model's input" : "");
}

void check_classes(const Model& model) {
  if (model.classes.empty()) return;
  const auto scores = [&](const std::string& output) {
    const Node& node = model.node(output);
    const bool argmax = std::holds_alternative<ArgmaxAttributes>(node.operation);
    return argmax ? model.value(node.inputs[0]).size() : node.outputs[0].size();
  };
  std::vector<std::string> found;
  for (const std::string& output : model.outputs) {
    if (scores(output) == static_cast<std::int64_t>(model.classes.size())) return;
    found.push_back(concat("'", output, "' ", scores(output)));
  }
  refuse("there are ", model.classes.size(), " classes, but the outputs have other widths: ", join(found, ", "));
}

void check_strays(const Model& model, const std::set<std::string>& used) {
  constexpr std::size_t kNamed = 5;  // a list that a reader can take in
  std::vector<std::string> strays;
  for (const auto& [name, tensor] : model.tensors) {
    if (!used.contains(name)) strays.push_back(concat("'", printable(name), "'"));
  }
  if (strays.empty()) return;
  const std::size_t more = strays.size() - std::min(strays.size(), kNamed);
  strays.resize(strays.size() - more);
  refuse("no node uses tensor ", join(strays, ", "), more > 0 ? concat(" and ", more, " more") : "");
}

}  // namespace

std::vector<TensorSlot> tensor_slots(const Node& node) {
  const bool in_float = runs_in_float(node);
  const NumberType table = in_float ? NumberType::kF32 : NumberType::kI8;
  const NumberType weight = node.scheme == "int4" ? NumberType::kI4 : table;
  const NumberType vector = in_float ? NumberType::kF32 : NumberType::kI16;
  const NumberType bias = in_float ? NumberType::kF32 : NumberType::kI32;
  std::vector<TensorSlot> slots;
  const auto add = [&](std::string_view tensor, std::vector<std::int64_t> shape, NumberType kind) {
    slots.push_back({concat(node.name, ".", tensor), std::move(shape), kind});
  };
  if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation)) {
    const std::int64_t cells = lstm->hidden_size, gates = lstm->gate_count(), outputs = lstm->output_size();
    for (const std::string& suffix : direction_suffixes(lstm->direction)) {
      add("W" + suffix, {gates * cells, lstm->input_size}, weight);
      add("R" + suffix, {gates * cells, outputs}, weight);
      add("b" + suffix, {gates * cells}, bias);
      if (lstm->peephole) add("P" + suffix, {(gates - 1) * cells}, vector);
      if (lstm->layer_norm) add("L" + suffix, {gates * cells}, vector);
      if (lstm->projection_size > 0) {
        add("W_projection" + suffix, {outputs, cells}, weight);
        add("b_projection" + suffix, {outputs}, bias);
      }
    }
  } else if (const auto* gru = std::get_if<GruAttributes>(&node.operation)) {
    for (const std::string& suffix : direction_suffixes(gru->direction)) {
      add("W" + suffix, {3 * gru->hidden_size, gru->input_size}, weight);
      add("R" + suffix, {3 * gru->hidden_size, gru->hidden_size}, weight);
      add("b" + suffix, {3 * gru->hidden_size}, bias);
      add("b_recurrent" + suffix, {(in_float ? 3 : 1) * gru->hidden_size}, bias);
    }
  } else if (const auto* rnn = std::get_if<RnnAttributes>(&node.operation)) {
    for (const std::string& suffix : direction_suffixes(rnn->direction)) {
      add("W" + suffix, {rnn->hidden_size, rnn->input_size}, weight);
      add("R" + suffix, {rnn->hidden_size, rnn->hidden_size}, weight);
      add("b" + suffix, {rnn->hidden_size}, bias);
    }
  } else if (const auto* dense = std::get_if<DenseAttributes>(&node.operation)) {
    add("W", {dense->units, dense->input_size}, weight);
    add("b", {dense->units}, bias);
  } else if (const auto* embedding = std::get_if<EmbeddingAttributes>(&node.operation)) {
    const bool wide = !in_float && node.outputs[0].format.kind == NumberType::kI16;
    add("W", {embedding->vocabulary, embedding->features}, wide ? NumberType::kI16 : table);
  } else if (std::holds_alternative<ActivationAttributes>(node.operation) && !in_float) {
    add("table", {256}, NumberType::kI8);
  }
  return slots;
}

std::vector<TensorSlot> optional_tensor_slots(const Node& node) {
  const auto* lstm = std::get_if<LstmAttributes>(&node.operation);
  if (lstm == nullptr || !lstm->layer_norm || runs_in_float(node)) return {};
  std::vector<TensorSlot> slots;
  for (const std::string& suffix : direction_suffixes(lstm->direction))
    slots.push_back(
        {concat(node.name, ".b_input", suffix), {lstm->gate_count() * lstm->hidden_size}, NumberType::kI32});
  return slots;
}

std::vector<std::string> format_slots(const Node& node) {
  std::vector<std::string> slots;
  if (runs_in_float(node)) return slots;
  if (is_recurrent(node.operation) && node.outputs[0].format.kind == NumberType::kI16) slots.push_back("state");
  const auto* lstm = std::get_if<LstmAttributes>(&node.operation);
  if (lstm == nullptr) return slots;
  for (const std::string& suffix : direction_suffixes(lstm->direction)) {
    slots.push_back("cell" + suffix);
    if (lstm->projection_size > 0) slots.push_back("hidden" + suffix);
    if (!lstm->layer_norm) continue;
    if (!lstm->input_forget) slots.push_back("gate_i" + suffix);
    for (const char* gate : {"gate_o", "gate_f", "gate_c"}) slots.push_back(gate + suffix);
  }
  return slots;
}

std::vector<std::string> optional_format_slots(const Node& node) {
  std::vector<std::string> slots;
  const auto* gru = std::get_if<GruAttributes>(&node.operation);
  if (gru == nullptr || runs_in_float(node) || !gru->linear_before_reset) return slots;
  for (const std::string& suffix : direction_suffixes(gru->direction)) slots.push_back("candidate_recurrent" + suffix);
  return slots;
}

void validate(const Model& model) {
  check_scheme("the whole", model.scheme);
  check_format("the model's input", model.inputs[0].value.format);
  // What codes its frames, or hands codes over, has int8 alone.
  expect_kind("the model's input", model.inputs[0].value.format, {NumberType::kF32, NumberType::kI8, NumberType::kI32});
  if (model.inputs[0].value.size() < 1 || model.inputs[0].value.size() > kMaxSize)
    refuse("the input has ", model.inputs[0].value.size(), " features, expected 1 to ", kMaxSize);
  if (!model.inputs[0].value.has_time) refuse("the input is one vector without time, expected one a step");
  if (model.nodes.empty()) refuse("there are no nodes");
  if (model.nodes.size() > kMaxNodes) refuse("there are ", model.nodes.size(), " nodes, expected at most ", kMaxNodes);

  std::set<std::string> used;
  std::set<std::string> known{"input"};
  std::map<std::string, const Value*> values{{"input", &model.inputs[0].value}};
  for (const Node& node : model.nodes) {
    check_name(node, known);
    check_scheme(described(node), node.scheme);
    const auto input = values.find(node.inputs[0]);
    if (input == values.end())
      refuse(described(node), " reads '", printable(node.inputs[0]),
             "', which is neither 'input' nor a node before it");
    const Value& value = *input->second;
    const auto before = std::find_if(model.nodes.begin(), model.nodes.end(),
                                     [&node](const Node& other) { return other.name == node.inputs[0]; });
    std::visit(CheckAttributes{node, value, before == model.nodes.end() ? nullptr : &*before}, node.operation);
    const Value expected = output_value(node.operation, value);
    check_size(node, "output features", expected.size());
    if (node.outputs[0].has_time != expected.has_time || node.outputs[0].size() != expected.size())
      refuse(described(node), " says its output is ", node.outputs[0].size(), " features ",
             node.outputs[0].has_time ? "a step" : "without time", ", expected ", expected.size(), " ",
             expected.has_time ? "a step" : "without time");
    check_border_formats(node, value);
    check_inner_formats(node);
    check_codes(node);
    if (node.sums != Sums::kHalves && !is_integer_recurrent(node))
      refuse(described(node), " with scheme '", node.scheme, "' has sums '", sums_name(node.sums),
             "', which only an integer lstm, gru or rnn has");
    check_node_tensors(model, node, used);
    check_channels(model, node.name, node.outputs[0], used);
    known.insert(node.name);
    values.emplace(node.name, &node.outputs[0]);
  }

  if (model.outputs.empty()) refuse("there are no outputs");
  std::set<std::string> outputs;
  for (const std::string& output : model.outputs) {
    if (output == "input" || !known.contains(output)) refuse("output '", printable(output), "' is not a node");
    if (!outputs.insert(output).second) refuse("output '", output, "' is listed twice");
  }
  check_classes(model);
  check_normalization(model, used);
  check_channels(model, "input", model.inputs[0].value, used);

  check_strays(model, used);
}

}  // namespace quaver
