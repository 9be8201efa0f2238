// wide_input.h - an input of int16 codes for matrices whose products read int8 (A45).
//
//   x = 256 high + (low + 128),    high = floor(x / 256), low = x mod 256 - 128
// so W x = 256 (W high) + W (low + 128): two products of one matrix, the second with a zero point of -128.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace quaver {

inline constexpr std::int32_t kLowZeroPoint = -128;
inline constexpr std::int32_t kHighFactor = 256;  // of high's step to x's

// x: n int16 codes, as bytes at any address; low, high: [n].
inline void split_wide(const std::int8_t* x, std::size_t n, std::int8_t* low, std::int8_t* high) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    std::int16_t code;
    std::memcpy(&code, x + j * sizeof code, sizeof code);
    low[j] = static_cast<std::int8_t>((code & 255) - 128);
    high[j] = static_cast<std::int8_t>(code >> 8);
  }
}

}  // namespace quaver
