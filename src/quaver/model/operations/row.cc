#include "quaver/model/operations/row.h"

#include <algorithm>
#include <cmath>

#include "quaver/core/error.h"
#include "quaver/model/formats/scheme.h"

namespace quaver {

std::string Site::input_name(std::size_t slot) const {
  const std::string& name = node.inputs[slot];
  return node.inputs.size() == 1 ? concat("input '", name, "'") : concat("input ", slot, " '", name, "'");
}

const Format& Site::read_format(std::size_t slot) const {
  const auto converted = node.formats.find(input_format_name(slot));
  return converted == node.formats.end() ? input(slot).format : converted->second;
}

std::string Site::read_name(std::size_t slot) const {
  const std::string format = input_format_name(slot);
  return concat(node.formats.contains(format) ? concat("format '", format, "'") : input_name(slot), " of ",
                described(node), " with scheme '", node.scheme, "'");
}

std::string Site::output_name() const {
  return concat("output of ", described(node), " with scheme '", node.scheme, "'");
}

std::span<const std::string_view> OperationRow::output_slots() const {
  static constexpr std::array<std::string_view, 1> kOwn{"y"};
  return kOwn;
}

void refuse_text(const std::string& text) { throw_bad_input("model: " + text); }

NumberType matrix_type(const Node& node) { return find_scheme(node.scheme)->weights; }
NumberType table_type(const Node& node) { return runs_in_float(node) ? NumberType::kF32 : NumberType::kI8; }
NumberType vector_type(const Node& node) { return runs_in_float(node) ? NumberType::kF32 : NumberType::kI16; }
NumberType bias_type(const Node& node) { return runs_in_float(node) ? NumberType::kF32 : NumberType::kI32; }

void check_size(const Node& node, std::string_view attribute, std::int64_t size, std::int64_t limit) {
  if (size < 1 || size > limit) refuse(described(node), " has ", attribute, " ", size, ", expected 1 to ", limit);
}

void check_input_size(const Site& site, std::int64_t size) {
  check_size(site.node, "input_size", size);
  if (size != site.input().shape.features())
    refuse(described(site.node), " takes ", size, " features, but its ", site.input_name(), " has ",
           site.input().shape.features());
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

}  // namespace quaver
