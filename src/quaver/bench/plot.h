// plot.h - a bench of sequences drawn by gnuplot: the roofline and, beside peers, the ratios. Internal.
#pragma once

#include <filesystem>

#include "quaver/bench/bench_report.h"

namespace quaver {

// Error (usage) unless the name ends in .svg or .png, (failed) when gnuplot is missing: said before the work, not
// after.
void require_plot(const std::filesystem::path& file);
void draw(const BenchReport& report, const SequenceBenchReport& of_kind, const std::filesystem::path& file);

}  // namespace quaver
