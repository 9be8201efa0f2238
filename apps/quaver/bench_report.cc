#include "bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "plot.h"
#include "quaver/core/error.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

std::string cell_text(const BenchShape& shape) {
  return shape.reset.empty() ? shape.cell : shape.cell + ", reset " + shape.reset;
}
std::string percent_text(std::optional<double> share) { return share ? fixed_text(100 * *share, 0) : "-"; }

// Of a scheme what stands before a comma, which is enough to tell the forms of one engine apart.
std::string peer_text(const BenchRow& row) { return row.peer + " " + row.scheme.substr(0, row.scheme.find(',')); }

std::optional<double> read_share(const BenchRow& row) {
  if (!row.read) return std::nullopt;
  return ratio_of(*row.read, row.timing).median;
}

std::vector<std::string> shape_cells(const BenchShape& shape) {
  return {cell_text(shape),
          std::to_string(shape.hidden),
          std::to_string(shape.input),
          std::to_string(shape.batch),
          std::to_string(shape.streams),
          std::to_string(shape.steps)};
}
const std::vector<Column> kShapeColumns{
    {"cell", Align::kLeft}, {"hidden"}, {"input"}, {"batch"}, {"streams"}, {"steps"}};

std::string rows_text(const BenchResult& result) {
  std::vector<Column> columns{{"engine", Align::kLeft}};
  columns.insert(columns.end(), kShapeColumns.begin(), kShapeColumns.end());
  for (const Column& column : std::initializer_list<Column>{{"scheme", Align::kLeft},
                                                            {"frames", Align::kLeft},
                                                            {"threads"},
                                                            {"us/step"},
                                                            {"+-"},
                                                            {"GMAC/s"},
                                                            {"bytes/step"},
                                                            {"in", Align::kLeft},
                                                            {"roof %"},
                                                            {"read %"},
                                                            {"path", Align::kLeft}})
    columns.push_back(column);
  Table table(columns);
  for (const BenchRow& row : result.rows) {
    std::vector<std::string> cells{row.peer.empty() ? "quaver" : row.peer};
    std::ranges::move(shape_cells(row.shape), std::back_inserter(cells));
    for (const std::string& cell :
         {row.scheme, frames_name(row.frames), std::to_string(row.threads), fixed_text(row.us_per_step(), 3),
          fixed_text(row.us(row.timing.spread), 3), fixed_text(row.gmacs_per_s(), 2),
          std::to_string(row.bytes_per_step), level_of(result.roofline, row.bytes_per_step).name,
          percent_text(row.roofline_share(result.roofline)), percent_text(read_share(row)), row.path})
      cells.push_back(cell);
    table.add_row(std::move(cells));
  }
  return table.text();
}

// Names of the peers in the order in which they first appear.
std::vector<std::string> peers_of(const std::vector<BenchRatio>& ratios) {
  std::vector<std::string> names;
  for (const BenchRatio& ratio : ratios) {
    const std::string name = peer_text(*ratio.other);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

// Calls use(first, last) for the ratios of each of our rows.
template <typename Use>
void for_each_shape(const std::vector<BenchRatio>& ratios, const Use& use) {
  for (auto first = ratios.begin(); first != ratios.end();) {
    const auto last = std::find_if(first, ratios.end(), [&](const BenchRatio& r) { return r.ours != first->ours; });
    use(first, last);
    first = last;
  }
}

std::string spread_text(const Ratio& ratio) {
  return fmt::format("{:.2f} ({:.2f}..{:.2f})", ratio.median, ratio.first_quartile, ratio.third_quartile);
}

std::string ratios_text(const BenchResult& result) {
  const std::vector<std::string> peers = peers_of(result.ratios);
  std::vector<Column> columns = kShapeColumns;
  columns.push_back({"frames", Align::kLeft});
  columns.push_back({"threads"});
  columns.push_back({"us/step"});
  for (const std::string& peer : peers) columns.push_back({peer});
  columns.push_back({"best"});
  Table table(columns);
  for_each_shape(result.ratios, [&](auto first, auto last) {
    const BenchRow& ours = *first->ours;
    std::vector<std::string> cells = shape_cells(ours.shape);
    cells.push_back(frames_name(ours.frames));
    cells.push_back(std::to_string(ours.threads));
    cells.push_back(fixed_text(ours.us_per_step(), 3));
    for (const std::string& peer : peers) {
      const auto found = std::find_if(first, last, [&](const BenchRatio& r) { return peer_text(*r.other) == peer; });
      cells.push_back(found == last ? "-" : fixed_text(found->ratio.median, 1));
    }
    const auto best = std::find_if(first, last, [](const BenchRatio& r) { return r.best; });
    cells.push_back(spread_text(best->ratio));
    table.add_row(std::move(cells));
  });
  return table.text();
}

std::string own_ratios_text(const BenchResult& result) {
  std::vector<Column> columns = kShapeColumns;
  for (const Column& column : std::initializer_list<Column>{{"scheme", Align::kLeft},
                                                            {"frames", Align::kLeft},
                                                            {"path", Align::kLeft},
                                                            {"threads"},
                                                            {"us/step"},
                                                            {"gain"}})
    columns.push_back(column);
  Table table(columns);
  for (const BenchRatio& ratio : result.own_ratios) {
    const BenchRow& row = *ratio.ours;
    std::vector<std::string> cells = shape_cells(row.shape);
    for (const std::string& cell : {row.scheme, frames_name(row.frames), row.path, std::to_string(row.threads),
                                    fixed_text(row.us_per_step(), 3), spread_text(ratio.ratio)})
      cells.push_back(cell);
    table.add_row(std::move(cells));
  }
  return table.text();
}

nlohmann::ordered_json ratio_json(const Ratio& ratio) {
  return {{"ratio", ratio.median}, {"first_quartile", ratio.first_quartile}, {"third_quartile", ratio.third_quartile}};
}

nlohmann::ordered_json shape_json(const BenchShape& shape) {
  nlohmann::ordered_json json = {{"cell", shape.cell},   {"reset", nullptr},     {"hidden", shape.hidden},
                                 {"input", shape.input}, {"batch", shape.batch}, {"streams", shape.streams},
                                 {"steps", shape.steps}};
  if (!shape.reset.empty()) json["reset"] = shape.reset;
  return json;
}
nlohmann::ordered_json optional_json(std::optional<double> value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

// ---- the plot ------------------------------------------------------------------------------------------------------

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
std::vector<Series> point_series(const BenchResult& result) {
  std::vector<Series> all;
  for (const BenchRow& row : result.rows) {
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

std::string roofline_panel(const BenchResult& result) {
  double least = std::numeric_limits<double>::max(), most = 0;
  for (const BenchRow& row : result.rows) {
    if (!row.peer.empty()) continue;
    least = std::min(least, static_cast<double>(row.bytes_per_step));
    most = std::max(most, static_cast<double>(row.bytes_per_step));
  }
  least /= 2, most *= 2;
  const std::vector<Series> series = point_series(result);
  std::string text = block("roof", roof_data(result.roofline, least, most));
  for (std::size_t i = 0; i < series.size(); ++i) text += block(fmt::format("points{}", i), series[i].data);
  text += "set logscale xy\nset format x \"%.0s %cB\"\nset key outside below left Left reverse\nset yrange [*:*]\n";
  text += "set title " + gnuplot_quoted("One thread of " + cpu_name()) + "\n";
  text += "set xlabel \"bytes of weights\"\nset ylabel \"int8 multiplications, billions a second\"\n";
  text += fmt::format("set xrange [{}:{}]\n", least, most);
  text += "plot $roof using 1:2 with lines lw 3 lc rgb \"gray\" title \"read bandwidth, GB/s: the roof of one step\"";
  text += fmt::format(", {} with lines lw 3 dt 2 lc rgb \"gray\" title \"peak int8 rate: the roof of everything\"",
                      result.roofline.macs_per_second * 1e-9);
  for (std::size_t i = 0; i < series.size(); ++i)
    text += fmt::format(", $points{} using 1:2 with linespoints lt {} pt {} title {}", i, i + 1, i + 4,
                        gnuplot_quoted(series[i].title));
  return text + "\n";
}

std::string ratio_panel(const BenchResult& result) {
  const std::vector<std::string> peers = peers_of(result.ratios);
  std::string data;
  for_each_shape(result.ratios, [&](auto first, auto last) {
    const BenchShape& shape = first->ours->shape;
    std::string name = shape.cell + (shape.reset.empty() ? "" : " " + shape.reset) + fmt::format(" {}", shape.hidden);
    if (shape.batch * shape.streams > 1) name += fmt::format(" x {}", shape.batch * shape.streams);
    if (shape.steps > 1) name += fmt::format(", {} steps", shape.steps);
    if (first->ours->frames == Frames::kCodes) name += ", codes";
    data += gnuplot_quoted(name);
    for (const std::string& peer : peers) {
      const auto found = std::find_if(first, last, [&](const BenchRatio& r) { return peer_text(*r.other) == peer; });
      data += found == last ? " -" : fmt::format(" {}", found->ratio.median);
    }
    data += '\n';
  });
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

}  // namespace

nlohmann::ordered_json to_json(const BenchResult& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), ratios = rows, own = rows;
  for (const BenchRow& row : result.rows) {
    nlohmann::ordered_json json = shape_json(row.shape);
    json.update({{"scheme", row.scheme},
                 {"frames", frames_name(row.frames)},
                 {"cpu", cpu_name()},
                 {"path", row.path},
                 {"threads", row.threads},
                 {"us_per_step", row.us_per_step()},
                 {"spread_us", row.us(row.timing.spread)},
                 {"first_quartile_us", row.us(row.timing.first_quartile)},
                 {"third_quartile_us", row.us(row.timing.third_quartile)},
                 {"least_us", row.us(row.timing.least)},
                 {"repetitions", row.timing.repetitions},
                 {"gmacs_per_s", row.gmacs_per_s()},
                 {"bytes_per_step", row.bytes_per_step},
                 {"level", level_of(result.roofline, row.bytes_per_step).name},
                 {"roofline_share", optional_json(row.roofline_share(result.roofline))},
                 {"read_share", optional_json(read_share(row))},
                 {"macs", row.macs},
                 {"peer", nullptr},
                 {"version", row.version}});
    if (!row.peer.empty()) json["peer"] = row.peer;
    rows.push_back(std::move(json));
  }
  for (const BenchRatio& ratio : result.ratios) {
    nlohmann::ordered_json json = shape_json(ratio.ours->shape);
    json.update({{"scheme", ratio.ours->scheme},
                 {"frames", frames_name(ratio.ours->frames)},
                 {"path", ratio.ours->path},
                 {"threads", ratio.ours->threads},
                 {"us_per_step", ratio.ours->us_per_step()},
                 {"peer", ratio.other->peer},
                 {"peer_scheme", ratio.other->scheme},
                 {"best", ratio.best}});
    json.update(ratio_json(ratio.ratio));
    ratios.push_back(std::move(json));
  }
  for (const BenchRatio& ratio : result.own_ratios) {
    nlohmann::ordered_json json = shape_json(ratio.ours->shape);
    json.update({{"scheme", ratio.ours->scheme},
                 {"frames", frames_name(ratio.ours->frames)},
                 {"path", ratio.ours->path},
                 {"threads", ratio.ours->threads}});
    json.update(ratio_json(ratio.ratio));
    own.push_back(std::move(json));
  }
  return {{"cpu", cpu_name()},
          {"roofline", to_json(result.roofline)},
          {"results", rows},
          {"ratios", ratios},
          {"own_ratios", own}};
}

std::string to_text(const BenchResult& result) {
  std::string text = rows_text(result);
  text += fmt::format(
      "\n{}\n{}+-: half the distance of the quartiles. roof %: share of what these rates allow; read %: of a plain "
      "read of the same bytes in the same turns.\n",
      cpu_name(), to_text(result.roofline));
  if (!result.ratios.empty())
    text +=
        "\nHow many times longer the peers take than our row that is handed the same, real frames or codes; best: the "
        "fastest of them, with the quartiles of that ratio.\n\n" +
        ratios_text(result);
  if (!result.own_ratios.empty())
    text += "\nHow many times faster than the first scheme and frames on the chosen path with one thread.\n\n" +
            own_ratios_text(result);
  return text;
}

void require_plot(const std::filesystem::path& file) {
  if (const auto extension = file.extension(); extension != ".svg" && extension != ".png")
    throw_usage("--plot '" + file.string() + "' ends in neither .svg nor .png");
  if (!have_gnuplot()) throw_failed("--plot needs gnuplot, which is not installed (Debian: gnuplot-nox)");
}

std::string plot_program(const BenchResult& result, const std::filesystem::path& file) {
  const bool vectors = file.extension() == ".svg";
  const int panels = result.ratios.empty() ? 1 : 2;
  std::string text = fmt::format("set terminal {} size {},{}\n", vectors ? "svg background rgb \"white\"" : "pngcairo",
                                 kPanelWidth, panels * kPanelHeight);
  text +=
      "set linetype 1 lc rgb '#1b6ca8'\nset linetype 2 lc rgb '#c8553d'\nset linetype 3 lc rgb '#3a7d44'\n"
      "set linetype 4 lc rgb '#8b5fbf'\nset linetype 5 lc rgb '#d99a2b'\nset linetype 6 lc rgb '#4c4c4c'\n"
      "set linetype 7 lc rgb '#2aa1a1'\nset linetype cycle 7\n";
  text += gnuplot_output(file) + fmt::format("set multiplot layout {},1\n", panels);
  text += roofline_panel(result);
  if (panels > 1) text += ratio_panel(result);
  return text + "unset multiplot\n";
}

void draw(const BenchResult& result, const std::filesystem::path& file) {
  draw_with_gnuplot(plot_program(result, file), file);
}

}  // namespace quaver
