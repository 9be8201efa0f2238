#include "quaver/report/show/inspect_report.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"

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
  for (const auto& [key, value] : report.provenance) {
    std::vector<std::string_view> lines = split_at(value, '\n');  // lists stand as lines
    if (lines.back().empty()) lines.pop_back();
    text += printable(key) + ": " +
            printable(join(std::vector<std::string>(lines.begin(), lines.end()), ", "), kShownProvenance) + '\n';
  }
  return text;
}

}  // namespace quaver
