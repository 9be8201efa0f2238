// json_text.h - JSON as reports and files have it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace quaver {

// Names of files and models may hold bytes that are no UTF-8: written replaced, never an error.
std::string json_text(const nlohmann::ordered_json& json, int indent);

}  // namespace quaver
