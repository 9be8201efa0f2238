// model_file.h - a Model on disk: a safetensors file that says what it is (docs/file_format.md, byte by byte).
//
// save() writes all or nothing; the same model gives the same bytes. load() gives a model that has passed validate(),
// or Error that names the file, what was found and what was expected. A checksum in the metadata covers
// everything: a flipped bit anywhere is an error, or sits where it changes nothing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "quaver/model/model.h"

namespace quaver {

void save(const Model& model, const std::filesystem::path& path);
std::string save_bytes(const Model& model);

Model load(const std::filesystem::path& path);
Model load_bytes(std::span<const std::byte> bytes);

}  // namespace quaver
