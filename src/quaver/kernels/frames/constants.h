// constants.h - the numbers of frames.h's rule, read inside target regions. Internal to kernels/frames.
#pragma once

#include <cstdint>

namespace quaver {

inline constexpr std::int32_t kMagnitudeBits = 0x7fffffff, kInfinityBits = 0x7f800000, kHalfBits = 0x3f000000;
inline constexpr float kFrameEnd = 384.0f;                // of quotients: beyond all codes
inline constexpr float kFrameNearHalf = 0.5f - 0x1p-13f;  // distances from the nearest whole number above are not sure

}  // namespace quaver
