// The step on 16 units a block. Products as in matvec/avx2.cc: one 16-bit lane v = 256 w1 + (w2 + 128) holds weights of
// two rows, sum v x = 256 sum w1 x + sum w2 x + 128 sum x and sum (v >> 8) x = sum w1 x. The pair of rows is the same
// lane of the two registers of a gate, so that the four gates are 8 accumulators. The operand is x as int16, and in
// front of it the sum of x.
//
// Weights of four bits are w + 8, unsigned, times x as bytes behind the operand's int16: vpmaddubsw adds two products
// of at most 15 * 128 and two such sums are added before they are widened, so nothing comes near to saturation. 8 times
// the sum of x is taken off at the end.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr bool kRunsBetween = false;
constexpr std::size_t kBlock = 16;
constexpr std::int32_t kOperandBias = 0;
constexpr std::size_t kColumnStep = 4, kNibbleColumnStep = 8;
constexpr std::size_t kHeader = 64;  // bytes before the operand's codes: their sum

constexpr std::size_t bytes_offset(std::size_t cols) {
  return kHeader + (cols + kNibbleColumnStep) * sizeof(std::int16_t) / kAlignment * kAlignment + kAlignment;
}

std::size_t operand_bytes(std::size_t cols) noexcept { return bytes_offset(cols) + align_up(cols); }

// For 2 columns and a gate 8 lanes of two columns each: byte 4 i + 2 p is row i of the second register and column p,
// the byte above it row i of the first.
AlignedVector<std::int8_t> pack_bytes(MatrixView<const std::int8_t> weights, std::size_t gates) {
  const PackedOrder order{weights, gates, kBlock};
  const std::size_t cols = (weights.cols() + kColumnStep - 1) / kColumnStep * kColumnStep;
  AlignedVector<std::int8_t> packed;
  packed.reserve(order.blocks() * gates * kBlock * cols);
  for (std::size_t b = 0; b < order.blocks(); ++b) {
    for (std::size_t c = 0; c < cols; c += 2) {
      for (std::size_t g = 0; g < gates; ++g) {
        for (std::size_t i = 0; i < kBlock; ++i) {
          packed.push_back(static_cast<std::int8_t>(order.at(b, g, kBlock / 2 + i / 2, c + i % 2) ^ -128));  // + 128
          packed.push_back(order.at(b, g, i / 2, c + i % 2));
        }
      }
    }
  }
  return packed;
}

AlignedVector<std::int8_t> pack_i4(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles({weights, gates, kBlock}, kPlusEight);
}

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

void prepare(const std::int8_t* x, std::size_t cols, std::byte* operand) noexcept {
  auto* wide = reinterpret_cast<std::int16_t*>(operand + kHeader);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums = _mm256_setzero_si256();
  std::size_t c = 0;
  for (; c + 16 <= cols; c += 16) {
    const __m256i codes = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + c)));
    _mm256_store_si256(reinterpret_cast<__m256i*>(wide + c), codes);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(codes, ones));
  }
  alignas(32) std::int32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sums);
  std::int32_t sum = 0;
  for (const std::int32_t lane : lanes) sum += lane;
  for (; c < cols; ++c) {
    wide[c] = x[c];
    sum += x[c];
  }
  for (; c % kColumnStep != 0; ++c) wide[c] = 0;
  __builtin_memcpy(operand, &sum, sizeof(sum));
  std::byte* bytes = operand + bytes_offset(cols);
  __builtin_memcpy(bytes, x, cols);
  for (c = cols; c % kNibbleColumnStep != 0; ++c) bytes[c] = std::byte{0};
}

inline __m256i broadcast(const std::byte* codes) {  // of four bytes
  int four;
  __builtin_memcpy(&four, codes, sizeof(four));
  return _mm256_set1_epi32(four);
}

template <std::size_t kGates>
[[gnu::always_inline]] inline void sums_of_nibbles(const GateRows& half, std::size_t block, const std::byte* operand,
                                                   Wide (&sum)[kGates]) {
  constexpr std::size_t kRegisters = 2 * kGates;
  const std::int8_t* weights = half.weights + block * half.block_bytes;
  const std::int32_t* bias = half.bias + block * kGates * kLanes;
  const std::byte* codes = operand + bytes_offset(half.cols);
  const __m256i lower = _mm256_set1_epi8(0x0f), ones = _mm256_set1_epi16(1);
  __m256i acc[kRegisters];
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm256_setzero_si256();
  for (std::size_t c = 0; c < half.cols; c += kNibbleColumnStep) {
    const __m256i x = broadcast(codes + c), next = broadcast(codes + c + 4);
    for (std::size_t r = 0; r < kRegisters; ++r, weights += 32) {
      const __m256i v = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
      const __m256i pairs =
          _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(v, lower), x),
                           _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(v, 4), lower), next));
      acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(pairs, ones));
    }
  }
  int sum_x;
  __builtin_memcpy(&sum_x, operand, sizeof(sum_x));
  const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(sum_x), 3);
  for (std::size_t r = 0; r < kRegisters; ++r)
    acc[r] = _mm256_sub_epi32(_mm256_add_epi32(acc[r], load_i32(bias + 8 * r, 8)), offset);
  for (std::size_t g = 0; g < kGates; ++g) sum[g] = {acc[2 * g], acc[2 * g + 1]};
}

template <WeightFormatId kFormat, std::size_t kGates, typename Between>
[[gnu::always_inline]] inline void block_sums(const GateRows& half, std::size_t block, const std::byte* operand,
                                              Wide (&sum)[kGates], Between&) {
  if constexpr (kFormat == kI4) return sums_of_nibbles<kGates>(half, block, operand, sum);
  const std::int8_t* weights = half.weights + block * half.block_bytes;
  const std::int32_t* bias = half.bias + block * kGates * kLanes;
  const std::byte* codes = operand + kHeader;
  __m256i both[kGates], upper[kGates];
  for (std::size_t g = 0; g < kGates; ++g) both[g] = upper[g] = _mm256_setzero_si256();
  for (std::size_t c = 0; c < half.cols; c += kColumnStep) {
    for (std::size_t pair = 0; pair < kColumnStep; pair += 2) {
      const __m256i x = broadcast(codes + (c + pair) * sizeof(std::int16_t));
      for (std::size_t g = 0; g < kGates; ++g, weights += 32) {
        const __m256i v = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
        both[g] = _mm256_add_epi32(both[g], _mm256_madd_epi16(v, x));
        upper[g] = _mm256_add_epi32(upper[g], _mm256_madd_epi16(_mm256_srai_epi16(v, 8), x));
      }
    }
  }
  int sum_x;
  __builtin_memcpy(&sum_x, operand, sizeof(sum_x));
  const __m256i offset = _mm256_slli_epi32(_mm256_set1_epi32(sum_x), 7);
  for (std::size_t g = 0; g < kGates; ++g) {
    const __m256i lower = _mm256_sub_epi32(_mm256_sub_epi32(both[g], _mm256_slli_epi32(upper[g], 8)), offset);
    sum[g] = {_mm256_add_epi32(load_i32(bias + g * kLanes, 8), upper[g]),
              _mm256_add_epi32(load_i32(bias + g * kLanes + 8, 8), lower)};
  }
}

// 8 accumulators and their partners leave no registers for a second stream.
template <WeightFormatId kFormat, std::size_t kGates>
void group_sums(const GateRows& half, std::size_t block, const std::byte* const* operands, std::size_t count,
                Wide (*sums)[kGates]) {
  Nothing none;
  for (std::size_t s = 0; s < count; ++s) block_sums<kFormat, kGates>(half, block, operands[s], sums[s], none);
}

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kAvx2RecurrentStep{Isa::kAvx2, {step_with<kI8>(pack_bytes), {{kI4, step_with<kI4>(pack_i4)}}}};

}  // namespace quaver

#endif
