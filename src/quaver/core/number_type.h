// number_type.h - the types of numbers that tensors, edges, states and files hold; a row a type.
//
// What files call them stands with the files: io/container/safetensors.cc, npz/npy_header.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace quaver {

enum class NumberType : std::uint8_t {
  kF64,
  kF32,
  kF16,
  kBf16,
  kI64,
  kI32,
  kI16,
  kI8,
  kI4,
  kTernary,
  kQuaternary,
  kBinary,
  kU8,
  kBool
};

struct NumberTypeRow {
  NumberType type;
  std::string_view name;
  std::size_t bits;
};
inline constexpr auto kNumberTypes = std::to_array<NumberTypeRow>({
    {NumberType::kF64, "f64", 64},
    {NumberType::kF32, "f32", 32},
    {NumberType::kF16, "f16", 16},
    {NumberType::kBf16, "bf16", 16},
    {NumberType::kI64, "i64", 64},
    {NumberType::kI32, "i32", 32},
    {NumberType::kI16, "i16", 16},
    {NumberType::kI8, "i8", 8},
    {NumberType::kI4, "i4", 4},
    {NumberType::kTernary, "ternary", 2},
    {NumberType::kQuaternary, "quaternary", 2},
    {NumberType::kBinary, "binary", 1},
    {NumberType::kU8, "u8", 8},
    {NumberType::kBool, "bool", 8},
});
static_assert([] {  // in the order of NumberType
  for (std::size_t i = 0; i < kNumberTypes.size(); ++i) {
    if (kNumberTypes[i].type != static_cast<NumberType>(i)) return false;
  }
  return true;
}());

constexpr const NumberTypeRow& number_type_row(NumberType type) { return kNumberTypes[static_cast<std::size_t>(type)]; }
constexpr std::string_view type_name(NumberType type) { return number_type_row(type).name; }
// Bytes of one number that stands alone: packed ones (i4, binary) count as a byte.
constexpr std::size_t type_bytes(NumberType type) { return (number_type_row(type).bits + 7) / 8; }

// The type of T: float, double, bool or a signed integer, or std::uint8_t.
template <typename T>
constexpr NumberType number_type_of() {
  if constexpr (std::is_same_v<T, double>) return NumberType::kF64;
  if constexpr (std::is_same_v<T, float>) return NumberType::kF32;
  if constexpr (std::is_same_v<T, std::int64_t>) return NumberType::kI64;
  if constexpr (std::is_same_v<T, std::int32_t>) return NumberType::kI32;
  if constexpr (std::is_same_v<T, std::int16_t>) return NumberType::kI16;
  if constexpr (std::is_same_v<T, std::int8_t>) return NumberType::kI8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return NumberType::kU8;
  if constexpr (std::is_same_v<T, bool>) return NumberType::kBool;
}

}  // namespace quaver
