#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/bit_planes/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 16;

#include "quaver/kernels/bit_planes/vector.inc"

QUAVER_INLINE Words byte_counts(Words bits) {
  return reinterpret_cast<Words>(vcntq_u8(reinterpret_cast<uint8x16_t>(bits)));
}

QUAVER_INLINE Words sums_of_bytes(Words bytes) {
  return reinterpret_cast<Words>(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(reinterpret_cast<uint8x16_t>(bytes)))));
}

#include "quaver/kernels/bit_planes/byte_counts.inc"

// Each byte keeps the bit of its place among eight, and three sums of neighbours put eight bytes into one.
QUAVER_INLINE std::uint64_t bits_of_codes(const std::uint8_t* codes, int k) {
  const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201)),
                   bit = vdupq_n_u8(static_cast<std::uint8_t>(1 << k));
  uint8x16_t set[4];
  for (int i = 0; i < 4; ++i) set[i] = vandq_u8(vtstq_u8(vld1q_u8(codes + 16 * i), bit), places);
  const uint8x16_t fours = vpaddq_u8(vpaddq_u8(set[0], set[1]), vpaddq_u8(set[2], set[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(fours, fours)), 0);
}

}  // namespace

const BitPlanesPath kNeonBitPlanes{Isa::kNeon, split<bits_of_codes>, run<differences>};

}  // namespace quaver

#endif
