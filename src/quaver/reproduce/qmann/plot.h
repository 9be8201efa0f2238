// plot.h - the report drawn by gnuplot. Internal.
#pragma once

#include <filesystem>
#include <string>

#include "quaver/reproduce/qmann/report.h"

namespace quaver {

// Programs for gnuplot; empty where there is nothing to draw.
std::string error_plot(const QmannReport& report, const std::filesystem::path& file);
std::string similarity_plot(const QmannReport& report, const std::filesystem::path& file);

}  // namespace quaver
