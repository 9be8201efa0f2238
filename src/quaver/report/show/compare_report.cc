#include "quaver/report/show/compare_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace quaver {
namespace {

nlohmann::ordered_json rest_of(const SequenceCompareReport& report) {
  return {{"path", report.path},
          {"energy",
           {{"energy_pj", report.energy_pj},
            {"reference_energy_pj", report.reference_energy_pj},
            {"energy_gain_vs_f32", report.energy_gain_vs_f32}}}};
}

nlohmann::ordered_json rest_of(const MemoryCompareReport& report) { return {{"schemes", report.schemes}}; }

std::string text_of(const SequenceCompareReport& report) {
  return to_text(report.comparison) + fmt::format(
                                          "energy      {:.1f} nJ/step in arithmetic, {:.1f}x less than the same "
                                          "model in f32 ({}); docs/energy.md\n",
                                          report.energy_pj / 1000, report.energy_gain_vs_f32, report.energy_source);
}

std::string text_of(const MemoryCompareReport& report) { return to_text(report.comparison); }

}  // namespace

nlohmann::ordered_json to_json(const CompareReport& report) {
  return std::visit(
      [&](const auto& of_kind) {
        nlohmann::ordered_json json = to_json(of_kind.comparison);
        json["input"] = report.input;
        json["models"] = report.models;
        json.update(rest_of(of_kind));
        return json;
      },
      report.of_kind);
}

std::string to_text(const CompareReport& report) {
  return std::visit([](const auto& of_kind) { return text_of(of_kind); }, report.of_kind);
}

}  // namespace quaver
