// inverse_sqrt.h - 1 / sqrt(v) of a positive integer, as a multiplier, in integers (Newton, five steps)      (A12)
#pragma once

#include <cstdint>

#include "quaver/fixed/multiplier.h"

namespace quaver {

// v >= 0; v <= 1 gives {INT32_MAX, 0}, i.e. 1. Bit for bit LiteRT's.
// Relative error of other v: below 1.4e-6, all of it just above v = 2 4^k where Newton starts farthest from the root.
Multiplier inverse_sqrt(std::int32_t v) noexcept;

}  // namespace quaver
