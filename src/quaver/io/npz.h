// npz.h - NumPy's array files: .npz (a zip of .npy entries) and a bare .npy, read and written.
//
// Read: npy versions 1, 2 and 3; little-endian f4 f8 i1 i2 i4 i8 u1 and bool; C and Fortran order (turned into C);
// stored or deflated entries. A bare .npy is the one array kBareName.
// Every size is checked before memory is taken: an entry must claim no more than its compressed bytes can hold, all
// entries together no more than kMaxNpzBytes, and a shape exactly the bytes of its entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

inline constexpr std::uint64_t kMaxNpzBytes = std::uint64_t{1} << 31;  // unpacked, all arrays together
inline constexpr std::string_view kBareName = "x";

enum class NpyType { kF32, kF64, kI8, kI16, kI32, kI64, kU8, kBool };

std::string_view npy_type_name(NpyType type);  // as NumPy says: "float32", "int8", "bool"
std::size_t npy_type_bytes(NpyType type);

struct NpzArray {
  NpyType type = NpyType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  // C order, little-endian

  template <typename T>
  static NpzArray from(std::vector<std::int64_t> shape, std::span<const T> values);  // T: float, double, (u)int types
  std::size_t element_count() const { return bytes.size() / npy_type_bytes(type); }
  bool operator==(const NpzArray&) const = default;
};

using Npz = std::map<std::string, NpzArray>;

Npz read_npz(const std::filesystem::path& path);
Npz read_npz_bytes(std::span<const std::byte> bytes);

enum class NpzPacking { kStored, kDeflated };
void write_npz(const std::filesystem::path& path, const Npz& arrays, NpzPacking packing = NpzPacking::kStored);
std::string npz_bytes(const Npz& arrays, NpzPacking packing = NpzPacking::kStored);

// Error that lists the arrays there are.
const NpzArray& npz_array(const Npz& arrays, const std::string& name);
// The elements converted without loss of meaning; Error names the array and the first element that does not fit:
// to_f32 takes every type (f8 is rounded, a large integer must be exact), to_i32 and to_i8 take integers in range.
std::vector<float> to_f32(const NpzArray& array, std::string_view name);
std::vector<std::int32_t> to_i32(const NpzArray& array, std::string_view name);
std::vector<std::int8_t> to_i8(const NpzArray& array, std::string_view name);

// Error naming the first NaN or infinity by its index in each dimension.
void check_finite(std::span<const float> values, std::span<const std::int64_t> shape, std::string_view name);

}  // namespace quaver
