// GCC 12 warns falsely inside <regex> under the address sanitizer.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "quaver/quantize/name_pattern.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(NamePattern, OfANameIsFoundInIt) {
  for (const std::string name : {"words", "emb+1", "e[0]", "x(1", "a.b", "^", "\\d", "a|b{2}$?*"}) {
    EXPECT_TRUE(NamePattern(NamePattern::of(name)).found_in(name)) << name;
    EXPECT_TRUE(NamePattern(NamePattern::of(name)).found_in("x" + name)) << name;
    EXPECT_FALSE(NamePattern(NamePattern::of(name)).found_in("another")) << name;
  }
}

TEST(NamePattern, SaysWhatStdRegexSays) {
  const std::vector<std::string> names{"",       "a",     "b",      "ab",  "ba",  "aab",     "lstm0", "lstm10",
                                       "gru0",   "pool",  "scores", "a.b", "a+b", "encoder", "x-y_z", "A1",
                                       "lstm0x", "embed", "tags",   "(a)", "a|b", "]",       "^",     "aaaa"};
  for (const std::string pattern : {"lstm",         "^lstm",    "lstm$",      "^lstm0$",      ".",
                                    "^.$",          "",         "^$",         "a*",           "^a*$",
                                    "^a+$",         "^a?b$",    "lstm[0-9]+", "^(lstm|gru)0", "^(lstm|gru|)$",
                                    "[^a-z]",       "^[a-z]+$", "a|b",        "^a|b$",        "(a|b)*$",
                                    "^(a|ab)(b|)$", "\\d",      "\\w\\d$",    "a\\.b",        "a\\+b",
                                    "[.+]",         "[-x]",     "[x-]",       "^[^\\d]*$",    "\\(a\\)",
                                    "(a*)*b",       "^(a*)+$",  "(^a|b$)",    "x.y",          "\\|",
                                    "[ab]{0}"})
    for (const std::string& name : names) {
      if (std::string(pattern).find('{') != std::string::npos) {
        EXPECT_THROW(NamePattern{pattern}, Error);
        continue;
      }
      EXPECT_EQ(NamePattern(pattern).found_in(name), std::regex_search(name, std::regex(pattern)))
          << "'" << pattern << "' in '" << name << "'";
    }
}

// Expressions drawn from the grammar.
std::string drawn(Random& random, int depth) {
  const auto pick = [&](std::int64_t most) { return random.between(0, most); };
  std::string text;
  for (std::int64_t i = pick(3); i >= 0; --i) {
    switch (depth > 0 ? pick(5) : pick(2)) {
      case 0: text += "a"; break;
      case 1: text += "b"; break;
      case 2: text += "[ab]"; break;
      case 3: text += "(" + drawn(random, depth - 1) + ")"; break;
      case 4: text += "(" + drawn(random, depth - 1) + "|" + drawn(random, depth - 1) + ")"; break;
      case 5: text += pick(1) == 0 ? "^" : "$"; continue;
    }
    const char* repeats[] = {"", "", "*", "+", "?"};
    text += repeats[pick(4)];
  }
  return text;
}

TEST(NamePattern, SaysWhatStdRegexSaysOfDrawnOnes) {
  Random random(11);
  for (int i = 0; i < 200; ++i) {
    const std::string pattern = drawn(random, 1);
    const NamePattern ours(pattern);
    const std::regex theirs(pattern);
    for (const std::string name : {"", "a", "b", "ab", "ba", "aab", "abba", "bbb"})
      EXPECT_EQ(ours.found_in(name), std::regex_search(name, theirs)) << "'" << pattern << "' in '" << name << "'";
  }
}

TEST(NamePattern, WhatItDoesNotKnowIsRefusedByName) {
  const auto refusal = [](const std::string& pattern) -> std::string {
    try {
      NamePattern{pattern};
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "taken";
  };
  const std::vector<std::pair<std::string, std::string>> cases{{"(", "without its ')'"},
                                                               {")", "without its '('"},
                                                               {"[a", "without its ']'"},
                                                               {"*a", "nothing to repeat"},
                                                               {"a|*", "nothing to repeat"},
                                                               {"a{2}", "'{}'"},
                                                               {"(?=a)", "'(?'"},
                                                               {"(?:a)", "'(?'"},
                                                               {"(a)\\1", "'\\1'"},
                                                               {"\\bgru", "'\\b'"},
                                                               {"[[:alpha:]]", "'[:'"},
                                                               {"[z-a]", "'z-a'"},
                                                               {"a\\", "ends with"},
                                                               {"]", "'\\]'"}};
  for (const auto& [pattern, words] : cases)
    EXPECT_NE(refusal(pattern).find(words), std::string::npos) << pattern << ": " << refusal(pattern);
}

TEST(NamePattern, HostileOnesEndSoon) {
  EXPECT_THROW(NamePattern(std::string(20000, '(') + std::string(20000, ')')), Error);
  const std::size_t half = kLongestPattern / 2;
  EXPECT_TRUE(NamePattern(std::string(half, '(') + std::string(half, ')')).found_in("a"));
  std::string stars;
  for (int i = 0; i < 20; ++i) stars += "(a*)*";
  EXPECT_FALSE(NamePattern(stars + "b").found_in(std::string(255, 'a')));
  std::string nested = "a";
  while (nested.size() + 3 <= kLongestPattern) nested = "(" + nested + ")*";
  EXPECT_TRUE(NamePattern(nested).found_in(std::string(255, 'b')));
  std::string either = "a";
  while (either.size() + 2 <= kLongestPattern) either += "|a";
  EXPECT_FALSE(NamePattern(either).found_in(std::string(255, 'b')));
}

}  // namespace
}  // namespace quaver
