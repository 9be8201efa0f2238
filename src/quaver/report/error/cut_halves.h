// cut_halves.h - do sums that are cut off half by half change on this data? Internal.
//
// A node with Sums::kHalves (LiteRT's way: scheme int8_per_tensor) cuts W x + b and R h each to its gate's range before
// it adds them; -20 + 18 becomes 0 in place of -2. The float model tells where that happens.
#pragma once

#include <span>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"
#include "quaver/quantize/warning.h"

namespace quaver {

// "halves_cut", one a node of `quantized` where it does: point is the gate that suffers most ("pre_f"), value the
// percent of its sums that change by more than a step, limit 0.
std::vector<Warning> cut_halves(const Model& reference, const Model& quantized,
                                std::span<const SequenceView> sequences);

}  // namespace quaver
