// The step in NEON without the dot-product extension.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

constexpr bool kRunsBetween = false;
constexpr std::size_t kBlock = 8;
constexpr std::size_t kTogether = 1;  // streams: 16 partial sums of 32 registers, and their products

std::size_t operand_bytes(std::size_t cols) noexcept { return align_up(cols); }

AlignedVector<std::int8_t> pack(MatrixView<const std::int8_t> weights, WeightBits bits, std::size_t gates) {
  const PackedOrder order{weights, gates, kBlock};
  return bits == WeightBits::kFour ? pack_nibbles(order, kTwosComplement) : pack_fours(order, 4);
}

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

#include "quaver/kernels/recurrent_step/neon.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

}  // namespace

const RecurrentStepPath kNeonRecurrentStep{.isa = Isa::kNeon,
                                           .block = kBlock,
                                           .operand_bias = 0,
                                           .operand_bytes = operand_bytes,
                                           .pack = pack,
                                           .prepare = prepare,
                                           .sums = sums,
                                           .next_sums = next_sums,
                                           .last_sums = last_sums,
                                           .lstm = lstm,
                                           .gru_after = gru_after,
                                           .gru_gates = gru_gates,
                                           .gru_candidate = gru_candidate};

}  // namespace quaver

#endif
