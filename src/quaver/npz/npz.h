// npz.h - NumPy's array files: .npz (a zip of .npy entries) and a bare .npy, read and written.
//
// Read: npy versions 1, 2 and 3; little-endian f4 f8 i1 i2 i4 i8 u1 and bool; C and Fortran order (turned into C);
// stored or deflated entries. A bare .npy is the one array kBareName.
// Every size is checked before memory is taken: an entry must claim no more than its compressed bytes can hold, a shape
// exactly the bytes of its entry, and what is read no more than a limit. Elements are unpacked straight into their
// array, and only of arrays that are asked for: the peak is the arrays and a few blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/core/number_type.h"

namespace quaver {

inline constexpr std::string_view kBareName = "x";

std::string_view npy_type_name(NumberType type);  // as NumPy says: "float32", "int8", "bool"

struct NpzArray {
  NumberType type = NumberType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;  // C order, little-endian

  template <typename T>
  static NpzArray from(std::vector<std::int64_t> shape, std::span<const T> values);  // T: float, double, (u)int types
  std::size_t element_count() const { return bytes.size() / type_bytes(type); }
  template <typename T>
  std::span<const T> as() const;  // the elements in place; Error when they are of another type
  bool operator==(const NpzArray&) const = default;
};

using Npz = std::map<std::string, NpzArray>;

// What the header of an array says.
struct NpzHeader {
  NumberType type = NumberType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;  // shape x type

  bool operator==(const NpzHeader&) const = default;
};

// A file whose arrays are known and not yet read.
class NpzFile {
 public:
  static NpzFile open(const std::filesystem::path& path);
  static NpzFile parse(std::span<const std::byte> bytes);  // views `bytes`
  NpzFile(NpzFile&&) noexcept;
  NpzFile& operator=(NpzFile&&) noexcept;
  ~NpzFile();

  const std::vector<std::string>& names() const;  // in the order of the file
  bool contains(const std::string& name) const;
  // Error (bad input, without the file's path) that lists the arrays when there is none of this name.
  NpzHeader header(const std::string& name);
  NpzArray read(const std::string& name, std::uint64_t max_bytes = kDefaultMaxMemory);
  Npz read_all(std::uint64_t max_bytes = kDefaultMaxMemory);  // max_bytes: of all arrays together

 private:
  struct Contents;
  explicit NpzFile(std::unique_ptr<Contents> contents);
  std::unique_ptr<Contents> contents_;
};

// All arrays. Error (bad input) that names the file.
Npz read_npz(const std::filesystem::path& path, std::uint64_t max_bytes = kDefaultMaxMemory);
Npz read_npz_bytes(std::span<const std::byte> bytes, std::uint64_t max_bytes = kDefaultMaxMemory);

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
