// checks.h - what a flag's text may be: numbers in a range, yes or no, one of some names. What is none of these is an
// error (usage) that says what was found and what was expected; the range stands in --help as well.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class Validator;
}

namespace quaver {

// Bounds of what several verbs have.
inline constexpr std::uint64_t kMostSequences = 1'000'000'000;  // of --limit: more than any file holds
inline constexpr std::uint64_t kMostQuestions = 1'000'000;      // that are generated
inline constexpr std::uint64_t kLeastQuestions = 20;            // of which some are held out
inline constexpr std::uint64_t kMostSeed = INT64_MAX;           // readers of JSON have signed numbers

// Digits alone: no sign, blank, point or exponent.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);
CLI::Validator seed_number();
// Finite.
CLI::Validator real_number(double least, double most);
CLI::Validator real_number_above(double below_least, double most);
CLI::Validator true_or_false();
CLI::Validator one_of(std::vector<std::string> names);

}  // namespace quaver
