// plot.h - programs for gnuplot become pictures.
#pragma once

#include <filesystem>
#include <string>

namespace quaver {

bool have_gnuplot();
// Error (failed) when gnuplot cannot draw `file`, which the program names.
void draw_with_gnuplot(const std::string& program, const std::filesystem::path& file);
// A name or text inside a gnuplot program.
std::string gnuplot_quoted(std::string text);

}  // namespace quaver
