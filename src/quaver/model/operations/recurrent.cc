#include "quaver/model/operations/recurrent.h"

namespace quaver {

void check_recurrent(const Site& site, std::int64_t input_size, std::int64_t hidden_size, Direction direction,
                     std::int64_t axis, bool carry) {
  const Node& node = site.node;
  check_input_size(site, input_size);
  check_size(node, "hidden_size", hidden_size);
  const Value& input = site.input();
  if (axis != kStreamAxis && axis != 0)
    refuse(described(node), " has axis ", axis, ", expected -1 (one frame a step) or 0 (the first axis of each frame)");
  if (axis == kStreamAxis && carry)
    refuse(described(node), " has carry, which says how an inner axis begins, but it runs over time");
  if (axis == kStreamAxis && !input.has_time)
    refuse(described(node), " runs over time, but its ", site.input_name(), " is one vector without time");
  const std::size_t axes = axis == kStreamAxis ? 1 : 2;
  if (input.shape.axes() != axes)
    refuse(described(node),
           axes == 1 ? " reads one vector a step, but its " : " reads frames [steps, features], but its ",
           site.input_name(), " has ", input.shape.axes(), input.shape.axes() == 1 ? " axis" : " axes");
  if (carry && (direction != Direction::kForward || !input.has_time))
    refuse(described(node), " carries its state from frame to frame, for which it must be forward and its ",
           site.input_name(), " have time");
}

std::vector<Value> recurrent_outputs(const Value& input, Direction direction, std::int64_t axis,
                                     std::int64_t output_size, std::initializer_list<std::int64_t> last_sizes) {
  const std::int64_t directions = direction_count(direction);
  const bool inside = axis != kStreamAxis;
  const Shape frame{directions * output_size};
  std::vector<Value> outputs{
      {.shape = inside ? input.shape.with_features(directions * output_size) : frame, .has_time = input.has_time}};
  for (const std::int64_t size : last_sizes)
    outputs.push_back({.shape = {directions * size}, .has_time = inside && input.has_time});
  return outputs;
}

void check_recurrent_input(const Site& site) {
  if (site.node.sums == Sums::kWhole) {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI8, NumberType::kI16});
  } else {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI8});
  }
}

void check_recurrent_output(const Site& site, bool can_be_wide, bool copied) {
  const Node& node = site.node;
  const Format& format = node.outputs[0].format;
  const auto expect_copy = [](const std::string& what, const Format& copy) {
    if (copy.scale < 0x1p-14f)
      refuse(what, " has scale ", copy.scale, ", expected at least 2^-14, two steps of the state it is a copy of");
  };
  if (!can_be_wide || format.kind != NumberType::kI16) {
    expect_kind(site.output_name(), format, {NumberType::kI8});
    if (copied) expect_copy(site.output_name(), format);
  } else {
    expect_format(site.output_name(), format, {NumberType::kI16, 0x1p-15f, 0});
    if (const auto copy = node.formats.find("state"); copy != node.formats.end())
      expect_copy(concat("format 'state' of ", described(node)), copy->second);
  }
  expect_output_format(site, 1, format);
}

void expect_output_format(const Site& site, std::size_t slot, const Format& expected) {
  if (slot < site.node.outputs.size())
    expect_format(concat("output '", value_name(site.node, slot), "' of ", described(site.node)),
                  site.node.outputs[slot].format, expected);
}

void add_state_format(const Node& node, std::vector<FormatSlot>& formats) {
  if (!runs_in_float(node) && node.outputs[0].format.kind == NumberType::kI16)
    formats.push_back({"state", NumberType::kI8});
}

std::string direction_text(Direction direction) {
  return direction == Direction::kForward ? "" : concat(" ", direction_name(direction));
}

}  // namespace quaver
