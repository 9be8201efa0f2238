// nibbles.h - two codes of four bits in a byte. Internal to kernels/.
#pragma once

#include <cstdint>

namespace quaver {

inline constexpr std::uint8_t kTwosComplement = 0x00;
inline constexpr std::uint8_t kPlusEight = 0x88;  // flips both signs: codes + 8, unsigned

// Codes within -8..7 in the byte's lower and upper half.
constexpr std::int8_t pair_of_nibbles(std::int8_t lower, std::int8_t upper, std::uint8_t flipped) {
  const int byte = ((lower & 15) | ((upper & 15) << 4)) ^ flipped;
  return static_cast<std::int8_t>(byte);
}

}  // namespace quaver
