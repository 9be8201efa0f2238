#include "quaver/fixed/weight_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quaver/fixed/quantization.h"

namespace quaver {
namespace {

std::size_t i8_row_bytes(std::size_t cols) noexcept { return cols; }
void pack_i8(const std::int8_t* codes, std::size_t cols, std::byte* row) noexcept {
  if (cols > 0) std::memcpy(row, codes, cols);
}
void unpack_i8(const std::byte* row, std::size_t cols, std::int8_t* codes) noexcept {
  if (cols > 0) std::memcpy(codes, row, cols);
}

std::size_t i4_row_bytes(std::size_t cols) noexcept { return (cols + 1) / 2; }
void pack_i4(const std::int8_t* codes, std::size_t cols, std::byte* row) noexcept {
  for (std::size_t c = 0; c < cols; c += 2) {
    const int lower = codes[c], upper = c + 1 < cols ? codes[c + 1] : kNoNibble;
    row[c / 2] = static_cast<std::byte>((lower & 15) | ((upper & 15) << 4));
  }
}
void unpack_i4(const std::byte* row, std::size_t cols, std::int8_t* codes) noexcept {
  for (std::size_t c = 0; c < cols; ++c)
    codes[c] = static_cast<std::int8_t>(c % 2 == 0 ? lower_nibble(row[c / 2]) : upper_nibble(row[c / 2]));
}

// kPerByte codes a byte, the earliest column lowest; kFill stands behind the last column.
template <std::size_t kPerByte>
constexpr std::size_t bytes_of_row(std::size_t cols) noexcept {
  return (cols + kPerByte - 1) / kPerByte;
}
template <std::size_t kPerByte, unsigned (*kField)(std::int8_t), unsigned kFill>
void pack_bits(const std::int8_t* codes, std::size_t cols, std::byte* row) noexcept {
  constexpr std::size_t kBits = 8 / kPerByte;
  for (std::size_t first = 0; first < cols; first += kPerByte) {
    std::byte byte{};
    for (std::size_t i = 0; i < kPerByte; ++i)
      byte |= static_cast<std::byte>(first + i < cols ? kField(codes[first + i]) : kFill) << (kBits * i);
    row[first / kPerByte] = byte;
  }
}
template <std::size_t kPerByte, int (*kCode)(std::byte, std::size_t)>
void unpack_bits(const std::byte* row, std::size_t cols, std::int8_t* codes) noexcept {
  for (std::size_t c = 0; c < cols; ++c) codes[c] = static_cast<std::int8_t>(kCode(row[c / kPerByte], c));
}

constexpr std::array<WeightFormat, kWeightFormatCount> kWeightFormats{{
    {WeightFormatId::kI8, "i8", NumberType::kI8, 8, kI8Limit, 2 * kI8Limit + 1, i8_row_bytes, pack_i8, unpack_i8},
    {WeightFormatId::kI4, "i4", NumberType::kI4, 4, kI4Limit, 2 * kI4Limit + 1, i4_row_bytes, pack_i4, unpack_i4},
    {WeightFormatId::kTernary, "ternary", NumberType::kTernary, 2, 1, 3, bytes_of_row<4>,
     pack_bits<4, ternary_field, 3>, unpack_bits<4, ternary_code>},
    {WeightFormatId::kQuaternary, "quaternary", NumberType::kQuaternary, 2, 2, 4, bytes_of_row<4>,
     pack_bits<4, quaternary_field, 0>, unpack_bits<4, quaternary_code>},
    {WeightFormatId::kBinary, "binary", NumberType::kBinary, 1, 1, 2, bytes_of_row<8>, pack_bits<8, binary_field, 0>,
     unpack_bits<8, binary_code>},
}};

}  // namespace

std::int32_t WeightFormat::nearest(double value, double scale) const {
  if (has_zero()) return quantize(value, scale, 0, -limit, limit);
  const std::int32_t magnitude = quantize(std::abs(value), scale, 0, 1, limit);
  return value < 0 ? -magnitude : magnitude;
}

std::span<const WeightFormat> weight_formats() { return kWeightFormats; }

const WeightFormat& weight_format(WeightFormatId id) { return kWeightFormats[static_cast<std::size_t>(id)]; }

const WeightFormat* weight_format_of(NumberType type) {
  const auto row = std::ranges::find(kWeightFormats, type, &WeightFormat::type);
  return row == kWeightFormats.end() ? nullptr : &*row;
}

}  // namespace quaver
