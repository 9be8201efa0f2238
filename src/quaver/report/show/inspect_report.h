// inspect_report.h - what 'inspect' found: what a network is and costs, and where its file comes from.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>

#include "quaver/report/cost/inspect.h"
#include "quaver/report/cost/memory_inspect.h"

namespace quaver {

struct InspectReport {
  std::variant<Inspection, MemoryInspection> inspection;
  std::string file;
  std::map<std::string, std::string> provenance;
};

nlohmann::ordered_json to_json(const InspectReport& report);
std::string to_text(const InspectReport& report);

}  // namespace quaver
