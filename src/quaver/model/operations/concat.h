// concat.h - Two values or more side by side along the innermost axis.
//
// In integers all inputs come in the output's format; formats "input", "input_1", ... say which are recoded.
#pragma once

#include <string_view>

namespace quaver {

class OperationRow;

struct ConcatAttributes {
  bool operator==(const ConcatAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "concat";
  static void fields(auto&, auto&&) {}
};

}  // namespace quaver
