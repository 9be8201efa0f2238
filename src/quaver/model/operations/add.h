// add.h - The sum of two values or more of one shape, element by element.
//
// In integers (A47) all inputs come in i16 of one scale with zero point 0: nodes say how theirs are recoded by formats
// "input", "input_1", ...; where a sum leaves int32 there would be 2^16 of them.
#pragma once

#include <string_view>

namespace quaver {

class OperationRow;

struct AddAttributes {
  bool operator==(const AddAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "add";
  static void fields(auto&, auto&&) {}
};

}  // namespace quaver
