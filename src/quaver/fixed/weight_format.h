// weight_format.h - the formats of weights: what codes there are and how files pack them; a row a format.
//
// A weight is scale * code; scales are the tensor's, one for all or for each equal run of rows (model/tensor.h),
// whatever the format. In memory codes are int8, one a byte; files pack the codes of a row into whole bytes, so that
// every row starts one. Kernels index their tables of products by the format's id (kernels/dispatch/format_table.h).
//
//   i8  -127..127, a byte a code                                                                               (A7)
//   i4  -7..7 in two's complement, two a byte, the earlier column in the lower half; behind the last column of a row of
//       odd length the upper half holds -8, which is no code: so the number of columns can be read from the bytes (A43)
//   ternary     -1, 0, 1 as code + 1 in two bits, four a byte, the earliest column lowest; 3 fills up a row       (A48)
//   quaternary  -2, -1, 1, 2, in half units, as 0 to 3 in two bits, likewise; 0 fills up a row                    (A48)
//   binary      -1, 1 as a bit that is set where the code is 1, eight a byte; 0 fills up a row                    (A48)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quaver/core/number_type.h"

namespace quaver {

enum class WeightFormatId : std::uint8_t { kI8, kI4, kTernary, kQuaternary, kBinary };  // the place in kWeightFormats
inline constexpr std::size_t kWeightFormatCount = 5;

struct WeightFormat {
  WeightFormatId id;
  std::string_view name;
  NumberType type;     // of a tensor of such codes in a file
  int bits;            // of a packed code
  std::int32_t limit;  // codes lie within +-limit
  int levels;          // how many codes there are: all within +-limit, or with an even number all of them but 0

  std::size_t (*row_bytes)(std::size_t cols) noexcept;
  // One row of cols codes to row_bytes(cols) bytes, and back. Codes are of the format; bytes may be anything: unpack()
  // gives what they hold, and holds() tells whether that is a code.
  void (*pack)(const std::int8_t* codes, std::size_t cols, std::byte* row) noexcept;
  void (*unpack)(const std::byte* row, std::size_t cols, std::int8_t* codes) noexcept;

  constexpr bool is_packed() const { return bits < 8; }  // several codes a byte
  constexpr bool holds(std::int32_t code) const { return code >= -limit && code <= limit && (code != 0 || has_zero()); }
  constexpr bool has_zero() const { return levels % 2 == 1; }
  // The code nearest to value / scale, ties away from zero; without a 0 that of the value's sign, of 0 the positive
  // one. value: finite; scale: above 0.
  std::int32_t nearest(double value, double scale) const;
};

std::span<const WeightFormat> weight_formats();
const WeightFormat& weight_format(WeightFormatId id);
const WeightFormat* weight_format_of(NumberType type);  // null: a type of no weights

inline constexpr int kNoNibble = -8;  // behind the last column of an i4 row of odd length
constexpr int lower_nibble(std::byte two) { return static_cast<std::int8_t>(std::to_integer<unsigned>(two) << 4) >> 4; }
constexpr int upper_nibble(std::byte two) { return static_cast<std::int8_t>(two) >> 4; }
// What stands for a code of two bits or one, and the code of column col in the byte that has it.
constexpr unsigned ternary_field(std::int8_t code) { return static_cast<unsigned>(code + 1); }
constexpr unsigned quaternary_field(std::int8_t code) { return static_cast<unsigned>(code < 0 ? code + 2 : code + 1); }
constexpr unsigned binary_field(std::int8_t code) { return code > 0 ? 1 : 0; }
constexpr int two_bits(std::byte four, std::size_t col) { return std::to_integer<int>(four >> 2 * (col % 4)) & 3; }
constexpr int ternary_code(std::byte four, std::size_t col) { return two_bits(four, col) - 1; }
constexpr int quaternary_code(std::byte four, std::size_t col) {
  const int place = two_bits(four, col);
  return place < 2 ? place - 2 : place - 1;
}
constexpr int binary_code(std::byte eight, std::size_t col) {
  return 2 * (std::to_integer<int>(eight >> (col % 8)) & 1) - 1;
}

}  // namespace quaver
