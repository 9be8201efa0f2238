// contents_checksum.h - the checksum in the metadata of our files (docs/file_format.md). Not public.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "quaver/io/safetensors.h"

namespace quaver {

// Over the texts in this order and the tensors by name. What a tool that knows nothing of Quaver may reorder, pad or
// add does not count; everything that makes the model does.
std::string contents_checksum(std::initializer_list<std::string_view> texts,
                              const std::map<std::string, SafetensorsEntry>& entries);

}  // namespace quaver
