// graph_json.h - the graph of a model as JSON: everything but tensors, words and provenance. Not a public header.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/packed_tensors.h"
#include "quaver/model/model.h"

namespace quaver {

// `tensor_scales`: scales of tensors that have exactly one; longer lists are tensors of the file.
std::string graph_to_json(const Model& model, const std::map<std::string, float>& tensor_scales,
                          const PackedTensors& packed);

struct Graph {
  Model model{};  // without tensors, words and provenance
  std::map<std::string, float> tensor_scales{};
  PackedTensors packed{};  // of versions that say it
};
// What graph_to_json, or its like of an older version, wrote into the file.
Graph graph_from_json(std::string_view json, int version, const SafetensorsFile& file);

}  // namespace quaver
