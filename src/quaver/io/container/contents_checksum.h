// contents_checksum.h - the checksum in the metadata of our files (docs/file_format.md). Not public.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/io/container/safetensors.h"

namespace quaver {

// Over texts in their order, then tensors by name. What a tool that knows nothing of Quaver may reorder, pad or add
// does not count; everything that makes the model does.
class ContentsChecksum {
 public:
  explicit ContentsChecksum(const std::vector<std::string_view>& texts);
  // The next tensor by name (bytewise).
  void add(std::string_view name, NumberType dtype, const std::vector<std::int64_t>& shape,
           std::span<const std::byte> bytes);
  std::string text() const;  // 16 hexadecimal digits

 private:
  void add(std::string_view text);

  std::uint64_t hash_;
};

std::string contents_checksum(const std::vector<std::string_view>& texts,
                              const std::map<std::string, SafetensorsEntry>& entries);

}  // namespace quaver
