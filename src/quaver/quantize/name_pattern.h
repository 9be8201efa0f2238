// name_pattern.h - which nodes a rule is for: a regular expression of --override and --ignore, on names of nodes.
//
//   c         the character c; of . [ ] ( ) { } * + ? ^ $ | \ with a '\' before it
//   .         any character               \d \w \s   a digit; a letter, a digit or '_'; a blank
//   [a-z_]    one of these; [^a-z] none   ^ $        the beginning, the end of the name
//   ab a|b    one after the other; either of two      (ab)  a group
//   a* a+ a?  any number of times, at least once, at most once
//
// All states that the expression can be in advance together (Thompson 1968), so that the time is at most its length
// times the name's and nothing recurses over either: std::regex backtracks for hours on "(a*)*b", and 20,000 brackets
// end its stack. What else std::regex knows (counts, references, look-ahead, classes by name) is refused by name.
#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

inline constexpr std::size_t kLongestPattern = 1000;  // characters

class NamePattern {
 public:
  // Error (usage) for a text that is no such expression, or longer than kLongestPattern.
  explicit NamePattern(const std::string& text);

  // The text of an expression that is found in this name, and in others at most as a part of them.
  static std::string of(std::string_view name);

  // Whether some part of the name is what the expression says.
  bool found_in(std::string_view name) const;

 private:
  friend class PatternParser;
  using Characters = std::bitset<256>;
  enum class Kind { kOneOf, kEither, kJump, kBegin, kEnd };
  // Goes on with the next instruction; kEither with it or the one at `offset` from here, kJump with that one alone.
  struct Instruction {
    Kind kind = Kind::kOneOf;
    std::ptrdiff_t offset = 0;
    Characters characters{};
  };
  using Code = std::vector<Instruction>;

  Code code_;  // its end: found
};

}  // namespace quaver
