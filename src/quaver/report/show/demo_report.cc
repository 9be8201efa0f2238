#include "quaver/report/show/demo_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/core/text.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/report/cost/memory_inspect.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const DemoRow& row) {
  return {{"cell", row.cell},
          {"scheme", row.scheme},
          {"accuracy", row.accuracy},
          {"bytes", row.bytes},
          {"us_per_step", row.us_per_step},
          {"sqnr_db", row.sqnr_db ? Json(*row.sqnr_db) : Json(nullptr)},
          {"float_ops", row.float_ops}};
}

Json json_of(const MemoryDemoRow& row) {
  Json json{{"cell", kMemoryCell},
            {"scheme", row.scheme},
            {"accuracy", row.accuracy},
            {"bytes", row.bytes},
            {"weights_bytes_run", row.weights_bytes_run},
            {"us_per_question", row.us_per_question},
            {"float_ops", row.float_ops}};
  json.update(to_json(row.energy));
  return json;
}

Json json_of(const ExplainedQuestion& explained) {
  Json facts = Json::array();
  for (const ExplainedQuestion::Fact& fact : explained.facts)
    facts.push_back({{"fact", facts.size() + 1}, {"text", fact.text}, {"p", fact.p}});
  return {{"question", explained.question},
          {"answer", explained.answer},
          {"expected", explained.expected},
          {"looked_at", std::move(facts)}};
}

std::string sequences_text(const DemoReport& report) {
  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"accuracy %"},
               {"bytes"},
               {"us/step"},
               {"SQNR dB"},
               {"float ops/step"}});
  for (const DemoRow& row : report.rows)
    table.add_row({row.cell, row.scheme, fixed_text(row.accuracy, 2), count_text(row.bytes),
                   fixed_text(row.us_per_step, 2), row.sqnr_db ? fixed_text(*row.sqnr_db, 1) : "-",
                   count_text(row.float_ops)});
  return table.text() + fmt::format("\n{}: {} test sequences; SQNR of the last hidden state against float\n\n",
                                    report.task, report.test_sequences);
}

std::string text_of(const ExplainedQuestion& explained) {
  std::vector<Column> columns{{"fact"}, {"", Align::kLeft}};
  for (std::size_t hop = 0; hop < explained.facts.front().p.size(); ++hop) columns.push_back({concat("hop ", hop + 1)});
  Table table(std::move(columns));
  for (const ExplainedQuestion::Fact& fact : explained.facts) {
    std::vector<std::string> cells{std::to_string(table.row_count() + 1), fact.text};
    for (const float p : fact.p) cells.push_back(fixed_text(p, 2));
    table.add_row(std::move(cells));
  }
  const bool right = explained.answer == explained.expected;
  return fmt::format("\n{}{}  {}{}\n", table.text(), explained.question, explained.answer,
                     right ? "" : fmt::format("  (the story says {})", explained.expected));
}

std::string text_of(const MemoryDemoReport& report) {
  Table table({{"memory network", Align::kLeft},
               {"accuracy %"},
               {"weights B"},
               {"us/question"},
               {"float ops"},
               {"nJ/question"},
               {"gain"},
               {"paper's rules"}});
  for (const MemoryDemoRow& row : report.rows)
    table.add_row({row.scheme, fixed_text(row.accuracy, 2), count_text(row.weights_bytes_run),
                   fixed_text(row.us_per_question, 2), count_text(row.float_ops), fixed_text(row.energy.pj / 1000, 2),
                   fixed_text(row.energy.gain(), 1) + "x", fixed_text(row.energy.paper_gain(), 1) + "x"});
  return table.text() +
         fmt::format(
             "\n{}: {} questions of {:.1f} facts, told and asked; energy of arithmetic, by our rules and by rules "
             "fitted to the paper's 22x: docs/energy.md\n",
             report.task, report.questions, report.mean_facts) +
         (report.explained ? text_of(*report.explained) : "");
}

}  // namespace

Json to_json(const DemoReport& report) {
  Json results = Json::array(), json{{"task", report.task}};
  for (const DemoRow& row : report.rows) results.push_back(json_of(row));
  if (report.memory) {
    for (const MemoryDemoRow& row : report.memory->rows) results.push_back(json_of(row));
    json["explained"] = report.memory->explained ? json_of(*report.memory->explained) : Json(nullptr);
  }
  json["results"] = std::move(results);
  json["seconds"] = report.seconds;
  json["path"] = report.path;
  return json;
}

std::string to_text(const DemoReport& report) {
  return (report.rows.empty() ? "" : sequences_text(report)) + (report.memory ? text_of(*report.memory) + '\n' : "") +
         fmt::format("path {}; {:.0f} s in all\n", report.path, report.seconds);
}

}  // namespace quaver
