#include "quaver/bench/sequence_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "quaver/report/show/table.h"

namespace quaver {
namespace {

std::string percent_text(std::optional<double> share) { return share ? fixed_text(100 * *share, 0) : "-"; }

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

std::string rows_text(const BenchReport& report, const SequenceBenchReport& of_kind) {
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
  for (const BenchRow& row : of_kind.rows) {
    std::vector<std::string> cells{row.peer.empty() ? "quaver" : row.peer};
    std::ranges::move(shape_cells(row.shape), std::back_inserter(cells));
    for (const std::string& cell :
         {row.scheme, frames_name(row.frames), std::to_string(row.threads), fixed_text(row.us_per_step(), 3),
          fixed_text(row.us(row.timing.spread), 3), fixed_text(row.gmacs_per_s(), 2),
          std::to_string(row.bytes_per_step), level_of(report.roofline, row.bytes_per_step).name,
          percent_text(row.roofline_share(report.roofline)), percent_text(read_share(row)), row.path})
      cells.push_back(cell);
    table.add_row(std::move(cells));
  }
  return table.text();
}

std::string spread_text(const Ratio& ratio) {
  return fmt::format("{:.2f} ({:.2f}..{:.2f})", ratio.median, ratio.first_quartile, ratio.third_quartile);
}

std::string ratios_text(const SequenceBenchReport& report) {
  const std::vector<std::string> peers = peers_of(report);
  std::vector<Column> columns = kShapeColumns;
  columns.push_back({"frames", Align::kLeft});
  columns.push_back({"threads"});
  columns.push_back({"us/step"});
  for (const std::string& peer : peers) columns.push_back({peer});
  columns.push_back({"best"});
  Table table(columns);
  for (const std::span<const BenchRatio> ratios : ratios_by_row(report)) {
    const BenchRow& ours = report.rows[ratios.front().ours];
    std::vector<std::string> cells = shape_cells(ours.shape);
    cells.push_back(frames_name(ours.frames));
    cells.push_back(std::to_string(ours.threads));
    cells.push_back(fixed_text(ours.us_per_step(), 3));
    for (const std::string& peer : peers) {
      const auto found = std::ranges::find_if(
          ratios, [&](const BenchRatio& ratio) { return peer_text(report.rows[ratio.other]) == peer; });
      cells.push_back(found == ratios.end() ? "-" : fixed_text(found->ratio.median, 1));
    }
    cells.push_back(spread_text(std::ranges::find(ratios, true, &BenchRatio::best)->ratio));
    table.add_row(std::move(cells));
  }
  return table.text();
}

std::string own_ratios_text(const SequenceBenchReport& report) {
  std::vector<Column> columns = kShapeColumns;
  for (const Column& column : std::initializer_list<Column>{{"scheme", Align::kLeft},
                                                            {"frames", Align::kLeft},
                                                            {"path", Align::kLeft},
                                                            {"threads"},
                                                            {"us/step"},
                                                            {"gain"}})
    columns.push_back(column);
  Table table(columns);
  for (const BenchRatio& ratio : report.own_ratios) {
    const BenchRow& row = report.rows[ratio.ours];
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

}  // namespace

std::string cell_text(const BenchShape& shape) {
  return shape.reset.empty() ? shape.cell : shape.cell + ", reset " + shape.reset;
}

std::string peer_text(const BenchRow& row) { return row.peer + " " + row.scheme.substr(0, row.scheme.find(',')); }

std::vector<std::string> peers_of(const SequenceBenchReport& report) {
  std::vector<std::string> names;
  for (const BenchRatio& ratio : report.ratios) {
    const std::string name = peer_text(report.rows[ratio.other]);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::span<const BenchRatio>> ratios_by_row(const SequenceBenchReport& report) {
  std::vector<std::span<const BenchRatio>> groups;
  for (auto first = report.ratios.begin(); first != report.ratios.end();) {
    const auto last =
        std::find_if(first, report.ratios.end(), [&](const BenchRatio& ratio) { return ratio.ours != first->ours; });
    groups.emplace_back(first, last);
    first = last;
  }
  return groups;
}

nlohmann::ordered_json json_of(const BenchReport& report, const SequenceBenchReport& of_kind) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), ratios = rows, own = rows;
  for (const BenchRow& row : of_kind.rows) {
    nlohmann::ordered_json json = shape_json(row.shape);
    json.update({{"scheme", row.scheme},
                 {"frames", frames_name(row.frames)},
                 {"cpu", report.cpu},
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
                 {"level", level_of(report.roofline, row.bytes_per_step).name},
                 {"roofline_share", optional_json(row.roofline_share(report.roofline))},
                 {"read_share", optional_json(read_share(row))},
                 {"macs", row.macs},
                 {"peer", nullptr},
                 {"version", row.version}});
    if (!row.peer.empty()) json["peer"] = row.peer;
    rows.push_back(std::move(json));
  }
  for (const BenchRatio& ratio : of_kind.ratios) {
    const BenchRow &ours = of_kind.rows[ratio.ours], &other = of_kind.rows[ratio.other];
    nlohmann::ordered_json json = shape_json(ours.shape);
    json.update({{"scheme", ours.scheme},
                 {"frames", frames_name(ours.frames)},
                 {"path", ours.path},
                 {"threads", ours.threads},
                 {"us_per_step", ours.us_per_step()},
                 {"peer", other.peer},
                 {"peer_scheme", other.scheme},
                 {"best", ratio.best}});
    json.update(ratio_json(ratio.ratio));
    ratios.push_back(std::move(json));
  }
  for (const BenchRatio& ratio : of_kind.own_ratios) {
    const BenchRow& ours = of_kind.rows[ratio.ours];
    nlohmann::ordered_json json = shape_json(ours.shape);
    json.update({{"scheme", ours.scheme},
                 {"frames", frames_name(ours.frames)},
                 {"path", ours.path},
                 {"threads", ours.threads}});
    json.update(ratio_json(ratio.ratio));
    own.push_back(std::move(json));
  }
  nlohmann::ordered_json json{{"cpu", report.cpu},
                              {"roofline", to_json(report.roofline)},
                              {"results", rows},
                              {"ratios", ratios},
                              {"own_ratios", own},
                              {"command", report.command},
                              {"repetitions", report.repetitions}};
  if (of_kind.loading) json["load_ms"] = 1e3 * of_kind.loading->median;
  return json;
}

std::string text_of(const BenchReport& report, const SequenceBenchReport& of_kind) {
  std::string text = rows_text(report, of_kind);
  text += fmt::format(
      "\n{}\n{}+-: half the distance of the quartiles. roof %: share of what these rates allow; read %: of a plain "
      "read of the same bytes in the same turns.\n",
      report.cpu, to_text(report.roofline));
  if (!of_kind.ratios.empty())
    text +=
        "\nHow many times longer the peers take than our row that is handed the same, real frames or codes; best: the "
        "fastest of them, with the quartiles of that ratio.\n\n" +
        ratios_text(of_kind);
  if (!of_kind.own_ratios.empty())
    text += "\nHow many times faster than the first scheme and frames on the chosen path with one thread.\n\n" +
            own_ratios_text(of_kind);
  if (of_kind.loading)
    text += fmt::format("\nloads and is ready in {} ms +- {}\n", fixed_text(1e3 * of_kind.loading->median, 3),
                        fixed_text(1e3 * of_kind.loading->spread, 3));
  return text;
}

}  // namespace quaver
