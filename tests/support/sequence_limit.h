// sequence_limit.h - SEQUENCES on the command lines of programs that tools/ runs.
#pragma once

#include <charconv>
#include <cstddef>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver::testing {

// Error (usage) for a text that is no whole number.
inline std::size_t limit_of(std::string_view text) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size())
    throw_usage(concat("SEQUENCES is '", text, "', expected a whole number, 0 for all"));
  return limit;
}

}  // namespace quaver::testing
