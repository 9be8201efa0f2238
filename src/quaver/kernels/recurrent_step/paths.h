// paths.h - the rows of recurrent_step's table. Internal to kernels/recurrent_step.
#pragma once

#include "quaver/kernels/dispatch/packed_order.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

// Streams whose sums of a block a path keeps at once.
inline constexpr std::size_t kStreamGroup = 32;

// Scalar first, then as all_isas() has them.
extern const RecurrentStepPath kScalarRecurrentStep;
#if defined(__x86_64__)
extern const RecurrentStepPath kAvx2RecurrentStep, kAvxVnniRecurrentStep, kAvx512VnniRecurrentStep;
inline constexpr const RecurrentStepPath* kRecurrentStepTable[]{&kScalarRecurrentStep, &kAvx2RecurrentStep,
                                                                &kAvxVnniRecurrentStep, &kAvx512VnniRecurrentStep};
#elif defined(__aarch64__)
extern const RecurrentStepPath kNeonRecurrentStep, kNeonDotRecurrentStep, kNeonI8mmRecurrentStep;
inline constexpr const RecurrentStepPath* kRecurrentStepTable[]{&kScalarRecurrentStep, &kNeonRecurrentStep,
                                                                &kNeonDotRecurrentStep, &kNeonI8mmRecurrentStep};
#else
inline constexpr const RecurrentStepPath* kRecurrentStepTable[]{&kScalarRecurrentStep};
#endif

}  // namespace quaver
