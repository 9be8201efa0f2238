// paths.h - the rows of elementwise's table, one a file. Internal to kernels/elementwise.
#pragma once

#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

extern const ElementwisePath kScalarElementwise;
#if defined(__x86_64__)
extern const ElementwisePath kAvx2Elementwise;
extern const ElementwisePath kAvx512VnniElementwise;
#elif defined(__aarch64__)
extern const ElementwisePath kNeonElementwise;
#endif

}  // namespace quaver
