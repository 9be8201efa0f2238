// text_place.h - how messages name a line of a text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "quaver/core/text.h"

namespace quaver {

inline constexpr std::string_view kStandardInput = "standard input";

// "story.txt:12", as compilers and editors have it; of what is no file "standard input, line 12". line: from 1.
inline std::string text_place(std::string_view source, std::size_t line) {
  return concat(source, source == kStandardInput ? ", line " : ":", line);
}

}  // namespace quaver
