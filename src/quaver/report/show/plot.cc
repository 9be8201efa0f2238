#include "quaver/report/show/plot.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "quaver/core/error.h"

namespace quaver {

bool have_gnuplot() { return std::system("command -v gnuplot >/dev/null 2>&1") == 0; }

void draw_with_gnuplot(const std::string& program, const std::filesystem::path& file) {
  std::FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) throw_failed("gnuplot does not start");
  const bool sent = std::fwrite(program.data(), 1, program.size(), gnuplot) == program.size();
  const int status = pclose(gnuplot);
  if (!sent || status != 0) throw_failed("gnuplot could not draw '" + file.string() + "'; can that be written?");
}

std::string gnuplot_quoted(std::string text) {
  std::ranges::replace(text, '"', '\'');
  return '"' + text + '"';
}

std::string gnuplot_output(const std::filesystem::path& file) {
  std::string name;
  for (const char letter : file.string()) name += letter == '\'' ? "''" : std::string(1, letter);
  return "set output '" + name + "'\n";
}

}  // namespace quaver
