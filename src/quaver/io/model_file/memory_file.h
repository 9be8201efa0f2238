// memory_file.h - a MemoryNetwork on disk: a safetensors file like a model's (docs/file_format.md).
//
// As with models: all or nothing, the same network gives the same bytes, what is read has passed validate(), and a
// checksum covers everything. Error names the file, what was found and what was expected.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "quaver/model/memory/memory_network.h"

namespace quaver {

void save(const MemoryNetwork& network, const std::filesystem::path& path);
std::string save_bytes(const MemoryNetwork& network);

MemoryNetwork load_memory_network(const std::filesystem::path& path);
MemoryNetwork load_memory_network_bytes(std::span<const std::byte> bytes);

}  // namespace quaver
