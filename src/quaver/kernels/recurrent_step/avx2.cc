// The step on 16 units a block. Products of bytes: avx2_products.inc.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/pack256.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kBlock = kBlock256;

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avx2_products.inc"

#include "quaver/kernels/dispatch/packed256.inc"

#include "quaver/kernels/dispatch/signs256.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

#include "quaver/kernels/recurrent_step/block256.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kAvx2RecurrentStep{
    Isa::kAvx2,
    {step_with<kI8>(pack_bytes256),
     {{kI4, step_with<kI4>(pack_runs256<kI4, kRunUnits<kI4>>)},
      {kTernary, step_with<kTernary>(pack_runs256<kTernary, kRunUnits<kTernary>>)},
      {kQuaternary, step_with<kQuaternary>(pack_runs256<kQuaternary, kRunUnits<kQuaternary>>)},
      {kBinary, step_with<kBinary>(pack_signs256)}}}};

}  // namespace quaver

#endif
