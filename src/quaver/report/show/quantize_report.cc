#include "quaver/report/show/quantize_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/model/formats/scheme.h"
#include "quaver/report/show/json_text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

nlohmann::ordered_json json_of(const QuantizeReport& report, const SequenceQuantizeReport& of_kind) {
  return {{"model", report.model},
          {"scheme", report.scheme},
          {"scheme_text", scheme_text(*find_scheme(report.scheme))},
          {"bytes", of_kind.after.bytes},
          {"float_bytes", of_kind.before.bytes},
          {"ratio", of_kind.ratio()},
          {"float_ops", of_kind.after.float_ops},
          {"float_nodes", of_kind.after.float_nodes},
          {"method", of_kind.method},
          {"rounding", of_kind.rounding},
          {"input", report.input},
          {"sequences", of_kind.sequences},
          {"steps", of_kind.steps},
          {"seconds", report.seconds},
          {"outputs", to_json(of_kind.fidelity.outputs)},
          {"measured_sequences", of_kind.fidelity.sequences},
          {"measured_steps", of_kind.fidelity.steps},
          {"warnings", to_json(report.warnings)}};
}

std::string text_of(const QuantizeReport& report, const SequenceQuantizeReport& of_kind) {
  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"file bytes"},
               {"weights bytes"},
               {"state bytes"},
               {"float ops/step"},
               {"nJ/step"}});
  for (const auto& [path, inspection] : {std::pair{of_kind.in, &of_kind.before}, {report.model, &of_kind.after}}) {
    table.add_row({path, inspection->scheme, count_text(inspection->bytes), count_text(inspection->weights_bytes),
                   count_text(inspection->state_bytes), count_text(inspection->float_ops),
                   fixed_text(inspection->energy_pj / 1000, 1)});
  }
  return table.text() + fmt::format(
                            "\ncalibrated on {} sequences, {} steps of {} ({}, {} rounding); file {:.3f}x in "
                            "{:.1f} s\n"
                            "{}: {}\n"
                            "outputs     {}\n",
                            of_kind.sequences, of_kind.steps, report.input, of_kind.method, of_kind.rounding,
                            of_kind.ratio(), report.seconds, report.scheme, scheme_text(*find_scheme(report.scheme)),
                            to_text(of_kind.fidelity));
}

// Errors are means, bytes sums.
MemoryQuantizeRow total(const std::vector<MemoryQuantizeRow>& networks) {
  MemoryQuantizeRow all{.model = "mean"};
  const auto count = static_cast<double>(networks.size());
  for (const MemoryQuantizeRow& row : networks) {
    all.error += row.error / count;
    all.float_error += row.float_error / count;
    all.bytes += row.bytes;
    all.float_bytes += row.float_bytes;
  }
  return all;
}

nlohmann::ordered_json json_of(const QuantizeReport& report, const MemoryQuantizeReport& of_kind) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), outputs = nlohmann::ordered_json::array();
  for (const MemoryQuantizeRow& row : of_kind.networks) {
    outputs.push_back(to_json(row.fidelity.outputs)[0]);
    rows.push_back(
        {{"model", row.model}, {"validation", row.error}, {"float_validation", row.float_error}, {"bytes", row.bytes}});
  }
  const MemoryQuantizeRow all = total(of_kind.networks);
  return {{"model", report.model},
          {"scheme", report.scheme},
          {"validation", all.error},
          {"float_validation", all.float_error},
          {"bytes", all.bytes},
          {"float_bytes", all.float_bytes},
          {"integer_only", of_kind.integer_only},
          {"method", of_kind.method},
          {"input", report.input},
          {"seconds", report.seconds},
          {"outputs", outputs},
          {"warnings", to_json(report.warnings)},
          {"results", rows}};
}

std::string text_of(const QuantizeReport& report, const MemoryQuantizeReport& of_kind) {
  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"validation error %"},
               {"float"},
               {"file bytes"},
               {"float"}});
  std::string answers;
  const auto add_row = [&table](const MemoryQuantizeRow& row, const std::string& scheme) {
    table.add_row({row.model, scheme, fixed_text(row.error, 2), fixed_text(row.float_error, 2), count_text(row.bytes),
                   count_text(row.float_bytes)});
  };
  for (const MemoryQuantizeRow& row : of_kind.networks) {
    add_row(row, report.scheme);
    answers += fmt::format("answers     {}: {}\n", row.model, to_text(row.fidelity));
  }
  if (of_kind.several) add_row(total(of_kind.networks), "");
  return table.text() + '\n' + answers;
}

}  // namespace

double SequenceQuantizeReport::ratio() const {
  return static_cast<double>(after.bytes) / static_cast<double>(before.bytes);
}

nlohmann::ordered_json to_json(const QuantizeReport& report) {
  return std::visit([&](const auto& of_kind) { return json_of(report, of_kind); }, report.of_kind);
}

std::string to_text(const QuantizeReport& report) {
  return std::visit([&](const auto& of_kind) { return text_of(report, of_kind); }, report.of_kind);
}

std::string calibration_text(const Calibration& calibration, const std::string& input) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const auto& [name, statistics] : calibration.points) {
    points.push_back({{"name", name},
                      {"min", statistics.min},
                      {"max", statistics.max},
                      {"threshold", choose_max_abs(statistics, calibration.method, calibration.percentile)},
                      {"count", statistics.count},
                      {"step_max_abs", statistics.step_max_abs}});
  }
  const nlohmann::ordered_json json{{"input", input},
                                    {"sequences", calibration.sequences},
                                    {"steps", calibration.steps},
                                    {"method", method_name(calibration.method)},
                                    {"percentile", calibration.percentile},
                                    {"points", std::move(points)}};
  return json_text(json, 1) + '\n';
}

}  // namespace quaver
