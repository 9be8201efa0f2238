#include "quaver/bench/memory_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

// What is made of a row's times.
struct Figures {
  explicit Figures(const BenchReport& report, const MemoryBenchRow& row)
      : reads(row.bytes > 0),
        bytes_per_second(static_cast<double>(row.bytes) / row.timing.median),
        level(level_of(report.roofline, row.bytes)),
        roof(100 * bytes_per_second / level.bytes_per_second),
        read(row.read ? 100 * row.read->median / row.timing.median : 0),
        spread(1e6 * row.timing.spread / static_cast<double>(row.batch)) {}

  bool reads;
  double bytes_per_second;
  const MemoryLevel& level;
  double roof, read;  // percent of what the level, and a plain read, can do
  double spread;      // microseconds a question
};

std::string name_of(const MemoryBenchRow& row) { return row.peer.empty() ? "quaver" : row.peer; }

Json row_json(const BenchReport& report, const MemoryBenchReport& of_kind, const MemoryBenchRow& row) {
  const Figures figures(report, row);
  // The keys of every row of 'bench' first: a question is the step of a memory network.
  return {{"cell", kMemoryCell},
          {"hidden", of_kind.embedding},
          {"input", of_kind.words},
          {"steps", 1},
          {"us_per_step", row.us()},
          {"gmacs_per_s", nullptr},
          {"bytes_per_step", row.bytes},
          {"form", row.form},
          {"facts", row.facts},
          {"embedding", of_kind.embedding},
          {"hops", of_kind.hops},
          {"words", of_kind.words},
          {"vocabulary", of_kind.vocabulary},
          {"batch", row.batch},
          {"scheme", row.scheme},
          {"path", row.path},
          {"threads", 1},
          {"us_per_question", row.us()},
          {"spread_us", figures.spread},
          {"repetitions", row.timing.repetitions},
          {"per_second", 1e6 / row.us()},
          {"facts_per_s", row.form == "write" ? 1e6 / row.us() : row.facts_per_second()},
          {"bytes_per_question", row.bytes},
          {"facts_read", row.facts_read ? Json(*row.facts_read) : Json(nullptr)},
          {"gb_per_s", figures.bytes_per_second * 1e-9},
          {"roof_share", figures.reads ? Json(figures.roof / 100) : Json(nullptr)},
          {"read_share", row.read ? Json(figures.read / 100) : Json(nullptr)},
          {"peer", row.peer.empty() ? Json(nullptr) : Json(row.peer)},
          {"version", row.version}};
}

std::string rows_text(const BenchReport& report, const MemoryBenchReport& of_kind) {
  Table table({{"facts"},
               {"form", Align::kLeft},
               {"engine", Align::kLeft},
               {"scheme", Align::kLeft},
               {"path", Align::kLeft},
               {"batch"},
               {"us"},
               {"+-"},
               {"read"},
               {"per second"},
               {"facts/s"},
               {"GB/s"},
               {"in", Align::kLeft},
               {"roof %"},
               {"read %"}});
  for (const MemoryBenchRow& row : of_kind.rows) {
    const Figures figures(report, row);
    table.add_row({std::to_string(row.facts), row.form, name_of(row), row.scheme, row.path, std::to_string(row.batch),
                   significant_text(row.us(), 4), significant_text(figures.spread, 2),
                   row.facts_read ? fixed_text(*row.facts_read, 1) : "", significant_text(1e6 / row.us(), 4),
                   row.form == "write" ? "" : significant_text(row.facts_per_second(), 4),
                   figures.reads ? fixed_text(figures.bytes_per_second * 1e-9, 1) : "",
                   figures.reads ? figures.level.name : "", figures.reads ? fixed_text(figures.roof, 0) : "",
                   row.read ? fixed_text(figures.read, 0) : ""});
  }
  return table.text();
}

std::string ratios_text(const MemoryBenchReport& report) {
  Table table({{"facts"},
               {"form", Align::kLeft},
               {"engine", Align::kLeft},
               {"scheme", Align::kLeft},
               {"path", Align::kLeft},
               {"batch"},
               {"ours"},
               {"times as long"},
               {"quartiles"}});
  for (const MemoryBenchRatio& ratio : report.ratios) {
    const MemoryBenchRow &ours = report.rows[ratio.ours], &other = report.rows[ratio.other];
    table.add_row({std::to_string(other.facts), other.form, name_of(other), other.scheme, other.path,
                   std::to_string(other.batch), std::to_string(ours.batch), fixed_text(ratio.ratio.median, 2),
                   fmt::format("{} to {}", fixed_text(ratio.ratio.first_quartile, 2),
                               fixed_text(ratio.ratio.third_quartile, 2))});
  }
  return table.text();
}

}  // namespace

Json json_of(const BenchReport& report, const MemoryBenchReport& of_kind) {
  Json rows = Json::array(), ratios = Json::array();
  for (const MemoryBenchRow& row : of_kind.rows) rows.push_back(row_json(report, of_kind, row));
  for (const MemoryBenchRatio& ratio : of_kind.ratios) {
    const MemoryBenchRow &ours = of_kind.rows[ratio.ours], &other = of_kind.rows[ratio.other];
    ratios.push_back({{"facts", other.facts},
                      {"form", other.form},
                      {"peer", other.peer},
                      {"scheme", other.scheme},
                      {"path", other.path},
                      {"batch", other.batch},
                      {"our_batch", ours.batch},
                      {"ratio", ratio.ratio.median},
                      {"first_quartile", ratio.ratio.first_quartile},
                      {"third_quartile", ratio.ratio.third_quartile}});
  }
  return {{"results", rows},   {"ratios", ratios},          {"roofline", to_json(report.roofline)},
          {"cpu", report.cpu}, {"command", report.command}, {"repetitions", report.repetitions}};
}

std::string text_of(const BenchReport& report, const MemoryBenchReport& of_kind) {
  std::string text = fmt::format(
      "MemN2N, layer-wise, bag of words: {} numbers, {} hops, sentences of {} of {} words, one thread; read: facts "
      "that have a weight, a hop\n{}\n{}",
      of_kind.embedding, of_kind.hops, of_kind.words, of_kind.vocabulary, to_text(report.roofline),
      rows_text(report, of_kind));
  if (!of_kind.ratios.empty())
    text += fmt::format("\nA question there over one of {} on {} here (ours: how many a call), turn by turn:\n{}",
                        of_kind.scheme, of_kind.path, ratios_text(of_kind));
  return text;
}

}  // namespace quaver
