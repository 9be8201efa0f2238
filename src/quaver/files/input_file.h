// input_file.h - a regular file that is read at offsets, never mapped: a file that another program cuts short while we
// read is an Error, not a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace quaver {

class InputFile {
 public:
  // Error (bad input) naming the path when it is missing, not a regular file, or cannot be opened.
  explicit InputFile(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  std::uint64_t size() const { return size_; }  // in bytes, as it was opened
  int descriptor() const { return descriptor_; }
  // Fills `target` from this byte on. Error (bad input, without the path) when the file ends before, or the disk fails.
  void read(std::uint64_t offset, std::span<std::byte> target) const;

 private:
  InputFile() = default;

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// The whole of a file of at most `limit` bytes. Error (bad input) naming the path, also for a longer one.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit);

}  // namespace quaver
