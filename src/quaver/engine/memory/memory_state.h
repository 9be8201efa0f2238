// memory_state.h - tells whether a memory is what it was: a part of Memory.
#pragma once

#include <atomic>
#include <cstdint>

namespace quaver {

// No two memories are ever in the same state, however they came about: a copy is in one of its own.
class MemoryState {
 public:
  MemoryState() noexcept : memory_(next()) {}
  MemoryState(const MemoryState& /*other*/) noexcept : MemoryState() {}
  MemoryState& operator=(const MemoryState& /*other*/) noexcept {
    memory_ = next();
    return *this;
  }
  void change() { ++changes_; }

  struct Value {
    std::uint64_t memory = 0, changes = 0;  // 0: of none
    bool operator==(const Value&) const = default;
  };
  Value value() const { return {memory_, changes_}; }

 private:
  static std::uint64_t next() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
  std::uint64_t memory_, changes_ = 0;
};

}  // namespace quaver
