// ts.h - cases of the UCR/UEA archive's .ts form. Internal to this floor.
//
//   # comment
//   @dimensions 3            or @univariate true
//   @classLabel true a b     or @targetLabel true
//   @data
//   1,2,3:4,5,6:7,8,9:a      channels between colons, the steps of a channel between commas, at the end the class
#pragma once

#include <string>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/data/own/lines.h"

namespace quaver {

struct TsFile {
  std::size_t channels = 0;
  std::vector<std::string> classes{};  // empty where the targets are real numbers
  std::vector<Example> examples{};     // named "FILE:LINE"
};

// Error (bad input) "FILE:LINE: ..." for what is no such file, a missing value, channels of different lengths, a number
// of channels that differs from the header's or another case's, a class that the header does not name.
TsFile parse_ts(LineReader& lines);

}  // namespace quaver
