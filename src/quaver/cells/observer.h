// observer.h - how calibration, comparison and reports look inside a cell without the cell knowing about them.
//
// A cell calls its observer, when there is one, once a step and point, with the numbers as it holds them. Points of one
// cell, in the order they arise; float and integer cells report the same ones, so that they can be compared:
//   every node  "input" first (of further slots "input_1", ...) and "output" last, reported by the engine around the
//               cell
//   lstm        gates i o f c: "gate_i" (sum before layer norm, only with it), "pre_i" (what the activation reads),
//               "act_i" (what it gives); "cell"; "hidden" (only with projection)
//   gru         "pre_z" "pre_r" "act_z" "act_r"; "recurrent_h" (R h + b' of the candidate, where the reset comes
//               after the product) or "reset" (r .* h, where it comes before); "pre_h" "act_h"; "state" (full
//               precision)
//   rnn         "pre_h"; "state"
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace quaver {

class Observer {
 public:
  virtual ~Observer() = default;
  // What follows belongs to this node and direction ("" or "_reverse") at this time step.
  virtual void at(std::string_view node, std::string_view direction, std::size_t step) = 0;
  virtual void real(std::string_view point, std::span<const float> values) = 0;
  // real value = scale (code - zero_point)
  virtual void codes(std::string_view point, std::span<const std::int8_t> codes, double scale,
                     std::int32_t zero_point) = 0;
  virtual void codes(std::string_view point, std::span<const std::int16_t> codes, double scale) = 0;
  // Of a value whose channels have scales of their own, and offsets or none (A44); a frame may have rows of channels:
  // real value [c] = offsets[c] + scales[c] * scale (code [c] - zero_point)
  virtual void channel_codes(std::string_view point, std::span<const std::int8_t> codes, double scale,
                             std::int32_t zero_point, std::span<const float> scales, std::span<const float> offsets) {
    std::vector<float> values(codes.size());
    for (std::size_t c = 0; c < codes.size(); ++c)
      values[c] = static_cast<float>((offsets.empty() ? 0 : static_cast<double>(offsets[c % offsets.size()])) +
                                     (scales.empty() ? 1 : static_cast<double>(scales[c % scales.size()])) * scale *
                                         (static_cast<double>(codes[c]) - zero_point));
    real(point, values);
  }
};

}  // namespace quaver
