// held_examples.h - the examples of kinds whose files are read whole. Internal to this floor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quaver/data/own/kind_row.h"
#include "quaver/data/own/split.h"

namespace quaver {

class HeldExamples : public PartReader {
 public:
  std::size_t size(Split split) const override { return examples_[static_cast<std::size_t>(split)].size(); }
  Example read(Split split, std::size_t index) const override {
    return examples_[static_cast<std::size_t>(split)][index];
  }
  std::vector<Example>& of(Split split) { return examples_[static_cast<std::size_t>(split)]; }

 private:
  std::array<std::vector<Example>, 3> examples_;
};

// Examples as their files have them.
struct ReadExamples {
  std::string where{}, what{};  // for errors: "ts:folder", "cases"
  std::vector<Example> examples{};
  SourceSplits splits{};
};

// The split of each example. classes: by label, where each example has one class; else none. How is noted.
std::vector<Split> splits_of(const ReadExamples& read, std::span<const std::string> classes,
                             const OwnDataOptions& options, std::vector<std::string>& notes);

// splits: of each example. Checks the classes and standardizes real targets by train, unless the pipeline was trained;
// notes what was done.
void hold(ReadExamples read, std::span<const Split> splits, const Pipeline* trained, OpenedData& opened);

}  // namespace quaver
