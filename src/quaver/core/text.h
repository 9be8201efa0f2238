// text.h - text for messages: the runtime links nothing beyond std, so no formatting library here.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

// concat("tensor '", name, "' has ", n, " rows") - every argument as operator<< prints it.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// What stands between separators: one part more than there are of them.
std::vector<std::string_view> split_at(std::string_view text, char separator);
// A to Z become a to z; all else, letters beyond ASCII too, stays.
std::string lower_case(std::string_view text);

std::string join(std::span<const std::string> parts, std::string_view separator);

// "4x128" for {4, 128}; "scalar" for {}.
std::string shape_text(std::span<const std::int64_t> shape);

// FNV-1a, 64 bits: a stable fingerprint for provenance and for matching states to models (not for security).
std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash = 0xcbf29ce484222325u);
// The shortest text that reads back as this number.
template <typename Number>
std::string number_text(Number value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string hex64(std::uint64_t value);  // 16 lower-case digits

// The candidate closest to `word` by edit distance, or "" when none is near: for "did you mean" in errors.
std::string closest(std::string_view word, std::span<const std::string> candidates);

// Error (usage) unless `name` is one of `names`: which there are, and the closest. what: "task", "scheme".
void require_known(const std::string& what, const std::string& name, const std::vector<std::string>& names);

}  // namespace quaver
