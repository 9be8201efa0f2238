// paths.h - the rows of elementwise's table, one a file. Internal to kernels/elementwise.
#pragma once

#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const ElementwisePath kScalarElementwise;
#if defined(__x86_64__)
extern const ElementwisePath kAvx2Elementwise, kAvx512VnniElementwise;
inline constexpr const ElementwisePath* kElementwiseTable[]{&kScalarElementwise, &kAvx2Elementwise,
                                                            &kAvx512VnniElementwise};
#elif defined(__aarch64__)
extern const ElementwisePath kNeonElementwise;
inline constexpr const ElementwisePath* kElementwiseTable[]{&kScalarElementwise, &kNeonElementwise};
#else
inline constexpr const ElementwisePath* kElementwiseTable[]{&kScalarElementwise};
#endif

}  // namespace quaver
