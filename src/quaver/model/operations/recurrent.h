// recurrent.h - what the rows of lstm, gru and rnn share. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "quaver/model/operations/row.h"

namespace quaver {

// The input has time, or the inner axis, and input_size features, there are units; what is carried can be.
template <typename Attributes>
void check_recurrent(const Site& site, const Attributes& attributes) {
  check_recurrent(site, attributes.input_size, attributes.hidden_size, attributes.direction, attributes.axis,
                  attributes.carry);
}
void check_recurrent(const Site& site, std::int64_t input_size, std::int64_t hidden_size, Direction direction,
                     std::int64_t axis, bool carry);

// y [directions * size] a step, and what each direction ends with: [directions * size] of each further one.
std::vector<Value> recurrent_outputs(const Value& input, Direction direction, std::int64_t axis,
                                     std::int64_t output_size, std::initializer_list<std::int64_t> last_sizes);

// What the matrices of an integer recurrent node read. Codes of 16 bits are two addends of a sum (A45), which halves
// that are cut one by one have no place for.
void check_recurrent_input(const Site& site);
// What it hands on: int8 codes, or where it can its state in Q0.15 (A46), of which "state" is the copy that its matrix
// reads. copied: its int8 codes are a copy of such a state.
void check_recurrent_output(const Site& site, bool can_be_wide, bool copied);
// Outputs behind the first, of each direction's end, are coded as what they repeat.
void expect_output_format(const Site& site, std::size_t slot, const Format& expected);

// "state" where the output is wide.
void add_state_format(const Node& node, std::vector<FormatSlot>& formats);

std::string direction_text(Direction direction);  // " reverse"; "" of forward

inline constexpr std::array<std::string_view, 2> kStateSlots{"y", "h_n"};

}  // namespace quaver
