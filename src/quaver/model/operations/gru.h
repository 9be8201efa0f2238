// gru.h - Gated recurrent unit over time (docs/cells/gru.md).
//
//   W [3*hidden, input]  R [3*hidden, hidden]  b [3*hidden]  b_recurrent [3*hidden]    z,r,h
// In integers b_recurrent is [hidden], the candidate's: those of z and r are part of b.
// Along an inner axis y is [steps, ...] of each frame, and what it ends with one a frame.
// Outputs: y and "h_n", y after the last step of each direction.
#pragma once

#include <cstdint>
#include <string_view>

#include "quaver/cells/gru/params.h"
#include "quaver/model/operations/names.h"

namespace quaver {

class OperationRow;

struct GruAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool linear_before_reset = true;  // true: PyTorch, Keras, cuDNN (reset after the product)
  Direction direction = Direction::kForward;
  std::int64_t axis = kStreamAxis;  // or 0: along the first axis of frames [steps, input_size]
  bool carry = false;               // an inner axis goes on with the state of the frame before; else each starts anew
  bool operator==(const GruAttributes&) const = default;

  std::int64_t output_size() const { return hidden_size; }
  GruShape shape() const {
    return {static_cast<std::size_t>(input_size), static_cast<std::size_t>(hidden_size), linear_before_reset};
  }

  static const OperationRow& row();
  static constexpr std::string_view kName = "gru";
  static void fields(auto& self, auto&& visit) {
    visit("input_size", self.input_size);
    visit("hidden_size", self.hidden_size);
    visit("linear_before_reset", self.linear_before_reset);
    visit("direction", self.direction);
    visit("axis", self.axis);
    visit("carry", self.carry);
  }
};

}  // namespace quaver
