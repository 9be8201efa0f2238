// plot.h - programs for gnuplot become pictures.
#pragma once

#include <filesystem>
#include <string>

namespace quaver {

bool have_gnuplot();
// Error (failed) when gnuplot cannot draw `file`, which the program names.
void draw_with_gnuplot(const std::string& program, const std::filesystem::path& file);
// A text inside a gnuplot program or its data.
std::string gnuplot_quoted(std::string text);
// "set output FILE".
std::string gnuplot_output(const std::filesystem::path& file);

}  // namespace quaver
