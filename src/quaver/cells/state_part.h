// state_part.h - a named piece of a cell's recurrent state, so that states can be saved, shown and restored.
#pragma once

#include <cstddef>
#include <string>

#include "quaver/core/number_type.h"

namespace quaver {

struct StatePart {
  std::string name;  // "h", "c", "sum", ...
  NumberType type;
  std::size_t count;       // elements
  std::size_t offset = 0;  // bytes from the start of the cell's state
  bool derived = false;    // recomputed from other parts when a state is restored (the int8 copy of a GRU's state)
};

}  // namespace quaver
