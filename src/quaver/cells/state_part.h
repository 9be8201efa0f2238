// state_part.h - a named piece of a cell's recurrent state, so that states can be saved, shown and restored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "quaver/core/number_type.h"

namespace quaver {

struct StatePart {
  std::string name;  // "h", "c", "sum", ...
  NumberType type;
  std::size_t count;       // elements
  std::size_t offset = 0;  // bytes from the start of the cell's state
  // Of a part that others determine (the int8 copy of a state): computes it anew in the cell's state. Else empty.
  std::function<void(std::byte* state)> derive{};
  // Real numbers of its codes: scale (code - zero_point). A counter holds whole numbers, from 0 on.
  double scale = 1;
  std::int32_t zero_point = 0;
  bool counts = false;
  std::size_t origin = 0;  // bytes from the start of the whole state to the cell's

  bool derived() const { return derive != nullptr; }
};

}  // namespace quaver
