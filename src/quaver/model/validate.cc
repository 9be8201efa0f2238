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
#include "quaver/model/formats/scheme.h"
#include "quaver/model/model.h"

namespace quaver {
namespace {

void check_scheme(const std::string& what, const std::string& scheme) {
  if (find_scheme(scheme) == nullptr)
    refuse(what, " has unknown scheme '", printable(scheme), "', expected one of: ", join(scheme_names(), ", "));
}

// A power of two with integer bits m: Qm.(15-m).
void expect_power_of_two(const std::string& what, float scale, FormatSlot::IntegerBits bits) {
  for (int m = bits.least; m <= bits.most; ++m) {
    if (scale == std::ldexp(1.0f, m - 15)) return;
  }
  refuse(what, " has scale ", scale, ", expected a power of two 2^-(15-m) with m = ", bits.least, "..", bits.most);
}

// Formats at the node's borders, as its scheme wants them.
void check_border_formats(const Site& site) {
  const Node& node = site.node;
  const OperationRow& row = row_of(node.operation);
  for (std::size_t slot = 0; slot < node.outputs.size(); ++slot)
    check_format(slot == 0 ? site.output_name() : concat("output '", value_name(node, slot), "' of ", described(node)),
                 node.outputs[slot].format);
  for (std::size_t slot = 0; slot < site.inputs.size(); ++slot)
    if (site.input(slot).format.kind == NumberType::kI32 && !row.reads_ids())
      refuse(site.input_name(slot), " of ", described(node), " holds ids (i32); only an embedding reads them");
  if (row.gives_index()) {
    expect_format(site.output_name(), node.outputs[0].format, {NumberType::kI32, 1.0f, 0});
  } else if (runs_in_float(node)) {
    expect_kind(site.output_name(), node.outputs[0].format, {NumberType::kF32, NumberType::kI8, NumberType::kI16});
    for (std::size_t slot = 1; slot < node.outputs.size(); ++slot)
      expect_kind(concat("output '", value_name(node, slot), "' of ", described(node)), node.outputs[slot].format,
                  {NumberType::kF32});
  } else {
    row.check_formats(site);
  }
}

// What an integer cell needs to know of its inside, and which inputs are recoded.
void check_inner_formats(const Site& site) {
  const Node& node = site.node;
  std::vector<std::string> wanted;
  for (const FormatSlot& slot : row_of(node.operation).formats(node)) {
    wanted.push_back(slot.name);
    const std::string what = concat("format '", slot.name, "' of ", described(node));
    const auto found = node.formats.find(slot.name);
    if (found == node.formats.end()) {
      if (!slot.optional) refuse(what, " is missing");
      continue;
    }
    check_format(what, found->second);
    expect_kind(what, found->second, {slot.kind});
    if (slot.integer_bits) expect_power_of_two(what, found->second.scale, *slot.integer_bits);
  }
  std::set<std::string> recoded;
  if (!runs_in_float(node) && !row_of(node.operation).reads_ids())
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) recoded.insert(input_format_name(slot));
  for (const auto& [name, format] : node.formats) {
    if (recoded.contains(name)) {
      const std::string what = concat("format '", name, "' of ", described(node));
      check_format(what, format);
      expect_kind(what, format, {NumberType::kI8, NumberType::kI16});
    } else if (std::ranges::find(wanted, name) == wanted.end()) {
      refuse(described(node), " with scheme '", node.scheme, "' has a format '", printable(name),
             "' that it does not use", wanted.empty() ? "" : concat("; it uses: ", join(wanted, ", ")));
    }
  }
}

// The clamps of an integer LSTM.
void check_codes(const Node& node) {
  const std::vector<CodeSlot> wanted = row_of(node.operation).codes(node);
  for (const auto& [name, code] : node.codes)
    if (std::ranges::find(wanted, name, &CodeSlot::name) == wanted.end())
      refuse(described(node), " with scheme '", node.scheme, "' has a code '", printable(name),
             "' that it does not use");
  for (const CodeSlot& slot : wanted) {
    const auto found = node.codes.find(slot.name);
    if (found == node.codes.end()) refuse("code '", slot.name, "' of ", described(node), " is missing");
    if (found->second < slot.low || found->second > slot.high)
      refuse("code '", slot.name, "' of ", described(node), " is ", found->second, ", expected ", slot.low, " to ",
             slot.high);
  }
  const auto low = node.codes.find("output_low"), high = node.codes.find("output_high");
  if (low != node.codes.end() && high != node.codes.end() && low->second > high->second)
    refuse("codes of ", described(node), ": output_low ", low->second, " is above output_high ", high->second);
}

template <typename T>
void expect_symmetric(const std::string& name, const Tensor& tensor) {
  const std::span<const T> codes = tensor.as<T>();
  const auto lowest = std::find(codes.begin(), codes.end(), std::numeric_limits<T>::min());
  if (lowest != codes.end())
    refuse("tensor '", name, "' has code ", int{*lowest}, " at index ", lowest - codes.begin(), ", expected ",
           int{std::numeric_limits<T>::min()} + 1, " to ", int{std::numeric_limits<T>::max()});
}

// Codes that the format holds, and behind a row's last column what pack() fills the row up with.
void expect_packed(const std::string& name, const Tensor& tensor, const WeightFormat& format) {
  const auto cols = static_cast<std::size_t>(tensor.row_size());
  std::vector<std::int8_t> codes(cols);
  std::vector<std::byte> packed(format.row_bytes(cols));
  for (std::size_t r = 0; r < static_cast<std::size_t>(tensor.rows()); ++r) {
    const std::span row(tensor.bytes.data() + r * packed.size(), packed.size());
    format.unpack(row.data(), cols, codes.data());
    const auto wrong = std::ranges::find_if_not(codes, [&](std::int8_t code) { return format.holds(code); });
    if (wrong != codes.end())
      refuse("tensor '", name, "' has code ", int{*wrong}, " in row ", r, ", column ", wrong - codes.begin(),
             ", expected one of the ", format.levels, " within ", -format.limit, "..", format.limit);
    format.pack(codes.data(), cols, packed.data());
    if (!std::ranges::equal(packed, row))
      refuse("tensor '", name, "' has row ", r, " filled up with other bits than ", format.name, " has there");
  }
}

void expect_finite(const std::string& name, const Tensor& tensor) {
  const std::span<const float> values = tensor.as<float>();
  const auto wrong = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (wrong != values.end())
    refuse("tensor '", name, "' has ", *wrong, " at index ", wrong - values.begin(), ", expected finite values");
}

void check_tensor(const TensorSlot& slot, const Tensor& tensor) {
  const WeightFormat* format = weight_format_of(slot.kind);
  const bool bytes_instead =
      slot.may_be_bytes && tensor.kind == NumberType::kI8 && format != nullptr && format->is_packed();
  if ((tensor.kind != slot.kind && !bytes_instead) || tensor.shape != slot.shape)
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
    used.insert(slot.name);
    if (const WeightFormat* format = weight_format_of(tensor->kind); format != nullptr && format->is_packed())
      expect_packed(slot.name, *tensor, *format);
    if (slot.role == TensorRole::kTable) continue;  // output codes, which use all of i8 (or i16)
    if (tensor->kind == NumberType::kI8) expect_symmetric<std::int8_t>(slot.name, *tensor);
    if (tensor->kind == NumberType::kI16) expect_symmetric<std::int16_t>(slot.name, *tensor);
  }
  for (const TensorSlot& slot : optional_tensor_slots(node)) {
    const Tensor* tensor = model.find_tensor(slot.name);
    if (tensor == nullptr) continue;
    check_tensor(slot, *tensor);
    used.insert(slot.name);
  }
}

void check_normalization(const Model& model, const ModelInput& input, std::set<std::string>& used) {
  const std::string mean_name = input.name + ".mean", inverse_name = input.name + ".inverse_deviation";
  const Tensor *mean = model.find_tensor(mean_name), *inverse = model.find_tensor(inverse_name);
  if (mean == nullptr && inverse == nullptr) return;
  if (mean == nullptr || inverse == nullptr)
    refuse("tensor '", mean == nullptr ? mean_name : inverse_name,
           "' is missing; the input's mean and inverse deviation come together");
  if (input.value.format.kind == NumberType::kI32) refuse("tensor '", mean_name, "' cannot be applied to ids (i32)");
  for (const auto& [name, tensor] : {std::pair(mean_name, mean), std::pair(inverse_name, inverse)}) {
    check_tensor({name, {input.value.shape.features()}, NumberType::kF32}, *tensor);
    used.insert(name);
  }
  for (const float value : inverse->as<float>()) {
    if (value <= 0) refuse("tensor '", inverse_name, "' has ", value, ", expected values above 0");
  }
}

// (A44) The scale and offset a channel of an input or a node's value.
void check_channels(const Model& model, const std::string& name, const Value& value, std::set<std::string>& used) {
  for (const std::string_view part : {"scale", "offset"}) {
    const std::string tensor_name = concat(name, ".", part);
    const Tensor* tensor = model.find_tensor(tensor_name);
    if (tensor == nullptr) continue;
    const NumberType kind = value.format.kind;
    if (kind != NumberType::kI8 && kind != NumberType::kI16)
      refuse("tensor '", tensor_name, "' gives each channel of '", name, "' its ", part, ", but that value is ",
             type_name(kind), ", expected i8 or i16");
    check_tensor({tensor_name, {value.shape.features()}, NumberType::kF32}, *tensor);
    used.insert(tensor_name);
    if (part != "scale") continue;
    const std::span<const float> scales = tensor->as<float>();
    const auto wrong = std::ranges::find_if(scales, [](float scale) { return scale <= 0; });
    if (wrong != scales.end())
      refuse("tensor '", tensor_name, "' has ", *wrong, " at index ", wrong - scales.begin(),
             ", expected numbers above 0");
  }
}

void check_name(const std::string& what, const std::string& name, const std::set<std::string>& known) {
  if (name.empty()) refuse(what, " has no name");
  const bool plain = std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '.'; });
  if (!plain || name.size() > 255)
    refuse(what, " name '", printable(name, 255),
           "' must be printable ASCII without blanks and '.', 255 characters at most");
  if (known.contains(name)) refuse("the name '", name, "' is used twice");
}

void check_classes(const Model& model) {
  if (model.classes.empty()) return;
  const auto scores = [&](const std::string& output) {
    const Node& node = *model.maker(output);
    const bool index = row_of(node.operation).gives_index();
    return index ? model.value(node.inputs[0]).shape.features() : model.value(output).size();
  };
  std::vector<std::string> found;
  for (const std::string& output : model.outputs) {
    if (scores(output) == static_cast<std::int64_t>(model.classes.size())) return;
    found.push_back(concat("'", output, "' ", scores(output)));
  }
  refuse("there are ", model.classes.size(), " classes, but the outputs have other widths: ", join(found, ", "));
}

void check_words(const Model& model) {
  if (model.words.empty()) return;
  std::vector<std::string> found;
  for (const Node& node : model.nodes) {
    const OperationRow& row = row_of(node.operation);
    if (!row.reads_ids() || model.find_input(node.inputs[0]) == nullptr) continue;
    const std::int64_t vocabulary = row.vocabulary(node.operation);
    if (vocabulary == static_cast<std::int64_t>(model.words.size())) return;
    found.push_back(concat("'", node.name, "' ", vocabulary));
  }
  refuse("there are ", model.words.size(), " words, but ",
         found.empty() ? "no input is ids" : concat("embeddings of inputs know other numbers: ", join(found, ", ")));
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

void check_shape(const std::string& what, const Value& value) {
  std::int64_t elements = 1;
  for (const std::int64_t size : value.shape.sizes()) {
    if (size < 1 || size > kMaxSize || (elements *= size) > kMaxSize)
      refuse(what, " has ", value.shape.axes() == 1 ? concat(size) : shape_text(value.shape.sizes()),
             " features, expected 1 to ", kMaxSize);
  }
  if (value.rate != 1 || value.delay != 0)
    refuse(what, " comes once every ", value.rate, " steps, ", value.delay, " late; expected every step and 0");
}

// What the nodes so far have made.
struct Known {
  const Value* value;
  const Node* maker;
  bool follows_time;
};

void check_model_inputs(const Model& model, std::set<std::string>& names, std::map<std::string, Known>& values,
                        std::set<std::string>& used) {
  if (model.inputs.empty()) refuse("there are no inputs");
  if (model.inputs.size() > kMaxInputs)
    refuse("there are ", model.inputs.size(), " inputs, expected at most ", kMaxInputs);
  for (const ModelInput& input : model.inputs) {
    check_name("an input", input.name, names);
    names.insert(input.name);
    const Value& value = input.value;
    const std::string what = input.name == "input" ? "the model's input" : concat("the input '", input.name, "'");
    check_format(what, value.format);
    // What codes its frames, or hands codes over, has int8 alone.
    expect_kind(what, value.format, {NumberType::kF32, NumberType::kI8, NumberType::kI32});
    check_shape(what, value);
    values.emplace(input.name, Known{&value, nullptr, value.has_time});
    check_normalization(model, input, used);
    check_channels(model, input.name, value, used);
  }
  const bool timed = std::ranges::any_of(model.inputs, [](const ModelInput& input) { return input.value.has_time; });
  if (!timed)
    refuse("the input '", model.inputs[0].name,
           "' is one vector without time, expected one a step of one input or more");
}

// The graph around one node: its inputs, attributes and shapes. Returns the node among what it reads.
std::vector<Site::Input> check_node_graph(const Node& node, const std::map<std::string, Known>& values) {
  const OperationRow& row = row_of(node.operation);
  if (node.inputs.size() < row.least_inputs() || node.inputs.size() > row.most_inputs())
    refuse(described(node), " has ", node.inputs.size(), " inputs, expected ", row.least_inputs(),
           row.most_inputs() == row.least_inputs() ? "" : concat(" to ", row.most_inputs()));
  std::vector<Site::Input> inputs;
  std::vector<const Value*> read;
  for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
    const auto found = values.find(node.inputs[slot]);
    if (found == values.end())
      refuse(described(node), " reads '", printable(node.inputs[slot]), "'",
             node.inputs.size() == 1 ? "" : concat(" in slot ", slot),
             ", which is neither an input of the model nor made by a node before it");
    inputs.push_back({found->second.value, found->second.maker, found->second.follows_time});
    read.push_back(found->second.value);
  }
  row.check({node, inputs});
  const std::vector<Value> expected = row.outputs(node.operation, read);
  if (node.outputs.empty() || node.outputs.size() > expected.size())
    refuse(described(node), " has ", node.outputs.size(), " outputs, expected 1",
           expected.size() == 1 ? "" : concat(" to ", expected.size()));
  for (std::size_t slot = 0; slot < node.outputs.size(); ++slot) {
    const Value &said = node.outputs[slot], &made = expected[slot];
    const std::string what = slot == 0 ? "its output" : concat("its output '", value_name(node, slot), "'");
    check_shape(concat(described(node), ": ", what), made);
    const auto text = [](const Value& value) {
      const std::string shape =
          value.shape.axes() == 1 ? concat(value.size()) : concat("[", shape_text(value.shape.sizes()), "]");
      return concat(shape, value.has_time ? " a step" : " without time");
    };
    if (said.has_time != made.has_time || said.shape != made.shape)
      refuse(described(node), " says ", what, " is ", text(said), ", expected ", text(made));
    if (said.rate != 1 || said.delay != 0)
      refuse(described(node), " says ", what, " comes once every ", said.rate, " steps, ", said.delay,
             " late; expected every step and 0");
  }
  return inputs;
}

}  // namespace

void validate(const Model& model) {
  check_scheme("the whole", model.scheme);
  std::set<std::string> used, names;
  std::map<std::string, Known> values;
  check_model_inputs(model, names, values, used);
  if (model.nodes.empty()) refuse("there are no nodes");
  if (model.nodes.size() > kMaxNodes) refuse("there are ", model.nodes.size(), " nodes, expected at most ", kMaxNodes);

  std::set<std::string> made;
  for (const Node& node : model.nodes) {
    check_name("a node", node.name, names);
    check_scheme(described(node), node.scheme);
    const std::vector<Site::Input> inputs = check_node_graph(node, values);
    const Site site{node, inputs};
    if (const std::string reason = row_of(node.operation).no_integer_form(node.operation);
        !reason.empty() && !runs_in_float(node))
      refuse(described(node), " has no integer form (", reason, "), but its scheme is '", node.scheme,
             "'; keep the node at scheme '", kFloatScheme, "'");
    check_border_formats(site);
    check_inner_formats(site);
    check_codes(node);
    if (node.sums != Sums::kHalves && !is_integer_recurrent(node))
      refuse(described(node), " with scheme '", node.scheme, "' has sums '", sums_name(node.sums),
             "', which only an integer lstm, gru or rnn has");
    check_node_tensors(model, node, used);
    check_channels(model, node.name, node.outputs[0], used);
    names.insert(node.name);
    const bool follows_time = std::ranges::any_of(inputs, &Site::Input::follows_time);
    for (std::size_t slot = 0; slot < node.outputs.size(); ++slot) {
      made.insert(value_name(node, slot));
      values.emplace(value_name(node, slot), Known{&node.outputs[slot], &node, follows_time});
    }
  }

  if (model.outputs.empty()) refuse("there are no outputs");
  std::set<std::string> outputs;
  for (const std::string& output : model.outputs) {
    if (!made.contains(output)) refuse("output '", printable(output), "' is not made by a node");
    if (!outputs.insert(output).second) refuse("output '", output, "' is listed twice");
  }
  check_classes(model);
  check_words(model);
  check_strays(model, used);
}

}  // namespace quaver
