// The step on 16 units a block. Products of bytes: avx2_products.inc.
//
// Weights of four bits are w + 8, unsigned, times x as bytes: vpmaddubsw adds two products of at most 15 * 128, and
// eight such sums fit 16 bits before they are widened. 8 times the sum of x is taken off.
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

constexpr std::size_t kNibbleUnits = 2;  // of 8 columns, widened together: more push sums to the stack
constexpr std::size_t kRunUnits = 4;     // of two bits, likewise; what 16 bits hold is add_run()'s

AlignedVector<std::int8_t> pack_i4(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return in_runs(pack_nibbles({weights, gates, kBlock}, kPlusEight), (weights.cols() + 7) / 8, 2 * gates, kNibbleUnits);
}

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avx2_products.inc"

#include "quaver/kernels/dispatch/sums256.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

// acc += the products of kUnits times 8 columns. Sums of 16 bits hold four such units: 8 products of 15 * 128 twice.
template <std::size_t kUnits, std::size_t kRegisters>
[[gnu::always_inline]] inline void add_nibbles(const std::int8_t* weights, const std::byte* codes,
                                               __m256i (&acc)[kRegisters]) {
  static_assert(kUnits <= kNibbleUnits && kNibbleUnits * 2 * 2 * 15 * 128 <= 32767);
  const __m256i lower = _mm256_set1_epi8(0x0f), ones = _mm256_set1_epi16(1);
  QUAVER_UNROLLED
  for (std::size_t r = 0; r < kRegisters; ++r) {
    __m256i pairs = _mm256_setzero_si256();
    QUAVER_UNROLLED
    for (std::size_t unit = 0; unit < kUnits; ++unit, weights += kWidth) {
      const __m256i v = load_bytes(weights), x = broadcast(codes + 8 * unit), next = broadcast(codes + 8 * unit + 4);
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(_mm256_and_si256(v, lower), x));
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next));
    }
    acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(pairs, ones));
    asm volatile("" : "+x"(acc[r]));  // as in add_products(); in this order, else too many are under way at once
  }
}

// sum = bias + w x of a block, of x as it is and its sum.
template <std::size_t kGates>
[[gnu::always_inline]] inline void sums_of_nibbles(const GateRows& half, std::size_t block, const std::byte* codes,
                                                   std::int32_t sum_x, Wide (&sum)[kGates]) {
  constexpr std::size_t kRegisters = 2 * kGates, kUnitBytes = kRegisters * kWidth;
  const std::int8_t* weights = half.weights + block * half.block_bytes;
  const std::int32_t* bias = half.bias + block * kGates * kLanes;
  const __m256i offset = _mm256_set1_epi32(-8 * sum_x);
  __m256i acc[kRegisters];
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm256_add_epi32(load_i32(bias + 8 * r, 8), offset);
  const std::size_t units = (half.cols + 7) / 8;
  std::size_t unit = 0;
  for (; unit + kNibbleUnits <= units; unit += kNibbleUnits)
    add_nibbles<kNibbleUnits>(weights + unit * kUnitBytes, codes + 8 * unit, acc);
  for (; unit < units; ++unit) add_nibbles<1>(weights + unit * kUnitBytes, codes + 8 * unit, acc);
  for (std::size_t g = 0; g < kGates; ++g) sum[g] = {acc[2 * g], acc[2 * g + 1]};
}

#include "quaver/kernels/recurrent_step/block256.inc"

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kAvx2RecurrentStep{
    Isa::kAvx2,
    {step_with<kI8>(pack_bytes256),
     {{kI4, step_with<kI4>(pack_i4)},
      {kTernary, step_with<kTernary>(pack_fields256<kTernary, kRunUnits>)},
      {kQuaternary, step_with<kQuaternary>(pack_fields256<kQuaternary, kRunUnits>)},
      {kBinary, step_with<kBinary>(pack_signs256)}}}};

}  // namespace quaver

#endif
