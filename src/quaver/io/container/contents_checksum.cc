#include "quaver/io/container/contents_checksum.h"

#include "quaver/core/text.h"

namespace quaver {

ContentsChecksum::ContentsChecksum(const std::vector<std::string_view>& texts) : hash_(fnv1a({})) {
  for (const std::string_view text : texts) add(text);
}

void ContentsChecksum::add(std::string_view text) {
  constexpr std::byte kEnd{0};  // closes every text, so that no two lists of texts hash alike
  hash_ = fnv1a(std::as_bytes(std::span(text)), hash_);
  hash_ = fnv1a(std::span(&kEnd, 1), hash_);
}

void ContentsChecksum::add(std::string_view name, NumberType dtype, const std::vector<std::int64_t>& shape,
                           std::span<const std::byte> bytes) {
  add(name);
  add(dtype_name(dtype));
  add(shape_text(shape));
  hash_ = fnv1a(bytes, hash_);
}

std::string ContentsChecksum::text() const { return hex64(hash_); }

std::string contents_checksum(const std::vector<std::string_view>& texts,
                              const std::map<std::string, SafetensorsEntry>& entries) {
  ContentsChecksum checksum(texts);
  for (const auto& [name, entry] : entries) checksum.add(name, entry.dtype, entry.shape, entry.bytes);
  return checksum.text();
}

}  // namespace quaver
