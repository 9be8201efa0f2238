// contents.h - what a file holds behind its envelope, for the doors that open one. Not public.
#pragma once

#include <filesystem>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/container/envelope.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/model/model.h"

namespace quaver {

// Both read what `envelope` says is of their kind. The result has passed validate().
Model model_of(const SafetensorsFile& file, Envelope envelope);
MemoryNetwork memory_network_of(const SafetensorsFile& file, Envelope envelope);

// read(file) with the path before every error, each of which is bad input: a wrong name in a file is no wrong command
// line.
template <typename Read>
auto read_at(const std::filesystem::path& path, const Read& read) {
  SafetensorsFile file = SafetensorsFile::open(path);
  try {
    return read(file);
  } catch (const Error& error) {
    throw Error(ErrorKind::kBadInput, concat(path.string(), ": ", error.what()));
  }
}

}  // namespace quaver
