// bench_report.h - what 'bench' prints, saves and draws.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench_race.h"
#include "quaver/report/machine/roofline.h"

namespace quaver {

struct BenchResult {
  std::vector<BenchRow> rows;
  std::vector<BenchRatio> ratios, own_ratios;  // point into rows
  Roofline roofline;
};

nlohmann::ordered_json to_json(const BenchResult& result);
std::string to_text(const BenchResult& result);

// Error (usage) unless the name ends in .svg or .png, (failed) when gnuplot is missing: said before the work, not
// after.
void require_plot(const std::filesystem::path& file);
// A program for gnuplot: the roofline and, where there are any, the ratios.
std::string plot_program(const BenchResult& result, const std::filesystem::path& file);
void draw(const BenchResult& result, const std::filesystem::path& file);

}  // namespace quaver
