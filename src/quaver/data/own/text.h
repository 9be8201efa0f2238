// text.h - texts with labels, a line each: "text[TAB]label", or "text[TAB]label[TAB]part" with part train, validation
// or test. Internal to this floor.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/lines.h"

namespace quaver {

struct LabelledText {
  std::size_t line = 0;
  std::string text{};   // not blank
  std::string label{};  // not empty
  std::optional<Split> part{};
};

// Lines that are broken are left out where `broken` allows it. Error (bad input) "FILE:LINE: ..." for a line without or
// with too many tabs, without a text or label, of an unknown part, or empty; for lines of which some have a part and
// some not; for more than max_memory bytes.
std::vector<LabelledText> read_labelled_texts(LineReader& lines, BrokenExamples& broken, std::uint64_t max_memory);

}  // namespace quaver
