// scratch.h - how a cell cuts the working memory it is handed into typed arrays: no allocation in a step.
#pragma once

#include <cstddef>

#include "quaver/core/aligned.h"

namespace quaver {

// How many streams, or steps of a sequence, a cell takes on at once: enough to make the reading of weights small beside
// their use, little enough that their working memory stays in the nearest cache.
inline constexpr std::size_t kCellGroup = 32;

// Hands out aligned pieces one after the other. With a null base it only measures: used() after the same calls is the
// number of bytes to provide.
class Scratch {
 public:
  explicit Scratch(std::byte* base) : base_(base) {}
  template <typename T>
  T* take(std::size_t count) {
    T* piece = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
    used_ += align_up(count * sizeof(T));
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

}  // namespace quaver
