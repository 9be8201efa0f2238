// printable.h - texts of others, fit for a message: names from hostile files and command lines reach terminals and
// JSON.
//
// Terminals act on control characters: C0 (below U+0020), DEL, and C1 (U+0080 to U+009F). JSON takes UTF-8 alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quaver {

// Bytes of the character that `text` begins with, 1 to 4; 0 where that is no UTF-8: empty, cut, overlong, a surrogate
// or beyond Unicode.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

// UTF-8 whatever the bytes: those that are none become '?'.
std::string as_utf8(std::string_view text);

// One line without control characters: they and what is no UTF-8 become '?'. Of a longer text the first `most` bytes,
// cut between characters, and "...".
std::string printable(std::string_view text, std::size_t most = 80);

// The same with `most` bytes of its beginning and its end: a message says at its end what to do.
std::string printable_ends(std::string_view text, std::size_t most);

// Of any length and with its ends of lines; the rest as printable().
std::string printable_lines(std::string_view text);

}  // namespace quaver
