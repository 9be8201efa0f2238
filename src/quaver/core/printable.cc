#include "quaver/core/printable.h"

namespace quaver {
namespace {

bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < ' ' || byte(0) == 0x7f;
  return character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

// Each character as `replaces` says: itself, or '?'. What is no UTF-8 is always replaced.
template <typename Replaces>
std::string replaced(std::string_view text, const Replaces& replaces) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || replaces(character))
      shown += '?';
    else
      shown += character;
    text.remove_prefix(character.size());
  }
  return shown;
}

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0u) == 0x80; }

std::string_view first_bytes(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && continues_a_character(text[most])) --most;
  return text.substr(0, most);
}

std::string_view last_bytes(std::string_view text, std::size_t most) {
  std::size_t begin = text.size() - most;
  while (begin < text.size() && continues_a_character(text[begin])) ++begin;
  return text.substr(begin);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool no_character = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || no_character ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string as_utf8(std::string_view text) {
  return replaced(text, [](std::string_view) { return false; });
}

std::string printable(std::string_view text, std::size_t most) {
  return replaced(first_bytes(text, most), is_control) + (text.size() > most ? "..." : "");
}

std::string printable_ends(std::string_view text, std::size_t most) {
  if (text.size() <= 2 * most) return replaced(text, is_control);
  return replaced(first_bytes(text, most), is_control) + " ... " + replaced(last_bytes(text, most), is_control);
}

std::string printable_lines(std::string_view text) {
  return replaced(text, [](std::string_view character) { return character != "\n" && is_control(character); });
}

}  // namespace quaver
