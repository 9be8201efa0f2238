// planes.h - codes of two bits and of one in the bytes of a packed register: a byte holds the fields of one row and of
// kPlanes columns that lie four apart, so that each plane of a register is four columns of its rows, as registers of
// bytes are. Internal to kernels/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quaver/fixed/weight_format.h"

namespace quaver {

constexpr bool has_planes(WeightFormatId format) {
  return format == WeightFormatId::kTernary || format == WeightFormatId::kQuaternary ||
         format == WeightFormatId::kBinary;
}
constexpr std::size_t plane_count(WeightFormatId format) { return format == WeightFormatId::kBinary ? 8 : 4; }
constexpr std::size_t plane_columns(WeightFormatId format) { return 4 * plane_count(format); }  // of a register
constexpr int field_bits(WeightFormatId format) { return format == WeightFormatId::kBinary ? 1 : 2; }

// The codes by field, twice over the sixteen places of a table of bytes (fields are 0..3 or 0..1).
constexpr std::array<std::int8_t, 16> codes_of_fields(WeightFormatId format) {
  std::array<std::int8_t, 16> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto byte = static_cast<std::byte>(i & (format == WeightFormatId::kBinary ? 1 : 3));
    codes[i] = static_cast<std::int8_t>(format == WeightFormatId::kTernary      ? ternary_code(byte, 0)
                                        : format == WeightFormatId::kQuaternary ? quaternary_code(byte, 0)
                                                                                : binary_code(byte, 0));
  }
  return codes;
}

constexpr unsigned field_of(WeightFormatId format, std::int8_t code) {
  return format == WeightFormatId::kTernary      ? ternary_field(code)
         : format == WeightFormatId::kQuaternary ? quaternary_field(code)
                                                 : binary_field(code);
}

}  // namespace quaver
