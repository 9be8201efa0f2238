// split.h - how examples of one's own are divided into train, validation and test. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/data/task_row.h"

namespace quaver {

enum class Division : std::uint8_t {
  kThreeWays,        // 80 % train, 10 % validation, 10 % test
  kTrainValidation,  // 90 % train, 10 % validation
};

// What is divided, with names for errors.
struct Divided {
  std::string where{};                   // "wav:recordings"
  std::string what{};                    // "recordings"
  std::vector<std::int32_t> labels{};    // of each example: its class; all 0 where there are no classes
  std::span<const std::string> classes;  // by label; empty where there are none
};

// Drawn from a seed, each class by itself, so that each split has its share of every class. The share is rounded, one
// example at least. Error (bad input) naming a class with fewer examples than there are splits.
std::vector<Split> divide_by_label(const Divided& divided, Division division, std::uint64_t seed);

// Drawn from a seed, all examples of a group in one split: groups are taken until test and validation have their
// shares. groups: of each example. Error (bad input) when there are fewer groups than splits.
std::vector<Split> divide_by_group(const Divided& divided, std::span<const std::string> groups, Division division,
                                   std::uint64_t seed);

// What the source says of splits itself.
struct SourceSplits {
  std::vector<Split> parts{};         // of each example; empty: it says nothing
  std::string by{};                   // "folder": where it says it
  std::vector<std::string> groups{};  // of each example, never in two splits that are drawn; empty: no groups
};

// The split of each example: the source's, or drawn, validation from train where the source has none. How is noted.
std::vector<Split> split_examples(const Divided& divided, const SourceSplits& source, std::uint64_t seed,
                                  std::vector<std::string>& notes);

// Error (bad input) naming a class of which train has no example; a note for one of which train has one, or another
// split none.
void check_classes(const Divided& divided, std::span<const Split> splits, std::vector<std::string>& notes);

}  // namespace quaver
