// distances.h - windows of a table as forecasts read them: distances from the last row that is known.
//
// The level of a series drifts over the months, and a network that learned from levels is lost at those it never saw.
// Distances from the last row look the same at every level, and say 0 for "it stays as it is". An error of a distance
// is the same error of the value.
#pragma once

#include <cstddef>
#include <span>

#include "quaver/data/dataset.h"

namespace quaver {

// Takes the last row of the input from all of its rows, and each number of the targets' rows less that of its column in
// it, which goes to `origin` [outputs]. columns: features of the input, as each row of a target has them. Targets may
// be none yet. outputs: a multiple of the columns.
void take_distances(Example& example, std::span<const std::size_t> columns, std::size_t outputs);

}  // namespace quaver
