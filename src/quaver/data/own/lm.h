// lm.h - running text: one run of tokens, of which each is to be told from those before. Internal to this floor.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "quaver/data/own/kind_row.h"

namespace quaver {

inline constexpr std::size_t kTextWindow = 128;  // tokens of a sequence, unless another number is asked for

// Split in order: 90 % train, 5 % validation, 5 % test. Sequences of `window` tokens follow each other and end with
// their split; the label of each token is the next one.
class RunningText : public PartReader {
 public:
  // name: where the text comes from, for the examples' names. ids: of its tokens, in blocks. window: 1 or more.
  RunningText(std::string name, std::deque<std::int32_t> ids, std::size_t window);

  std::size_t tokens() const { return ids_.size(); }
  std::size_t size(Split split) const override;
  bool worth_holding() const override { return false; }
  std::size_t about_steps(Split split, std::size_t index) const override {
    return std::min(window_, run(split).end - 1 - run(split).begin - index * window_);
  }
  Example read(Split split, std::size_t index) const override;

 private:
  struct Run {
    std::size_t begin = 0, end = 0;
  };
  Run run(Split split) const { return parts_[static_cast<std::size_t>(split)]; }

  std::string name_;
  std::deque<std::int32_t> ids_;
  std::size_t window_;
  std::array<Run, 3> parts_{};
};

}  // namespace quaver
