// The step in NEON without the dot-product extension.
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

constexpr std::size_t kTogether = 1;  // streams: 16 partial sums of 32 registers, and their products
constexpr bool kExpands = false;

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

#include "quaver/kernels/recurrent_step/neon.inc"
#include "quaver/kernels/recurrent_step/neon_streams.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

}  // namespace

const RecurrentStepPath kNeonRecurrentStep{Isa::kNeon,
                                           {step_with<kI8>(pack_neon<4, kI8>),
                                            {{kI4, step_with<kI4>(pack_neon<4, kI4>)},
                                             {kTernary, step_with<kTernary>(pack_neon<4, kTernary>)},
                                             {kQuaternary, step_with<kQuaternary>(pack_neon<4, kQuaternary>)},
                                             {kBinary, step_with<kBinary>(pack_neon<4, kBinary>)}}}};

}  // namespace quaver

#endif
