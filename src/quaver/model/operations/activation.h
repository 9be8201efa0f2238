// activation.h - A function of one number, element by element.
//
//   table [256] i8, integer only: the output code of input code q at q + 128
#pragma once

#include <string_view>

#include "quaver/model/operations/names.h"

namespace quaver {

class OperationRow;

struct ActivationAttributes {
  Nonlinearity function = Nonlinearity::kRelu;
  bool operator==(const ActivationAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "activation";
  static void fields(auto& self, auto&& visit) { visit("function", self.function); }
};

}  // namespace quaver
