// planes.h - codes in the bytes of a packed register: a byte holds the fields of one row and of plane_count() columns
// that lie four apart, so that each plane of a register is four columns of its rows. Internal to kernels/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quaver/fixed/weight_format.h"

namespace quaver {

// Of two bits or one: the formats whose products share one copy of what is around them.
constexpr bool has_planes(WeightFormatId format) {
  return format == WeightFormatId::kTernary || format == WeightFormatId::kQuaternary ||
         format == WeightFormatId::kBinary;
}
constexpr int field_bits(WeightFormatId format) {
  return format == WeightFormatId::kI8       ? 8
         : format == WeightFormatId::kI4     ? 4
         : format == WeightFormatId::kBinary ? 1
                                             : 2;
}
constexpr std::size_t plane_count(WeightFormatId format) { return 8 / static_cast<std::size_t>(field_bits(format)); }
constexpr std::size_t plane_columns(WeightFormatId format) { return 4 * plane_count(format); }  // of a register

// The code of column col in the byte that has it, as files pack a row (fixed/weight_format.h).
constexpr int code_in(WeightFormatId format, std::byte byte, std::size_t col) {
  switch (format) {
    case WeightFormatId::kI4: return col % 2 == 0 ? lower_nibble(byte) : upper_nibble(byte);
    case WeightFormatId::kTernary: return ternary_code(byte, col);
    case WeightFormatId::kQuaternary: return quaternary_code(byte, col);
    case WeightFormatId::kBinary: return binary_code(byte, col);
    default: return static_cast<std::int8_t>(byte);
  }
}

// The codes by field, of two bits or one, over and over in the sixteen places of a table of bytes.
constexpr std::array<std::int8_t, 16> codes_of_fields(WeightFormatId format) {
  std::array<std::int8_t, 16> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] =
        static_cast<std::int8_t>(code_in(format, static_cast<std::byte>(i & ((1u << field_bits(format)) - 1)), 0));
  return codes;
}

constexpr unsigned field_of(WeightFormatId format, std::int8_t code) {
  return format == WeightFormatId::kTernary      ? ternary_field(code)
         : format == WeightFormatId::kQuaternary ? quaternary_field(code)
                                                 : binary_field(code);
}

}  // namespace quaver
