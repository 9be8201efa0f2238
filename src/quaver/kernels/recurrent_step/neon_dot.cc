// The step in NEON with the dot-product extension: four products and their sum in one instruction.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/neon_pack.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kTogether = 3;  // streams: 24 sums of 32 registers
constexpr bool kExpands = true;

#define QUAVER_NEON_DOT
#include "quaver/kernels/dispatch/begin_neon_dot.inc"

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

#include "quaver/kernels/recurrent_step/neon.inc"
#include "quaver/kernels/recurrent_step/neon_streams.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kNeonDotRecurrentStep{Isa::kNeonDot,
                                              {step_with<kI8>(pack_neon<4, kI8>),
                                               {{kI4, step_with<kI4>(pack_neon<4, kI4>)},
                                                {kTernary, step_with<kTernary>(pack_neon<4, kTernary>)},
                                                {kQuaternary, step_with<kQuaternary>(pack_neon<4, kQuaternary>)},
                                                {kBinary, step_with<kBinary>(pack_neon<4, kBinary>)}}}};

}  // namespace quaver

#endif
