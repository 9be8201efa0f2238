// The functions of scalar.cc on 8 lanes: vector.inc.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

#include "quaver/kernels/elementwise/vector.inc"

#include "quaver/kernels/elementwise/choices.inc"

}  // namespace

const ElementwisePath kNeonElementwise = row_of(Isa::kNeon);

}  // namespace quaver

#endif
