// softmax.h - Probabilities along the innermost axis; integer: i16 logits -> Q0.15.
#pragma once

#include <string_view>

namespace quaver {

class OperationRow;

struct SoftmaxAttributes {
  bool operator==(const SoftmaxAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "softmax";
  static void fields(auto&, auto&&) {}
};

}  // namespace quaver
