#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/frames/constants.h"
#include "quaver/kernels/frames/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/frames/vector.inc"

}  // namespace

const FramesPath kNeonFrames{Isa::kNeon, code, decode, are_finite};

}  // namespace quaver

#endif
