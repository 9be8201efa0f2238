// argmax.h - One i32 along the innermost axis: the lowest index of the largest value.
#pragma once

#include <string_view>

namespace quaver {

class OperationRow;

struct ArgmaxAttributes {
  bool operator==(const ArgmaxAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "argmax";
  static void fields(auto&, auto&&) {}
};

}  // namespace quaver
