// test_support.h - what the tests of this folder share. Not a public header.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/container/safetensors.h"

namespace quaver::io_test {

// The error's text, or "" when nothing is thrown.
inline std::string error_of(const std::function<void()>& act, ErrorKind kind = ErrorKind::kBadInput) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "";
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// A folder that is gone when the test is.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "quaver_io_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw_failed("no temporary folder");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::size_t file_count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A safetensors file from any header and body, right or wrong.
inline std::string safetensors_text(std::string_view header, std::string_view body = "") {
  std::string text(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(text.data(), &size, sizeof size);
  return text.append(header).append(body);
}

inline std::string safetensors_text(const std::map<std::string, SafetensorsEntry>& entries,
                                    const std::map<std::string, std::string>& metadata) {
  std::string text;
  write_safetensors(entries, metadata, [&text](std::span<const std::byte> piece) {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return text;
}

// All of a safetensors text, taken apart to be changed and written again.
struct SafetensorsContents {
  std::map<std::string, SharedBytes> bytes;
  std::map<std::string, SafetensorsEntry> entries;  // views of `bytes`
  std::map<std::string, std::string> metadata;

  explicit SafetensorsContents(std::string_view text) {
    const SafetensorsFile file = SafetensorsFile::parse(bytes_of(text));
    metadata = file.metadata();
    for (const auto& [name, tensor] : file.tensors()) {
      bytes[name] = file.bytes(name);
      entries[name] = {tensor.dtype, tensor.shape, bytes[name]};
    }
  }
  SafetensorsContents(const SafetensorsContents&) = delete;
  SafetensorsContents& operator=(const SafetensorsContents&) = delete;
};

}  // namespace quaver::io_test
