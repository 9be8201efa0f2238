// safetensors.h - the container of model files and of PyTorch's weights: named tensors behind one JSON header.
//
//   bytes 0..7       N, the length of the header, unsigned, little-endian
//   bytes 8..8+N     JSON object: name -> {"dtype", "shape", "data_offsets": [begin, end]};
//                    "__metadata__": text -> text
//   the rest         tensor bytes, little-endian, row-major; offsets count from here
//
// A file is refused, with the name and the numbers, when N is beyond the file or kMaxSafetensorsHeader, the JSON is
// malformed or has a key twice, a tensor's bytes are not shape x dtype, or the tensors overlap, leave a gap or end
// elsewhere than the file. Only the header is read at first; a tensor's bytes are read when they are asked for, into
// their own place, so that nothing is held twice and nothing that is not wanted is held at all; or all of them at once,
// into one buffer that they share (hold()), by who wants everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/number_type.h"
#include "quaver/core/shared_bytes.h"
#include "quaver/files/atomic_file.h"

namespace quaver {

inline constexpr std::size_t kMaxSafetensorsHeader = 100'000'000;  // the limit of the reference implementation

std::string_view dtype_name(NumberType type);  // as the header writes it: "F32", "BF16", ...

// A tensor to be written.
struct SafetensorsEntry {
  NumberType dtype = NumberType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

// A tensor of a file: what the header says of it.
struct SafetensorsTensor {
  NumberType dtype = NumberType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;    // of its first byte in the file
  std::size_t byte_count = 0;  // shape x dtype
};

class SafetensorsFile {
 public:
  // Keeps the file open for as long as the value or a copy of it lives.
  static SafetensorsFile open(const std::filesystem::path& path);
  // Views `bytes`, which must live as long as the value.
  static SafetensorsFile parse(std::span<const std::byte> bytes);

  const std::map<std::string, SafetensorsTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const SafetensorsTensor& tensor(std::string_view name) const;  // Error
  // Reads all tensors, once: what is asked for later comes from there, whatever becomes of the file.
  void hold();
  // Both read the file unless it is held. Error (bad input) when it has become shorter since it was opened.
  // Aligned to its element: a slice of the buffer where that is held and the tensor lies so.
  SharedBytes bytes(std::string_view name) const;
  // The elements of a float tensor (F16, BF16, F32, F64) as floats; Error for integers and for F64 beyond float.
  std::vector<float> as_f32(std::string_view name) const;

 private:
  // Fills the bytes from an offset on.
  using Reader = std::function<void(std::uint64_t offset, std::span<std::byte> target)>;
  static SafetensorsFile read(std::uint64_t size, Reader reader);

  std::map<std::string, SafetensorsTensor> tensors_;
  std::map<std::string, std::string> metadata_;
  Reader reader_;
  std::uint64_t body_begin_ = 0, body_size_ = 0;
  std::optional<SharedBytes> body_;  // of what is held
};

// Writes the header and then the tensors, largest element type first, then by name: the same input, the same bytes.
// Error when an entry's bytes are not shape x dtype or a text is not UTF-8.
void write_safetensors(const std::map<std::string, SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, const ByteSink& sink);

}  // namespace quaver
