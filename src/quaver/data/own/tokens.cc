#include "quaver/data/own/tokens.h"

#include <algorithm>

#include "quaver/core/error.h"
#include "quaver/core/memory_limit.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/data/own/lines.h"

namespace quaver {
namespace {

bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

// Letters and digits of ASCII, the apostrophe, and whatever lies beyond ASCII.
bool is_of_a_word(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '\'' ||
         static_cast<unsigned char>(letter) >= 0x80;
}

void for_each_character(std::string_view text, const std::function<void(std::string_view)>& take) {
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
    take(text.substr(0, length));
    text.remove_prefix(length);
  }
}

void for_each_word(std::string_view text, const std::function<void(std::string_view)>& take) {
  const std::string lower = lower_case(text);
  const std::string_view all = lower;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && is_of_a_word(all[end])) ++end;
    if (end == i) ++end;
    if (!is_blank(all[i]) && all[i] != '\n') take(all.substr(i, end - i));
    i = end;
  }
}

void for_each_blank_separated(std::string_view text, const std::function<void(std::string_view)>& take) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !is_blank(text[end]) && text[end] != '\n') ++end;
    if (end > i) take(text.substr(i, end - i));
    if (end < text.size() && text[end] == '\n') take(text.substr(end, 1));
    i = end + 1;
  }
}

}  // namespace

const NameTable<TokenUnit, 3>& token_unit_names() {
  static constexpr NameTable<TokenUnit, 3> kNames("unit of tokens", {"char", "word", "blank-separated"});
  return kNames;
}

void for_each_token(std::string_view text, TokenUnit unit, const std::function<void(std::string_view)>& take) {
  switch (unit) {
    case TokenUnit::kCharacter: return for_each_character(text, take);
    case TokenUnit::kWord: return for_each_word(text, take);
    case TokenUnit::kBlankSeparated: return for_each_blank_separated(text, take);
  }
}

void count_tokens(std::string_view text, TokenUnit unit, TokenCounts& counts) {
  for_each_token(text, unit, [&counts](std::string_view token) {
    const auto found = counts.find(token);
    if (found == counts.end())
      counts.emplace(token, 1);
    else
      ++found->second;
  });
}

std::vector<std::string> frequent_tokens(const TokenCounts& counts, std::size_t most) {
  std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> tokens{""};
  for (const auto& [token, count] : sorted)
    if (tokens.size() < most) tokens.push_back(token);
  return tokens;
}

Sequence read_text(const Pipeline& pipeline, std::string_view text) {
  if (!pipeline.tokens)
    throw_bad_input(concat("the model reads data of kind '", printable(pipeline.kind), "', not text"));
  if (!is_utf8(text)) throw_bad_input(concat("text '", printable(text), "', expected UTF-8"));
  const Tokenizer tokenizer(*pipeline.tokens);
  Sequence sequence{.ids = tokenizer.ids(text)};
  sequence.steps = sequence.ids.size();
  return sequence;
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_memory) {
  LineReader lines(path);
  std::string text;
  while (const std::optional<std::string_view> line = lines.next()) {
    text.append(*line).append(1, '\n');
    require_memory(concat(lines.where(), ": the lines up to here have"), text.size(), max_memory);
  }
  return text;
}

Tokenizer::Tokenizer(const TokenSettings& settings) : unit_(settings.unit) {
  for (std::size_t i = 1; i < settings.tokens.size(); ++i)
    numbers_.emplace(settings.tokens[i], static_cast<std::int32_t>(i));
}

std::vector<std::int32_t> Tokenizer::ids(std::string_view text) const {
  std::vector<std::int32_t> ids;
  for_each_token(text, unit_, [&](std::string_view token) {
    const auto found = numbers_.find(token);
    ids.push_back(found == numbers_.end() ? 0 : found->second);
  });
  return ids;
}

}  // namespace quaver
