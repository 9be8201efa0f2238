// scratch.h - how a cell cuts the working memory it is handed into typed arrays: no allocation in a step.
#pragma once

#include <cstddef>

#include "quaver/core/aligned.h"
#include "quaver/core/team.h"

namespace quaver {

// How many streams, or steps of a sequence, a cell takes on at once: enough to make the reading of weights small beside
// their use, little enough that their working memory stays in the nearest cache.
inline constexpr std::size_t kCellGroup = 32;
// Of a sequence whose weights come from memory: they come less often, and what is kept of so many steps is small beside
// them.
inline constexpr std::size_t kMostKeptSteps = 96;

// Bytes of weights times streams from which on a step is worth sharing between threads. A meeting takes about 0.25 us,
// which 64 KiB repay; twice that leaves room for machines whose cores are further apart (docs/performance.md).
inline constexpr std::size_t kTeamBytes = 128 * 1024;
inline Team* team_for(Team* team, std::size_t bytes) { return bytes >= kTeamBytes ? team : nullptr; }

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

// A step's working memory, which way it walks over its weights, and who shares a step large enough to gain by it (null:
// nobody). A caller of many steps turns the way round each time: what one step read last is still in the cache when the
// next begins there (kernels/recurrent_step). The bits are the same.
struct WorkingMemory {
  std::byte* bytes;
  bool backwards = false;
  Team* team = nullptr;

  WorkingMemory(std::byte* memory, bool walks_backwards = false, Team* shared_by = nullptr)
      : bytes(memory), backwards(walks_backwards), team(shared_by) {}
  operator std::byte*() const { return bytes; }  // steps that know one way only
};

}  // namespace quaver
