// safetensors.h - the container of model files and of PyTorch's weights: named tensors behind one JSON header.
//
//   bytes 0..7       N, the length of the header, unsigned, little-endian
//   bytes 8..8+N     JSON object: name -> {"dtype", "shape", "data_offsets": [begin, end]}; "__metadata__": text ->
//   text the rest         tensor bytes, little-endian, row-major; offsets count from here
//
// A file is refused, with the name and the numbers, when N is beyond the file or kMaxSafetensorsHeader, the JSON is
// malformed or has a key twice, a tensor's bytes are not shape x dtype, or the tensors overlap, leave a gap or end
// elsewhere than the file. Nothing is allocated for a tensor while reading: entries are views.
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

#include "quaver/io/atomic_file.h"

namespace quaver {

inline constexpr std::size_t kMaxSafetensorsHeader = 100'000'000;  // the limit of the reference implementation

enum class Dtype { kU8, kI8, kI16, kI32, kI64, kF16, kBf16, kF32, kF64 };

std::string_view dtype_name(Dtype dtype);  // "F32", "BF16", ...
std::size_t dtype_bytes(Dtype dtype);      // of one element

struct SafetensorsEntry {
  Dtype dtype = Dtype::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // of the file, at any alignment
};

class SafetensorsFile {
 public:
  // Maps the file into memory, for as long as the value lives.
  static SafetensorsFile open(const std::filesystem::path& path);
  // Views `bytes`, which must live as long as the value.
  static SafetensorsFile parse(std::span<const std::byte> bytes);

  const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const SafetensorsEntry& entry(std::string_view name) const;  // Error
  // The elements of a float tensor (F16, BF16, F32, F64) as floats; Error for integers and for F64 beyond float.
  std::vector<float> as_f32(std::string_view name) const;

 private:
  std::map<std::string, SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
  std::shared_ptr<const void> mapping_;
};

// Writes the header and then the tensors, largest element type first, then by name: the same input, the same bytes.
// Error when an entry's bytes are not shape x dtype or a text is not UTF-8.
void write_safetensors(const std::map<std::string, SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, const ByteSink& sink);

}  // namespace quaver
