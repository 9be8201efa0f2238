#include "quaver/bench/bench_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/bench/memory_report.h"
#include "quaver/bench/sequence_report.h"
#include "quaver/core/text.h"

namespace quaver {

std::string frames_name(Frames frames) { return frames == Frames::kReal ? "real" : "codes"; }

Frames frames_from_name(const std::string& name) {
  require_known("frames", name, {"real", "codes"});
  return name == "real" ? Frames::kReal : Frames::kCodes;
}

std::optional<double> BenchRow::roofline_share(const Roofline& roofline) const {
  if (!peer.empty() || threads > 1) return std::nullopt;
  if (shape.steps > 1 && !input_share) return std::nullopt;
  const CallCost cost =
      call_cost(bytes_per_step, macs, shape.steps, shape.batch * shape.streams, input_share.value_or(0));
  return roof_seconds(roofline, cost) / timing.median;
}

nlohmann::ordered_json to_json(const BenchReport& report) {
  nlohmann::ordered_json json =
      std::visit([&](const auto& of_kind) { return json_of(report, of_kind); }, report.of_kind);
  json["peer_isa_limits"] = nlohmann::ordered_json::object();
  for (const auto& [peer, isa] : report.isa_limits) json["peer_isa_limits"][peer] = isa;
  return json;
}

std::string to_text(const BenchReport& report) {
  std::string text = std::visit([&](const auto& of_kind) { return text_of(report, of_kind); }, report.of_kind);
  if (report.isa_limits.empty()) return text;
  std::vector<std::string> limits;
  for (const auto& [peer, isa] : report.isa_limits) limits.push_back(concat(peer, " to ", isa));
  return text + "\nHeld to fewer instruction sets than the CPU has: " + join(limits, ", ") + ".\n";
}

std::string to_markdown(const BenchReport& report) {
  return fmt::format("# quaver bench\n\n    {}\n\n```\n{}```\n", report.command, to_text(report));
}

}  // namespace quaver
