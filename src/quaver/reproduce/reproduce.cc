#include "quaver/reproduce/reproduce.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "quaver/core/text.h"
#include "quaver/reproduce/qmann/qmann.h"

namespace quaver {

ReproduceReport reproduce(const ReproduceRequest& request, Listener& listener) {
  const auto start = std::chrono::steady_clock::now();
  require_known("paper", request.paper, {"qmann"});
  ReproduceReport report{.qmann = reproduce_qmann(request, listener)};
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

nlohmann::ordered_json to_json(const ReproduceReport& report) {
  nlohmann::ordered_json json = to_json(report.qmann);
  json["seconds"] = report.seconds;
  return json;
}

std::string to_text(const ReproduceReport& report) { return to_text(report.qmann); }

}  // namespace quaver
