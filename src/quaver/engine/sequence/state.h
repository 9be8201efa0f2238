// state.h - what a stream remembers between steps: a value. Copy it to fork, keep it to restore, compare it in tests.
//
// A State that was moved from belongs to no model: it has no bytes and fingerprint 0, equals others of its kind, and
// layout() and part() throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "quaver/cells/state_part.h"
#include "quaver/core/aligned.h"

namespace quaver {

// Where the parts of a model's state lie: "lstm0.h", "lstm0.c", ..., those of reverse halves with "_reverse" behind,
// which no stream has.
struct StateLayout {
  std::vector<StatePart> parts;  // offsets from the start of the whole state
  std::size_t bytes = 0;
  std::uint64_t fingerprint = 0;  // of the model
};

inline constexpr std::int64_t kMostStateSteps = std::int64_t{1} << 40;  // that a counter counts

class State {
 public:
  const StateLayout& layout() const;                               // Error for a state that was moved from
  std::span<const std::byte> part(const std::string& name) const;  // Error naming the parts there are
  std::span<std::byte> part(const std::string& name);
  // A part as real numbers, whatever holds them.
  std::vector<float> reals(const std::string& name) const;
  // Sets a part to real numbers, coded as it is, and derives the parts that follow from it: an int8 copy never
  // disagrees with its int16 state. Returns how many were cut at the ends of their codes. Error (bad input): a part
  // that is not there or follows from others, another number of elements, what is not finite, a counter that is no
  // whole number.
  std::size_t set(const std::string& name, std::span<const float> reals);
  std::byte* data() noexcept { return bytes_.data(); }
  const std::byte* data() const noexcept { return bytes_.data(); }
  std::uint64_t fingerprint() const noexcept { return layout_ == nullptr ? 0 : layout_->fingerprint; }
  bool operator==(const State& other) const { return fingerprint() == other.fingerprint() && bytes_ == other.bytes_; }

 private:
  friend class Session;
  void derive() noexcept;  // parts that follow from others
  State(std::shared_ptr<const StateLayout> layout, AlignedVector<std::byte> bytes)
      : layout_(std::move(layout)), bytes_(std::move(bytes)) {}
  std::shared_ptr<const StateLayout> layout_;
  AlignedVector<std::byte> bytes_;
};

}  // namespace quaver
