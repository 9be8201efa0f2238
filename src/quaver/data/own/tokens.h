// tokens.h - text as the numbers of its tokens. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/data/own/pipeline.h"

namespace quaver {

// Calls with each token of a text in UTF-8, in order.
void for_each_token(std::string_view text, TokenUnit unit, const std::function<void(std::string_view)>& take);

using TokenCounts = std::map<std::string, std::size_t, std::less<>>;  // how often each came

void count_tokens(std::string_view text, TokenUnit unit, TokenCounts& counts);

// Tokens by id: "" for what is none of them, then the most frequent first, of equal ones by name. most: ids at most.
std::vector<std::string> frequent_tokens(const TokenCounts& counts, std::size_t most);

class Tokenizer {
 public:
  explicit Tokenizer(const TokenSettings& settings);
  std::vector<std::int32_t> ids(std::string_view text) const;

 private:
  TokenUnit unit_;
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

}  // namespace quaver
