// inverse_sqrt.h - 1 / sqrt(v) of a positive integer, as a multiplier, in integers (Newton, five steps)      (A12)
#pragma once

#include <cstdint>

#include "quaver/fixed/multiplier.h"

namespace quaver {

// v >= 0; v <= 1 gives {INT32_MAX, 0}, i.e. 1. Bit for bit LiteRT's.
Multiplier inverse_sqrt(std::int32_t v) noexcept;

}  // namespace quaver
