#include "quaver/reproduce/qmann/plot.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "quaver/report/show/plot.h"
#include "quaver/reproduce/qmann/figures.h"

namespace quaver {
namespace {

std::string block(const std::string& name, const std::string& data) {
  return fmt::format("${} << END\n{}END\n", name, data);
}

std::string plot_head(const std::filesystem::path& file, int width, int height) {
  return fmt::format(
      "set terminal pngcairo size {},{}\n{}"
      "set linetype 1 lc rgb '#1b6ca8'\nset linetype 2 lc rgb '#c8553d'\nset linetype 3 lc rgb '#3a7d44'\n"
      "set linetype 4 lc rgb '#8b5fbf'\nset linetype 5 lc rgb '#d99a2b'\nset linetype 6 lc rgb '#4c4c4c'\n",
      width, height, gnuplot_output(file));
}

}  // namespace

std::string error_plot(const QmannReport& report, const std::filesystem::path& file) {
  std::string data;
  bool final_there = false, early_stopped_there = false;  // gnuplot warns of a column without figures
  for (const QmannRow& row : report.rows) {
    if (row.is_memn2n()) continue;
    const Figure last = figure_of(report, row, &QmannRun::final_test),
                 kept = figure_of(report, row, &QmannRun::kept_test);
    if (!last.there()) continue;
    const auto theirs = [&](std::optional<double> value) { return value ? fmt::format("{}", *value) : "-"; };
    data += fmt::format("{} {} {} {} {}\n", gnuplot_quoted(row.key), last.mean(), kept.mean(),
                        theirs(published_of(report, row).final), theirs(published_of(report, row).early_stopped));
    final_there |= published_of(report, row).final.has_value();
    early_stopped_there |= published_of(report, row).early_stopped.has_value();
  }
  if (data.empty()) return data;
  return plot_head(file, 1000, 520) + block("errors", data) +
         "set title \"Mean test error over the tasks\"\nset ylabel \"percent\"\nset yrange [0:*]\n"
         "set key outside below center\nset style data histogram\nset style histogram cluster gap 1\n"
         "set style fill solid 0.8\nset boxwidth 0.9\nset xtics rotate by 30 right\nset grid ytics\n"
         "set datafile missing \"-\"\n"
         "plot $errors using 2:xtic(1) lt 1 title \"final\", $errors using 3 lt 2 title \"early stopped\"" +
         (final_there ? ", $errors using 4 lt 1 fs pattern 4 title \"program, final\"" : "") +
         (early_stopped_there ? ", $errors using 5 lt 2 fs pattern 4 title \"program, early stopped\"" : "") + "\n";
}

std::string similarity_plot(const QmannReport& report, const std::filesystem::path& file) {
  std::string blocks, plots;
  std::size_t count = 0;
  for (const QmannRow& row : report.rows) {
    const std::vector<SimilarityHistogram> hops = added_similarities(report, row.key);
    if (row.ablation || hops.empty() || !hops.front().limit) continue;
    std::string data;
    for (std::size_t bin = 0; bin < hops.front().counts.size(); ++bin) {
      double found = 0, all = 0;
      for (const SimilarityHistogram& hop : hops) {
        found += static_cast<double>(hop.counts[bin]);
        all += static_cast<double>(hop.count);
      }
      const auto bins = static_cast<double>(hops.front().counts.size());
      data += fmt::format("{} {}\n", (2 * static_cast<double>(bin) + 1) / bins - 1, all > 0 ? 100 * found / all : 0);
    }
    blocks += block(fmt::format("row{}", count), data);
    plots += fmt::format("{}$row{} using 1:2 with histeps lw 2 title {}", count == 0 ? "" : ", ", count,
                         gnuplot_quoted(row.title));
    ++count;
  }
  if (count == 0) return "";
  return plot_head(file, 1000, 560) + blocks +
         "set title \"Where similarities lie, final weights, all hops\"\nset xlabel \"similarity / its limit\"\n"
         "set ylabel \"percent of all, in one of the bins\"\nset logscale y\nset yrange [0.01:100]\nset grid\n"
         "set key outside below left Left reverse\nset xrange [-1:1]\nplot " +
         plots + "\n";
}

}  // namespace quaver
