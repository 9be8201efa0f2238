#include "quaver/io/contents_checksum.h"

#include <span>

#include "quaver/core/text.h"

namespace quaver {

std::string contents_checksum(std::initializer_list<std::string_view> texts,
                              const std::map<std::string, SafetensorsEntry>& entries) {
  std::uint64_t hash = fnv1a({});
  const auto add = [&hash](std::string_view text) {
    constexpr std::byte kEnd{0};  // closes every text, so that no two lists of texts hash alike
    hash = fnv1a(std::as_bytes(std::span(text)), hash);
    hash = fnv1a(std::span(&kEnd, 1), hash);
  };
  for (const std::string_view text : texts) add(text);
  for (const auto& [name, entry] : entries) {
    add(name);
    add(dtype_name(entry.dtype));
    add(shape_text(entry.shape));
    hash = fnv1a(entry.bytes, hash);
  }
  return hex64(hash);
}

}  // namespace quaver
