// state_part.h - a named piece of a cell's recurrent state, so that states can be saved, shown and restored.
#pragma once

#include <cstddef>
#include <string>

namespace quaver {

enum class StateType { kF32, kI8, kI16, kI64 };

constexpr std::size_t state_type_bytes(StateType type) {
  switch (type) {
    case StateType::kF32: return 4;
    case StateType::kI8: return 1;
    case StateType::kI16: return 2;
    case StateType::kI64: return 8;
  }
  return 0;
}

struct StatePart {
  std::string name;  // "h", "c", "sum", ...
  StateType type;
  std::size_t count;       // elements
  std::size_t offset = 0;  // bytes from the start of the cell's state
  bool derived = false;    // recomputed from other parts when a state is restored (the int8 copy of a GRU's state)
};

}  // namespace quaver
