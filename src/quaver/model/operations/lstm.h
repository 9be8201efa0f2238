// lstm.h - Long short-term memory over time (docs/cells/lstm.md).
//
//   W [G*cell, input]  R [G*cell, output]  b [G*cell]      G = 4: i,o,f,c; CIFG G = 3: o,f,c
//   P [(G-1)*cell] i,o,f or o,f   L [G*cell] layer norm    W_projection [output, cell]  b_projection [output]
//   b_input [G*cell], optional, of an integer LSTM with layer norm: added to W x before the norm (A44)
// Along an inner axis y is [steps, ...] of each frame, and what it ends with one a frame.
// Outputs: y, "h_n" and "c_n": y and the cell state after the last step of each direction.
#pragma once

#include <cstdint>
#include <string_view>

#include "quaver/cells/lstm/params.h"
#include "quaver/model/operations/names.h"

namespace quaver {

class OperationRow;

struct LstmAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;      // cells
  std::int64_t projection_size = 0;  // 0: no projection, output = hidden_size
  bool input_forget = false;         // CIFG: input gate = 1 - forget gate
  bool peephole = false;
  bool layer_norm = false;
  float clip = 0.0f;             // cell state to [-clip, clip]; 0: none
  float projection_clip = 0.0f;  // output to [-clip, clip]; 0: none
  Direction direction = Direction::kForward;
  std::int64_t axis = kStreamAxis;  // or 0: along the first axis of frames [steps, input_size]
  bool carry = false;               // an inner axis goes on with the state of the frame before; else each starts anew
  bool operator==(const LstmAttributes&) const = default;

  std::int64_t gate_count() const { return input_forget ? 3 : 4; }
  std::int64_t output_size() const { return projection_size > 0 ? projection_size : hidden_size; }  // of one direction
  LstmShape shape() const {
    return {static_cast<std::size_t>(input_size),
            static_cast<std::size_t>(hidden_size),
            static_cast<std::size_t>(output_size()),
            input_forget,
            peephole,
            layer_norm,
            projection_size > 0};
  }

  static const OperationRow& row();
  static constexpr std::string_view kName = "lstm";
  static void fields(auto& self, auto&& visit) {
    visit("input_size", self.input_size);
    visit("hidden_size", self.hidden_size);
    visit("projection_size", self.projection_size);
    visit("input_forget", self.input_forget);
    visit("peephole", self.peephole);
    visit("layer_norm", self.layer_norm);
    visit("clip", self.clip);
    visit("projection_clip", self.projection_clip);
    visit("direction", self.direction);
    visit("axis", self.axis);
    visit("carry", self.carry);
  }
};

}  // namespace quaver
