// warning.h - what quantizing found worth a look: for people as a line (of several features as one line together:
// report/show/warning_lines.h), for programs as fields.
#pragma once

#include <optional>
#include <string>

namespace quaver {

// Codes, and what value and limit count under each:
//   float_island        a node stays in float
//   cell_range          largest |c| of calibration; where its format ends
//   candidate_range     largest recurrent half of a GRU's candidate; where its format ends
//   growing_state       largest |c| of the last quarter of the steps; of those before
//   constant_feature    the constant; half the range it keeps
//   narrow_feature      codes that a feature's range spans; how many it should
//   narrow_rows         codes that a quarter of an embedding's rows reach at most, in the root mean square; how many
//                       they should. Point: the row that is largest
//   coarse_rows         dB that a quarter of an embedding's rows keep at most in few bits; the scheme's limit.
//                       Point: the row that is largest
//   no_zero             what a row of zeros of an embedding is read as, in codes without 0; 0. Point: the first one
//   narrow_output       none: what reads 16 bits hands on 8
//   narrow_join         codes that an input of a concat spans beside larger ones; how many it should. Point: its slot
//   little_data         steps of calibration; how many there should be
//   range_cut           an extreme that one event alone reached; where the range ends instead
//   lone_value          the same among too few values to cut it; where the others end
//   halves_cut          percent of a gate's sums that cutting their halves one by one changes; 0
//   low_sqnr            dB of an output on the calibration data; the scheme's limit.
//                       Node and point: where it is lost
//   low_agreement       percent of the classes, or of a memory network's answers, that are the float one's; the least
struct Warning {
  std::string code;
  std::string node;   // or an input of the model
  std::string point;  // inside the node, as observers name it ("cell", "pre_i"), or "feature 3" of the input; may be ""
  std::optional<double> value, limit;
  std::string text;  // one line that names the thing, the figures and what to do

  bool operator==(const Warning&) const = default;
};

}  // namespace quaver
