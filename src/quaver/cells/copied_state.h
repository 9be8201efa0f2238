// copied_state.h - a state h in Q0.15 and its int8 copy, which products read (A27): how both lie in a cell's state.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/cells/state_part.h"
#include "quaver/core/aligned.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

class CopiedState {
 public:
  // h [n] lies first in the state, its copy `copy_offset` bytes behind it, a multiple of kAlignment.
  CopiedState(std::size_t n, std::size_t copy_offset, const StateCodes& codes, Isa isa)
      : n_(n), copy_offset_(copy_offset), codes_(codes), elementwise_(&elementwise_path(isa)) {}
  // The copy right behind h.
  CopiedState(std::size_t n, const StateCodes& codes, Isa isa) : CopiedState(n, bytes_of_h(n), codes, isa) {}

  static std::size_t bytes_of_h(std::size_t n) { return align_up(n * sizeof(std::int16_t)); }
  StatePart h_part() const { return {.name = "h", .type = NumberType::kI16, .count = n_, .scale = 0x1p-15}; }
  StatePart copy_part() const {
    return {.name = "h8",
            .type = NumberType::kI8,
            .count = n_,
            .offset = copy_offset_,
            .derive = [copied = *this](std::byte* state) { copied.set_copy(state); }};
  }
  std::int16_t* h(std::byte* state) const { return reinterpret_cast<std::int16_t*>(state); }
  std::int8_t* copy(std::byte* state) const { return reinterpret_cast<std::int8_t*>(state + copy_offset_); }
  // What the node hands on: h itself as bytes, or its copy.
  const std::int8_t* output(std::byte* state, bool wide) const {
    return wide ? reinterpret_cast<const std::int8_t*>(state) : copy(state);
  }
  void set_copy(std::byte* state) const noexcept { elementwise_->state_codes(h(state), codes_, n_, copy(state)); }
  void reset(std::byte* state) const noexcept {
    std::fill_n(h(state), n_, std::int16_t{0});
    set_copy(state);
  }

 private:
  std::size_t n_, copy_offset_;
  StateCodes codes_;
  const ElementwisePath* elementwise_;
};

}  // namespace quaver
