// warning_lines.h - warnings for people: one line for all of a kind.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "quaver/quantize/warning.h"

namespace quaver {

// A model of 257 features may have 174 warnings that differ in the feature alone. Those with the same code and node
// whose points are features become one line: the text of the worst, whose value is farthest from its limit in units of
// the limit, after how many others there are and the next worst of them with their values,
//   "feature 246 and 173 others (feature 68: 13.6, feature 3: 13.9, feature 7: 14, ...; --json lists all): TEXT".
// Lines are in the order in which their kinds first come; a warning that is alone is its text. Programs read
// to_json(warnings) of fidelity.h, which has an object for each.
std::vector<std::string> warning_lines(std::span<const Warning> warnings);

}  // namespace quaver
