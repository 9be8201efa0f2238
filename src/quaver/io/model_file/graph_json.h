// graph_json.h - the graph of a model as JSON: everything but the tensors and the provenance. Not a public header.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "quaver/model/model.h"

namespace quaver {

// `tensor_scales`: scales of tensors that have exactly one; longer lists are tensors of the file.
std::string graph_to_json(const Model& model, const std::map<std::string, float>& tensor_scales);

// Fills everything that graph_to_json wrote in the file's `version`; tensors and provenance stay as they are.
void graph_from_json(std::string_view json, int version, Model& model, std::map<std::string, float>& tensor_scales);

std::string provenance_to_json(const std::map<std::string, std::string>& provenance);
std::map<std::string, std::string> provenance_from_json(std::string_view json);

}  // namespace quaver
