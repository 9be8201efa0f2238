// node.h - an operation in its place: what it reads and gives, and how its numbers are coded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quaver/model/formats/format.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/graph/value.h"
#include "quaver/model/operations/operation.h"

namespace quaver {

struct Node {
  std::string name;  // unique among nodes and inputs, not empty, without '.'
  Operation operation{};
  std::vector<std::string> inputs{};  // names of values by slot: of the model's inputs or of earlier nodes
  // By slot (OperationRow::output_slots): the first is called by the node's name, another NODE.SLOT ("lstm0.c_n").
  // Those behind the last that is wanted are left out.
  std::vector<Value> outputs{};
  // Formats inside the cell, integer nodes only (OperationRow::formats). LSTM: "cell" (i16, scale 2^-(15-m)), "hidden"
  // (i8, with projection), "gate_i" "gate_o" "gate_f" "gate_c" (i16, with layer norm); each also with "_reverse".
  // GRU that resets after the product, optional: "candidate_recurrent" (i16, scale 2^-(15-m), m = 3..7; absent: m = 3),
  // R h + b_recurrent of the candidate before the reset gate scales it; also with "_reverse".
  // Any of the three whose output is i16 (its state in Q0.15): "state" (i8), the copy that R reads, of both directions.
  // Any integer node: "input", of a second slot "input_1", ..., where the edge it reads is coded differently (a float
  // island, an i16 edge, another input of a sum): the engine converts.
  std::map<std::string, Format> formats{};
  // Clamps as codes, integer lstm nodes only, always all three: "cell_clip" (1..32767, or 0 for none), "output_low" and
  // "output_high" (-128 <= low <= high <= 127). Codes, not reals, so that LiteRT's clamp around code 0 and ours around
  // the zero point are both just two numbers.
  std::map<std::string, std::int32_t> codes{};
  std::string scheme{kFloatScheme};  // a name of scheme.h
  Sums sums = Sums::kHalves;         // of an integer lstm, gru or rnn; else it stays as it is here
  bool operator==(const Node&) const = default;
};

// The name of what a node gives in an output slot.
std::string value_name(const Node& node, std::size_t slot);
// Of the format into which the engine recodes what comes in an input slot: "input", "input_1", "input_2", ...
std::string input_format_name(std::size_t slot);
bool runs_in_float(const Node& node);
// "node 'gru0' (gru)".
std::string described(const Node& node);

}  // namespace quaver
