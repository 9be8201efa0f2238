// mapped_file.h - the bytes of a file, read through the page cache without a copy. Not a public header.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace quaver {

class MappedFile {
 public:
  // Error (bad input) when the file is missing, not a regular file, or cannot be read.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace quaver
