// printable.h - a name from a hostile file, fit for a message: short, one line, no control characters.
#pragma once

#include <string>
#include <string_view>

namespace quaver {

inline std::string printable(std::string_view text) {
  constexpr std::size_t kLimit = 80;
  std::string shown(text.substr(0, kLimit));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text.size() > kLimit ? shown + "..." : shown;
}

}  // namespace quaver
