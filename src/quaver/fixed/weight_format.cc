#include "quaver/fixed/weight_format.h"

#include <algorithm>
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

constexpr std::array<WeightFormat, kWeightFormatCount> kWeightFormats{{
    {WeightFormatId::kI8, "i8", NumberType::kI8, 8, kI8Limit, 2 * kI8Limit + 1, i8_row_bytes, pack_i8, unpack_i8},
    {WeightFormatId::kI4, "i4", NumberType::kI4, 4, kI4Limit, 2 * kI4Limit + 1, i4_row_bytes, pack_i4, unpack_i4},
}};

}  // namespace

std::span<const WeightFormat> weight_formats() { return kWeightFormats; }

const WeightFormat& weight_format(WeightFormatId id) { return kWeightFormats[static_cast<std::size_t>(id)]; }

const WeightFormat* weight_format_of(NumberType type) {
  const auto row = std::ranges::find(kWeightFormats, type, &WeightFormat::type);
  return row == kWeightFormats.end() ? nullptr : &*row;
}

}  // namespace quaver
