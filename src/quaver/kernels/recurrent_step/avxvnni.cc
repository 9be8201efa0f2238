// The step on 16 units a block. Products of bytes: avxvnni_products.inc, with the packed weights of avx2.cc.
//
// Weights of four bits are w + 8, unsigned: a register of bytes is two operands of the instruction. 8 times the sum of
// x is taken off at the end.
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
constexpr std::size_t kFetchAhead = 4096;  // bytes
constexpr std::size_t kRunUnits = 1;       // of two bits: there is nothing to widen

AlignedVector<std::int8_t> pack_i4(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles({weights, gates, kBlock}, kPlusEight);
}

#include "quaver/kernels/dispatch/begin_avxvnni.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avxvnni_products.inc"

#include "quaver/kernels/dispatch/sums256.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

// sum = bias + w x of a block, of x as it is and its sum.
template <std::size_t kGates>
[[gnu::always_inline]] inline void sums_of_nibbles(const GateRows& half, std::size_t block, const std::byte* codes,
                                                   std::int32_t sum_x, Wide (&sum)[kGates]) {
  constexpr std::size_t kRegisters = 2 * kGates;
  const std::int8_t* weights = half.weights + block * half.block_bytes;
  const std::int32_t* bias = half.bias + block * kGates * kLanes;
  const __m256i lower = _mm256_set1_epi8(0x0f), offset = _mm256_set1_epi32(-8 * sum_x);
  __m256i acc[kRegisters];
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm256_add_epi32(load_i32(bias + 8 * r, 8), offset);
  for (std::size_t c = 0; c < half.cols; c += 8) {
    const __m256i x = broadcast(codes + c), next = broadcast(codes + c + 4);
    for (std::size_t r = 0; r < kRegisters; ++r, weights += kWidth) {
      const __m256i v = load_bytes(weights);
      add_four_products(acc[r], _mm256_and_si256(v, lower), x);
      add_four_products(acc[r], _mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next);
    }
  }
  for (std::size_t g = 0; g < kGates; ++g) sum[g] = {acc[2 * g], acc[2 * g + 1]};
}

#include "quaver/kernels/recurrent_step/block256.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kAvxVnniRecurrentStep{
    Isa::kAvxVnni,
    {step_with<kI8>(pack_bytes256),
     {{kI4, step_with<kI4>(pack_i4)},
      {kTernary, step_with<kTernary>(pack_fields256<kTernary, kRunUnits>)},
      {kQuaternary, step_with<kQuaternary>(pack_fields256<kQuaternary, kRunUnits>)},
      {kBinary, step_with<kBinary>(pack_signs256)}}}};

}  // namespace quaver

#endif
