// test_support.h - safetensors files for the tests of this floor, right or wrong. Not a public header.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "quaver/io/container/safetensors.h"
#include "support/files.h"

namespace quaver::io_test {

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
