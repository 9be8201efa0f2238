// join.h - what the rows of operations with several inputs share. Internal.
#pragma once

#include <cstddef>
#include <span>

#include "quaver/model/operations/row.h"

namespace quaver {

// All inputs are numbers. Beside a value that has one a step, one without time must be known before the sequence
// begins: what a pool finds changes with every step of a stream, but stays the last in a run over a whole sequence.
void check_joined(const Site& site);
// Whether any of them has time.
bool joined_has_time(std::span<const Value* const> inputs);

}  // namespace quaver
