// artifact_file.h - a file of ours, whatever it holds. Who wants one kind alone takes load() or load_memory_network().
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "quaver/io/container/safetensors.h"
#include "quaver/model/artifact.h"

namespace quaver {

// Of any version. Error (bad input) that names the file, what was found and what was expected.
Artifact open(const std::filesystem::path& path);
Artifact open_bytes(std::span<const std::byte> bytes);

// In the newest version.
void save(const Artifact& artifact, const std::filesystem::path& path);
std::string save_bytes(const Artifact& artifact);

// Whether the file says that it is ours; weights of other programs are for import_torch().
bool is_ours(const SafetensorsFile& file);

}  // namespace quaver
