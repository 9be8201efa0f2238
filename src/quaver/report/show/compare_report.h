// compare_report.h - what 'compare' found: where two forms of a network part, and what the second costs.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>

#include "quaver/report/error/compare.h"
#include "quaver/report/error/memory_compare.h"

namespace quaver {

struct SequenceCompareReport {
  Comparison comparison;
  std::string path;  // of the kernels
  // Arithmetic of a step; the gain is that over the second model counted in f32.
  double energy_pj = 0, reference_energy_pj = 0, energy_gain_vs_f32 = 1;
  std::string energy_source;
};

struct MemoryCompareReport {
  MemoryComparison comparison;
  std::array<std::string, 2> schemes;
};

struct CompareReport {
  std::variant<SequenceCompareReport, MemoryCompareReport> of_kind;
  std::string input;
  std::array<std::string, 2> models;
};

nlohmann::ordered_json to_json(const CompareReport& report);
std::string to_text(const CompareReport& report);

}  // namespace quaver
