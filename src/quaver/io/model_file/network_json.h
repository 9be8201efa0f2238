// network_json.h - a memory network as JSON: everything but parameters, words and provenance. Not a public header.
#pragma once

#include <string>
#include <string_view>

#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/packed_tensors.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver {

std::string network_to_json(const MemoryNetwork& network, const PackedTensors& packed);

struct NetworkDescription {
  MemoryNetwork network{};  // without parameters, words and provenance
  PackedTensors packed{};   // of versions that say it
};
// What network_to_json, or its like of an older version, wrote into the file. Shape, scheme and scales have passed
// validate().
NetworkDescription network_from_json(std::string_view json, int version, const SafetensorsFile& file);

}  // namespace quaver
