#include "quaver/bench/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "quaver/bench/sequence_report.h"
#include "quaver/core/error.h"
#include "quaver/report/show/plot.h"

namespace quaver {
namespace {

constexpr int kPanelWidth = 900, kPanelHeight = 620;

// Where each level ends: at its last byte the roof steps down.
std::string roof_data(const Roofline& roofline, double from, double to) {
  std::string data;
  double at = from;
  for (const MemoryLevel& level : roofline.levels) {
    const double end = level.name == "memory" ? to : std::min(to, static_cast<double>(level.bytes));
    if (end <= at) continue;
    for (const double bytes : {at, end}) data += fmt::format("{} {}\n", bytes, level.bytes_per_second * 1e-9);
    at = end;
  }
  return data;
}

struct Series {
  std::string title, data;
};

// Ours: bytes of the weights and GMAC/s, one series a cell, streams apart from what has more steps or sequences.
std::vector<Series> point_series(const SequenceBenchReport& of_kind) {
  std::vector<Series> all;
  for (const BenchRow& row : of_kind.rows) {
    if (!row.peer.empty() || row.threads > 1) continue;
    const bool stream = row.shape.steps * row.shape.batch * row.shape.streams == 1;
    const std::string title = fmt::format("{} {} {}, {} frames, {}", cell_text(row.shape), row.scheme, row.path,
                                          frames_name(row.frames), stream ? "one step a call" : "more");
    auto found = std::ranges::find(all, title, &Series::title);
    if (found == all.end()) found = all.insert(all.end(), {title, ""});
    found->data += fmt::format("{} {}\n", row.bytes_per_step, row.gmacs_per_s());
  }
  return all;
}

std::string block(const std::string& name, const std::string& data) {
  return fmt::format("${} << END\n{}END\n", name, data);
}

std::string roofline_panel(const BenchReport& report, const SequenceBenchReport& of_kind) {
  double least = std::numeric_limits<double>::max(), most = 0;
  for (const BenchRow& row : of_kind.rows) {
    if (!row.peer.empty()) continue;
    least = std::min(least, static_cast<double>(row.bytes_per_step));
    most = std::max(most, static_cast<double>(row.bytes_per_step));
  }
  least /= 2, most *= 2;
  const std::vector<Series> series = point_series(of_kind);
  std::string text = block("roof", roof_data(report.roofline, least, most));
  for (std::size_t i = 0; i < series.size(); ++i) text += block(fmt::format("points{}", i), series[i].data);
  text += "set logscale xy\nset format x \"%.0s %cB\"\nset key outside below left Left reverse\nset yrange [*:*]\n";
  text += "set title " + gnuplot_quoted("One thread of " + report.cpu) + "\n";
  text += "set xlabel \"bytes of weights\"\nset ylabel \"int8 multiplications, billions a second\"\n";
  text += fmt::format("set xrange [{}:{}]\n", least, most);
  text += "plot $roof using 1:2 with lines lw 3 lc rgb \"gray\" title \"read bandwidth, GB/s: the roof of one step\"";
  text += fmt::format(", {} with lines lw 3 dt 2 lc rgb \"gray\" title \"peak int8 rate: the roof of everything\"",
                      report.roofline.macs_per_second * 1e-9);
  for (std::size_t i = 0; i < series.size(); ++i)
    text += fmt::format(", $points{} using 1:2 with linespoints lt {} pt {} title {}", i, i + 1, i + 4,
                        gnuplot_quoted(series[i].title));
  return text + "\n";
}

std::string ratio_panel(const SequenceBenchReport& report) {
  const std::vector<std::string> peers = peers_of(report);
  std::string data;
  for (const std::span<const BenchRatio> ratios : ratios_by_row(report)) {
    const BenchRow& ours = report.rows[ratios.front().ours];
    const BenchShape& shape = ours.shape;
    std::string name = shape.cell + (shape.reset.empty() ? "" : " " + shape.reset) + fmt::format(" {}", shape.hidden);
    if (shape.batch * shape.streams > 1) name += fmt::format(" x {}", shape.batch * shape.streams);
    if (shape.steps > 1) name += fmt::format(", {} steps", shape.steps);
    if (ours.frames == Frames::kCodes) name += ", codes";
    data += gnuplot_quoted(name);
    for (const std::string& peer : peers) {
      const auto found = std::ranges::find_if(
          ratios, [&](const BenchRatio& ratio) { return peer_text(report.rows[ratio.other]) == peer; });
      data += found == ratios.end() ? " -" : fmt::format(" {}", found->ratio.median);
    }
    data += '\n';
  }
  std::string text = block("ratios", data);
  text += "set title \"How many times longer other engines take\"\nset logscale y\nunset logscale x\n";
  text +=
      "set key outside below center\nset xrange [*:*]\nset yrange [0.5:*]\nset xlabel \"\"\nset ylabel \"time of the "
      "peer / ours\"\n";
  text += "set format x\nset style data histogram\nset style histogram cluster gap 1\nset style fill solid 0.8\n";
  text += "set boxwidth 0.9\nset xtics rotate by 60 right font \",8\"\nset grid ytics\nset datafile missing \"-\"\n";
  text += "plot 1 with lines lc rgb \"black\" title \"ours\"";
  for (std::size_t i = 0; i < peers.size(); ++i)
    text += fmt::format(", $ratios using {}{} title {}", i + 2, i == 0 ? ":xtic(1)" : "", gnuplot_quoted(peers[i]));
  return text + "\n";
}

std::string plot_program(const BenchReport& report, const SequenceBenchReport& of_kind,
                         const std::filesystem::path& file) {
  const bool vectors = file.extension() == ".svg";
  const int panels = of_kind.ratios.empty() ? 1 : 2;
  std::string text = fmt::format("set terminal {} size {},{}\n", vectors ? "svg background rgb \"white\"" : "pngcairo",
                                 kPanelWidth, panels * kPanelHeight);
  text +=
      "set linetype 1 lc rgb '#1b6ca8'\nset linetype 2 lc rgb '#c8553d'\nset linetype 3 lc rgb '#3a7d44'\n"
      "set linetype 4 lc rgb '#8b5fbf'\nset linetype 5 lc rgb '#d99a2b'\nset linetype 6 lc rgb '#4c4c4c'\n"
      "set linetype 7 lc rgb '#2aa1a1'\nset linetype cycle 7\n";
  text += gnuplot_output(file) + fmt::format("set multiplot layout {},1\n", panels);
  text += roofline_panel(report, of_kind);
  if (panels > 1) text += ratio_panel(of_kind);
  return text + "unset multiplot\n";
}

}  // namespace

void require_plot(const std::filesystem::path& file) {
  if (const auto extension = file.extension(); extension != ".svg" && extension != ".png")
    throw_usage("--plot '" + file.string() + "' ends in neither .svg nor .png");
  if (!have_gnuplot()) throw_failed("--plot needs gnuplot, which is not installed (Debian: gnuplot-nox)");
}

void draw(const BenchReport& report, const SequenceBenchReport& of_kind, const std::filesystem::path& file) {
  draw_with_gnuplot(plot_program(report, of_kind, file), file);
}

}  // namespace quaver
