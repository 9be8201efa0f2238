// The step in NEON without the dot-product extension.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr bool kRunsBetween = false;
constexpr std::size_t kBlock = 8;
constexpr std::int32_t kOperandBias = 0;
constexpr std::size_t kTogether = 1;  // streams: 16 partial sums of 32 registers, and their products

template <WeightFormatId>
std::size_t operand_bytes(std::size_t cols) noexcept {
  return align_up(cols);
}

AlignedVector<std::int8_t> pack_bytes(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_fours({weights, gates, kBlock}, 4);
}
AlignedVector<std::int8_t> pack_i4(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles({weights, gates, kBlock}, kTwosComplement);
}

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

#include "quaver/kernels/recurrent_step/neon.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

}  // namespace

const RecurrentStepPath kNeonRecurrentStep{Isa::kNeon, {step_with<kI8>(pack_bytes), {{kI4, step_with<kI4>(pack_i4)}}}};

}  // namespace quaver

#endif
