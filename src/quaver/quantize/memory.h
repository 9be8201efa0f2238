// memory.h - scales for a memory network from questions it will see, and its integer form after training.
//
// A scaled network (cells/memn2n/scaled.h) codes every tensor with a scale of its own. Here the float network answers
// the questions with the weights as their codes say, hop by hop, and every scale follows from what was seen.
#pragma once

#include <cstddef>
#include <span>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scales.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/quantize/calibrate.h"

namespace quaver {

struct MemoryCalibrateOptions {
  CalibrationMethod method = CalibrationMethod::kMinMax;  // of activations; weights always use their whole range
  double percentile = 99.99;                              // of kPercentile, in (50, 100]
};

// Questions without facts are left out. Error (usage) for a scheme that is not scaled, (bad input) when no question is
// left or the network is not finite on them.
MemoryScales calibrate_memory(const MemN2NShape& shape, const MemoryScheme& scheme, std::span<const float> parameters,
                              std::span<const MemoryQuestion> questions, const MemoryCalibrateOptions& options = {});

// A float network under another scheme. Scaled: scales by calibrate_memory(), parameters by coded_parameters(). Fixed
// point: codes follow from the parameters, which stay as they are. Error (usage) unless the network is float; else as
// calibrate_memory().
MemoryNetwork quantize_memory(const MemoryNetwork& network, const MemoryScheme& scheme,
                              std::span<const MemoryQuestion> questions, const MemoryCalibrateOptions& options = {});

}  // namespace quaver
