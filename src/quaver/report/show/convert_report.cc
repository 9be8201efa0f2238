#include "quaver/report/show/convert_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/report/show/table.h"

namespace quaver {

nlohmann::ordered_json to_json(const ConvertReport& report) {
  nlohmann::ordered_json json{{"input", report.input}, {"model", report.model}, {"bytes", report.bytes}};
  if (!report.imported) {
    json["input_bytes"] = report.input_bytes;
    return json;
  }
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array(), modules = nlohmann::ordered_json::array();
  for (const ConvertedNode& node : report.imported->nodes)
    nodes.push_back({{"name", node.name}, {"kind", node.kind}, {"features", node.features}});
  for (const TorchPlacement& module : report.imported->modules)
    modules.push_back({{"name", module.name}, {"role", torch_role_name(module.role)}});
  json["nodes"] = std::move(nodes);
  json["modules"] = std::move(modules);
  json["warnings"] = report.imported->warnings;
  return json;
}

std::string to_text(const ConvertReport& report) {
  const std::string wrote = fmt::format("wrote {}, {}", report.model, bytes_text(report.bytes));
  if (!report.imported)
    return fmt::format("{}, in the newest version; {} before\n", wrote, bytes_text(report.input_bytes));
  Table nodes({{"node", Align::kLeft}, {"kind", Align::kLeft}, {"features out"}});
  for (const ConvertedNode& node : report.imported->nodes)
    nodes.add_row({node.name, node.kind, std::to_string(node.features)});
  Table modules({{"module", Align::kLeft}, {"taken as", Align::kLeft}});
  for (const TorchPlacement& module : report.imported->modules)
    modules.add_row({module.name.empty() ? "(no prefix)" : module.name, std::string(torch_role_name(module.role))});
  return fmt::format("{}\n{}\n{}\n", nodes.text(), modules.text(), wrote);
}

}  // namespace quaver
