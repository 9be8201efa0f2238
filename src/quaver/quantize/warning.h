// warning.h - what quantizing found worth a look: for people as a line, for programs as fields.
#pragma once

#include <optional>
#include <string>

namespace quaver {

// Codes, and what value and limit count under each:
//   float_island        a node stays in float
//   cell_range          largest |c| of calibration; where its format ends
//   growing_state       largest |c| of the last quarter of the steps; of those before
//   halves_cut          percent of a gate's sums that cutting their halves one by one changes; 0
//   low_sqnr            dB of an output on the calibration data; the scheme's limit. Node and point: where it is lost
//   low_agreement       percent of answers of a memory network that are the float one's; the least expected
struct Warning {
  std::string code;
  std::string node;   // "input" for the model's input
  std::string point;  // inside the node, as observers name it ("cell", "pre_i"), or "feature 3" of the input; may be ""
  std::optional<double> value, limit;
  std::string text;  // one line that names the thing, the figures and what to do

  bool operator==(const Warning&) const = default;
};

}  // namespace quaver
