// npy_header.h - the text before the elements of an .npy array. Not a public header.
//
//   "\x93NUMPY"  major minor  length (16 bits in version 1, 32 bits in 2 and 3)  text  elements
// The text is a Python dictionary with exactly 'descr', 'fortran_order' and 'shape', padded with spaces to a newline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/npz/npz.h"

namespace quaver {

inline constexpr std::size_t kMaxNpyHeader = 65536;  // of the text; NumPy itself reads 10000 bytes by default
inline constexpr std::size_t kNpyPrefix = 12;        // enough to know the length of the text

struct NpyHeader {
  NumberType type = NumberType::kF32;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::uint64_t element_bytes = 0;  // shape x type
};

bool is_npy(std::span<const std::byte> bytes);
// Bytes before the elements, from the first kNpyPrefix bytes (or all bytes of a shorter file).
std::size_t npy_header_size(std::span<const std::byte> prefix);
// `bytes`: the npy_header_size() bytes of the header. Error (without the array's name) for anything unusual.
NpyHeader parse_npy_header(std::span<const std::byte> bytes);
std::string npy_header_bytes(const NpzArray& array);

}  // namespace quaver
