// weight_format.h - the formats of weights: what codes there are and how files pack them; a row a format.
//
// A weight is scale * code; scales are the tensor's, one for all or for each equal run of rows (model/tensor.h),
// whatever the format. In memory codes are int8, one a byte; files pack the codes of a row into whole bytes, so that
// every row starts one. Kernels index their tables of products by the format's id (kernels/dispatch/format_table.h).
//
//   i8  -127..127, a byte a code                                                                               (A7)
//   i4  -7..7 in two's complement, two a byte, the earlier column in the lower half; behind the last column of a row of
//       odd length the upper half holds -8, which is no code: so the number of columns can be read from the bytes (A43)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quaver/core/number_type.h"

namespace quaver {

enum class WeightFormatId : std::uint8_t { kI8, kI4 };  // the place in kWeightFormats
inline constexpr std::size_t kWeightFormatCount = 2;

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
  constexpr bool holds(std::int32_t code) const {
    return code >= -limit && code <= limit && (code != 0 || levels % 2 == 1);
  }
};

std::span<const WeightFormat> weight_formats();
const WeightFormat& weight_format(WeightFormatId id);
const WeightFormat* weight_format_of(NumberType type);  // null: a type of no weights

inline constexpr int kNoNibble = -8;  // behind the last column of an i4 row of odd length
constexpr int lower_nibble(std::byte two) { return static_cast<std::int8_t>(std::to_integer<unsigned>(two) << 4) >> 4; }
constexpr int upper_nibble(std::byte two) { return static_cast<std::int8_t>(two) >> 4; }

}  // namespace quaver
