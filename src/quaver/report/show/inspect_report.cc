#include "quaver/report/show/inspect_report.h"

#include <nlohmann/json.hpp>

#include "quaver/core/printable.h"

namespace quaver {

nlohmann::ordered_json to_json(const InspectReport& report) {
  nlohmann::ordered_json json = std::visit([](const auto& of_kind) { return to_json(of_kind); }, report.inspection);
  json["file"] = report.file;
  json["provenance"] = report.provenance;
  return json;
}

std::string to_text(const InspectReport& report) {
  constexpr std::size_t kShownProvenance = 500;
  std::string text = std::visit([](const auto& of_kind) { return to_text(of_kind); }, report.inspection);
  for (const auto& [key, value] : report.provenance)
    text += printable(key) + ": " + printable(value, kShownProvenance) + '\n';
  return text;
}

}  // namespace quaver
