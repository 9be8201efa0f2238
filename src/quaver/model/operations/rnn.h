// rnn.h - Plain recurrent layer over time.
//
//   W [hidden, input]  R [hidden, hidden]  b [hidden]
// Along an inner axis y is [steps, ...] of each frame, and what it ends with one a frame.
// Outputs: y and "h_n", y after the last step of each direction.
#pragma once

#include <cstdint>
#include <string_view>

#include "quaver/model/operations/names.h"

namespace quaver {

class OperationRow;

struct RnnAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  Nonlinearity nonlinearity = Nonlinearity::kTanh;  // kTanh or kRelu
  Direction direction = Direction::kForward;
  std::int64_t axis = kStreamAxis;  // or 0: along the first axis of frames [steps, input_size]
  bool carry = false;               // an inner axis goes on with the state of the frame before; else each starts anew
  bool operator==(const RnnAttributes&) const = default;

  std::int64_t output_size() const { return hidden_size; }

  static const OperationRow& row();
  static constexpr std::string_view kName = "rnn";
  static void fields(auto& self, auto&& visit) {
    visit("input_size", self.input_size);
    visit("hidden_size", self.hidden_size);
    visit("nonlinearity", self.nonlinearity);
    visit("direction", self.direction);
    visit("axis", self.axis);
    visit("carry", self.carry);
  }
};

}  // namespace quaver
