// The step on 32 units a block. Products: avx512_products.inc; the offset of the operand, x + 128, is in the bias.
//
// The four gates of a block are 8 registers of accumulators. A single stream keeps two sets, for even and odd groups of
// columns, because 6 or 8 sums do not hide the instruction's latency on two ports. Many streams are a matrix product of
// tiles with up to 24 accumulators, two gates of six streams or four of three, so that few loads feed many products.
#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

constexpr std::size_t kBlock = 32;
constexpr std::size_t kFetchedBytes = 4096;
constexpr std::int32_t kOperandBias = 128;
constexpr std::size_t kColumnStep = 8;

template <WeightFormatId>
std::size_t operand_bytes(std::size_t cols) noexcept {
  return align_up(cols);
}

AlignedVector<std::int8_t> pack_bytes(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_fours({weights, gates, kBlock}, kColumnStep);
}
AlignedVector<std::int8_t> pack_i4(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles({weights, gates, kBlock}, kTwosComplement);
}

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_fields(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_planes({weights, gates, kBlock}, kFormat);
}

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/dispatch/avx512_lanes.inc"

#include "quaver/kernels/dispatch/avx512_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

static_assert(kLanes == kBlock);

template <WeightFormatId>
void prepare(const std::int8_t* x, std::size_t cols, std::byte* operand) noexcept {
  make_unsigned(x, cols, operand);
}

// acc = bias + w x of one stream and eight bits.
template <std::size_t kRegisters>
[[gnu::always_inline]] inline void byte_sums(const std::int8_t* weights, const std::int32_t* bias, std::size_t cols,
                                             const std::byte* operand, __m512i (&acc)[kRegisters]) {
  constexpr std::size_t kGroupBytes = kRegisters * 64;
  __m512i odd[kRegisters];
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm512_loadu_si512(bias + 16 * r);
  for (std::size_t r = 0; r < kRegisters; ++r) odd[r] = _mm512_setzero_si512();
  for (std::size_t c = 0; c < cols; c += kColumnStep, weights += 2 * kGroupBytes) {
    const __m512i x = four_columns(operand + c), next = four_columns(operand + c + 4);
    for (std::size_t r = 0; r < kRegisters; ++r) add_products(acc[r], x, _mm512_load_si512(weights + 64 * r));
    for (std::size_t r = 0; r < kRegisters; ++r)
      add_products(odd[r], next, _mm512_load_si512(weights + kGroupBytes + 64 * r));
  }
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm512_add_epi32(acc[r], odd[r]);
}

// 16 times the sum of products, and the sum itself.
[[gnu::always_inline]] inline __m512i sum_of_nibbles(__m512i acc, const std::int32_t* bias) {
  return _mm512_add_epi32(_mm512_srai_epi32(acc, 4), _mm512_loadu_si512(bias));
}

// acc = bias + w x of one stream and four bits.
template <std::size_t kRegisters>
[[gnu::always_inline]] inline void nibble_sums(const std::int8_t* weights, const std::int32_t* bias, std::size_t cols,
                                               const std::byte* operand, __m512i (&acc)[kRegisters]) {
  __m512i odd[kRegisters];
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = odd[r] = _mm512_setzero_si512();
  for (std::size_t c = 0; c < cols; c += kColumnStep) {
    const __m512i x = four_columns(operand + c), next = four_columns(operand + c + 4);
    for (std::size_t r = 0; r < kRegisters; ++r, weights += 64) {
      const __m512i w = _mm512_load_si512(weights);
      add_products(acc[r], x, lower_nibbles(w));
      add_products(odd[r], next, upper_nibbles(w));
    }
  }
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = sum_of_nibbles(_mm512_add_epi32(acc[r], odd[r]), bias + 16 * r);
}

// acc = bias + w x of one stream and of two bits or one.
template <WeightFormatId kFormat, std::size_t kRegisters>
[[gnu::noinline]] void plane_sums(const std::int8_t* weights, const std::int32_t* bias, std::size_t cols,
                                  const std::byte* operand, __m512i (&acc)[kRegisters]) {
  for (std::size_t r = 0; r < kRegisters; ++r) acc[r] = _mm512_loadu_si512(bias + 16 * r);
  add_planes<kFormat>(weights, operand, cols, acc);
}

// Of any format of planes; their code stands apart, so that a program holds it once and not in every step.
template <std::size_t kRegisters>
[[gnu::always_inline]] inline void packed_sums(const GateRows& half, const std::int8_t* weights,
                                               const std::int32_t* bias, const std::byte* operand,
                                               __m512i (&acc)[kRegisters]) {
  switch (half.format) {
    case kBinary: return plane_sums<kBinary>(weights, bias, half.cols, operand, acc);
    case kQuaternary: return plane_sums<kQuaternary>(weights, bias, half.cols, operand, acc);
    default: return plane_sums<kTernary>(weights, bias, half.cols, operand, acc);
  }
}

template <WeightFormatId kFormat, std::size_t kGates>
[[gnu::always_inline]] inline void block_sums(const GateRows& half, std::size_t block, const std::byte* operand,
                                              Wide (&sum)[kGates]) {
  const std::int8_t* weights = half.weights + block * half.block_bytes;
  const std::int32_t* bias = half.bias + block * kGates * kLanes;
  __m512i acc[2 * kGates];
  if constexpr (has_planes(kFormat)) {
    packed_sums(half, weights, bias, operand, acc);
  } else if constexpr (kFormat == kI4) {
    nibble_sums(weights, bias, half.cols, operand, acc);
  } else {
    byte_sums(weights, bias, half.cols, operand, acc);
  }
  for (std::size_t g = 0; g < kGates; ++g) sum[g] = {acc[2 * g], acc[2 * g + 1]};
}

// The sums of kTileGates gates, from `gate` on, of kStreams streams.
template <WeightFormatId kFormat, std::size_t kGates, std::size_t kTileGates, std::size_t kStreams>
[[gnu::noinline]] void tile_sums(const GateRows& half, std::size_t block, std::size_t gate,
                                 const std::byte* const* operands, Wide (*sums)[kGates]) {
  constexpr std::size_t kRegisters = 2 * kTileGates, kGroupBytes = kGates * 128;
  const std::int8_t* weights = half.weights + block * half.block_bytes + gate * 128;
  const std::int32_t* bias = half.bias + (block * kGates + gate) * kLanes;
  __m512i acc[kStreams][kRegisters];
  QUAVER_UNROLLED
  for (std::size_t s = 0; s < kStreams; ++s) {
    QUAVER_UNROLLED
    for (std::size_t r = 0; r < kRegisters; ++r)
      acc[s][r] = kFormat == kI4 ? _mm512_setzero_si512() : _mm512_loadu_si512(bias + 16 * r);
  }
  // Of four bits a turn takes one half of the bytes, so that one set of weights is in registers.
  __m128i shift = _mm_cvtsi32_si128(4);
  const std::size_t groups = (half.cols + kColumnStep - 1) / kColumnStep * 2;
  // Skipping the other gates' lines, it outruns the hardware's prefetch, of near weights too.
  const std::size_t ahead = half.fetch_ahead > 0 ? half.fetch_ahead / 2 : 4 * kGroupBytes;
  for (std::size_t c = 0; c < groups; ++c) {
    const std::int8_t* group = weights + (kFormat == kI4 ? c / 2 : c) * kGroupBytes;
    __m512i w[kRegisters];
    QUAVER_UNROLLED
    for (std::size_t r = 0; r < kRegisters; ++r) {
      w[r] = _mm512_load_si512(group + 64 * r);
      _mm_prefetch(group + 64 * r + ahead, _MM_HINT_T0);
      if constexpr (kFormat == kI4) w[r] = upper_nibbles(_mm512_sll_epi16(w[r], shift));
    }
    QUAVER_UNROLLED
    for (std::size_t s = 0; s < kStreams; ++s) {
      const __m512i x = four_columns(operands[s] + 4 * c);
      QUAVER_UNROLLED
      for (std::size_t r = 0; r < kRegisters; ++r) add_products(acc[s][r], x, w[r]);
    }
    if constexpr (kFormat == kI4) shift = _mm_xor_si128(shift, _mm_cvtsi32_si128(4));
  }
  QUAVER_UNROLLED
  for (std::size_t s = 0; s < kStreams; ++s) {
    if constexpr (kFormat == kI4) {
      QUAVER_UNROLLED
      for (std::size_t r = 0; r < kRegisters; ++r) acc[s][r] = sum_of_nibbles(acc[s][r], bias + 16 * r);
    }
    QUAVER_UNROLLED
    for (std::size_t g = 0; g < kTileGates; ++g) sums[s][gate + g] = {acc[s][2 * g], acc[s][2 * g + 1]};
  }
}

// 24 sums: all gates of few streams, half the gates of four to six when there are four.
template <std::size_t kGates>
constexpr std::size_t kMostStreams = kGates == 4 ? 6 : 12 / kGates;

template <WeightFormatId kFormat, std::size_t kGates, std::size_t kStreams>
void sums_of_streams(const GateRows& half, std::size_t block, const std::byte* const* operands, std::size_t count,
                     Wide (*sums)[kGates]) {
  if constexpr (kStreams > 1) {
    if (count < kStreams) return sums_of_streams<kFormat, kGates, kStreams - 1>(half, block, operands, count, sums);
  }
  constexpr std::size_t kTileGates = kGates * kStreams <= 12 ? kGates : kGates / 2;
  for (std::size_t gate = 0; gate < kGates; gate += kTileGates)
    tile_sums<kFormat, kGates, kTileGates, kStreams>(half, block, gate, operands, sums);
}

// In tiles of nearly the same number of streams: a small one would read the weights for little.
template <WeightFormatId kFormat, std::size_t kGates>
void group_sums(const GateRows& half, std::size_t block, std::size_t /*next_block*/, const std::byte* const* operands,
                std::size_t count, Wide (*sums)[kGates]) {
  if constexpr (has_planes(kFormat)) {
    for (std::size_t s = 0; s < count; ++s) block_sums<kFormat, kGates>(half, block, operands[s], sums[s]);
    return;
  }
  constexpr std::size_t kMost = kMostStreams<kGates>;
  for (std::size_t tiles = (count + kMost - 1) / kMost; tiles > 0; --tiles) {
    const std::size_t streams = (count + tiles - 1) / tiles;
    sums_of_streams<kFormat, kGates, kMost>(half, block, operands, streams, sums);
    operands += streams;
    sums += streams;
    count -= streams;
  }
}

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kAvx512VnniRecurrentStep{Isa::kAvx512Vnni,
                                                 {step_with<kI8>(pack_bytes),
                                                  {{kI4, step_with<kI4>(pack_i4)},
                                                   {kTernary, step_with<kTernary>(pack_fields<kTernary>)},
                                                   {kQuaternary, step_with<kQuaternary>(pack_fields<kQuaternary>)},
                                                   {kBinary, step_with<kBinary>(pack_fields<kBinary>)}}}};

}  // namespace quaver

#endif
