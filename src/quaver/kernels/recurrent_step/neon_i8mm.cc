// The step in NEON with the matrix product of bytes: one instruction multiplies 8 columns of 2 rows and of 2 streams,
// twice what the dot product does. So streams go in pairs; one alone takes the dot product, from the same weights.
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

constexpr bool kExpands = true;

#define QUAVER_NEON_DOT
#define QUAVER_NEON_I8MM
#include "quaver/kernels/dispatch/begin_neon_i8mm.inc"

#include "quaver/kernels/dispatch/neon_lanes.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

#include "quaver/kernels/recurrent_step/neon.inc"

// A tile's sums are 24 registers at most: two gates of three pairs of streams, or three gates of two.
template <std::size_t kGates>
constexpr std::size_t kTileGates = kGates == 4 ? 2 : kGates;
template <std::size_t kGates>
constexpr std::size_t kMostPairs = kGates == 3 ? 2 : 3;

// What add_streams() adds for kPairs pairs and the gates from `gate` on. The last of an odd number is its own
// neighbour.
template <WeightFormatId kFormat, std::size_t kGates, std::size_t kPairs>
[[gnu::noinline]] void add_tile(const std::int8_t* weights, std::size_t gate, const std::byte* const* operands,
                                std::size_t count, std::size_t first, std::size_t cols, Wide (*sums)[kGates]) {
  constexpr std::size_t kTileRegisters = kRegisters<kTileGates<kGates>>;
  const std::byte* streams[2 * kPairs];
  QUAVER_UNROLLED
  for (std::size_t s = 0; s < 2 * kPairs; ++s) streams[s] = operands[at_most(s, count - 1)];
  int32x4_t acc[kPairs][kTileRegisters];
  QUAVER_UNROLLED
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    QUAVER_UNROLLED
    for (std::size_t r = 0; r < kTileRegisters; ++r) acc[pair][r] = vdupq_n_s32(0);
  }
  weights += gate * kRegisters<1> * kRegisterBytes;
  for (std::size_t c = first; c < first + cols; weights += kRegisters<kGates> * kRegisterBytes) {
    QUAVER_UNROLLED
    for (std::size_t p = 0; p < kPlanes<kFormat>; ++p, c += kRegisterColumns) {
      int8x16_t x[kPairs];
      QUAVER_UNROLLED
      for (std::size_t pair = 0; pair < kPairs; ++pair)
        x[pair] = vcombine_s8(eight_columns(streams[2 * pair] + c), eight_columns(streams[2 * pair + 1] + c));
      QUAVER_UNROLLED
      for (std::size_t r = 0; r < kTileRegisters; ++r) {
        int8x16_t codes[kPlanes<kFormat>];
        unpack<kFormat>(vld1q_s8(weights + r * kRegisterBytes), codes);
        QUAVER_UNROLLED
        for (std::size_t pair = 0; pair < kPairs; ++pair) {
          acc[pair][r] = vmmlaq_s32(acc[pair][r], codes[p], x[pair]);
          asm volatile("" : "+w"(acc[pair][r]));  // as in RowSums
        }
      }
    }
  }
  // Lanes are two rows of a stream and of its neighbour: row 0, row 0, row 1, row 1.
  QUAVER_UNROLLED
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    QUAVER_UNROLLED
    for (std::size_t g = 0; g < kTileGates<kGates>; ++g) {
      const int32x4_t* rows = acc[pair] + g * kRegisters<1>;
      Wide& sum = sums[2 * pair][gate + g];
      sum = add(sum, {divided<kFormat>(vuzp1q_s32(rows[0], rows[1])), divided<kFormat>(vuzp1q_s32(rows[2], rows[3]))});
      if (2 * pair + 1 == count) continue;
      Wide& next = sums[2 * pair + 1][gate + g];
      next =
          add(next, {divided<kFormat>(vuzp2q_s32(rows[0], rows[1])), divided<kFormat>(vuzp2q_s32(rows[2], rows[3]))});
    }
  }
}

// At most kPairs pairs.
template <WeightFormatId kFormat, std::size_t kGates, std::size_t kPairs>
void add_pairs(const std::int8_t* weights, const std::byte* const* operands, std::size_t count, std::size_t first,
               std::size_t cols, Wide (*sums)[kGates]) {
  if constexpr (kPairs > 1) {
    if (count <= 2 * (kPairs - 1))
      return add_pairs<kFormat, kGates, kPairs - 1>(weights, operands, count, first, cols, sums);
  }
  for (std::size_t gate = 0; gate < kGates; gate += kTileGates<kGates>)
    add_tile<kFormat, kGates, kPairs>(weights, gate, operands, count, first, cols, sums);
}

// In tiles of nearly the same number of pairs: a small one would read the weights for little.
template <WeightFormatId kFormat, std::size_t kGates>
void add_streams(const std::int8_t* weights, const std::byte* const* operands, std::size_t count, std::size_t first,
                 std::size_t cols, Wide (*sums)[kGates]) {
  constexpr std::size_t kMost = kMostPairs<kGates>;
  std::size_t pairs = (count + 1) / 2;
  for (std::size_t tiles = (pairs + kMost - 1) / kMost; tiles > 0; --tiles) {
    const std::size_t here = (pairs + tiles - 1) / tiles, streams = at_most(2 * here, count);
    add_pairs<kFormat, kGates, kMost>(weights, operands, streams, first, cols, sums);
    operands += streams;
    sums += streams;
    count -= streams;
    pairs -= here;
  }
}

#include "quaver/kernels/recurrent_step/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RecurrentStepPath kNeonI8mmRecurrentStep{Isa::kNeonI8mm,
                                               {step_with<kI8>(pack_neon<8, kI8>),
                                                {{kI4, step_with<kI4>(pack_neon<8, kI4>)},
                                                 {kTernary, step_with<kTernary>(pack_neon<8, kTernary>)},
                                                 {kQuaternary, step_with<kQuaternary>(pack_neon<8, kQuaternary>)},
                                                 {kBinary, step_with<kBinary>(pack_neon<8, kBinary>)}}}};

}  // namespace quaver

#endif
