#include "quaver/report/show/evaluate_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

nlohmann::ordered_json by_name(const std::vector<Evaluation::Figure>& figures) {
  nlohmann::ordered_json values = nlohmann::ordered_json::object();
  for (const Evaluation::Figure& figure : figures) values[figure.metric] = figure.value;
  return values;
}

nlohmann::ordered_json figures_of(const SequenceEvaluateReport& report) {
  const Evaluation& evaluation = report.evaluation;
  return {
      {"metric", evaluation.chosen.metric}, {"value", evaluation.chosen.value},    {"n", evaluation.n},
      {"seconds", evaluation.seconds},      {"correct", evaluation.correct},       {"sequences", evaluation.sequences},
      {"steps", evaluation.steps},          {"others", by_name(evaluation.others)}};
}

nlohmann::ordered_json figures_of(const MemoryEvaluateReport& report) {
  return {{"metric", "error"}, {"value", report.error}, {"n", report.questions}, {"seconds", report.seconds}};
}

nlohmann::ordered_json rest_of(const SequenceEvaluateReport& report) {
  nlohmann::ordered_json controls = nlohmann::ordered_json::array();
  for (const ControlScore& control : report.controls) {
    nlohmann::ordered_json entry{{"name", control.name}};
    if (control.value) entry["value"] = *control.value;
    if (!control.others.empty()) entry["others"] = by_name(control.others);
    controls.push_back(std::move(entry));
  }
  return {{"path", report.path}, {"controls", controls}};
}

nlohmann::ordered_json rest_of(const MemoryEvaluateReport& report) {
  nlohmann::ordered_json tasks = nlohmann::ordered_json::array();
  for (const StoryScore& score : report.tasks)
    tasks.push_back({{"task", score.task}, {"value", score.error}, {"n", score.questions}, {"loss", score.loss}});
  return {{"results", tasks}};
}

std::string text_of(const EvaluateReport& report, const SequenceEvaluateReport& of_kind) {
  const Evaluation& evaluation = of_kind.evaluation;
  std::vector<Evaluation::Figure> figures{evaluation.chosen};
  figures.insert(figures.end(), evaluation.others.begin(), evaluation.others.end());
  std::vector<Column> columns{
      {"model", Align::kLeft}, {"scheme", Align::kLeft}, {"task", Align::kLeft}, {"split", Align::kLeft}};
  std::vector<std::string> row{report.model, report.scheme, report.task, report.split};
  for (const Evaluation::Figure& figure : figures) {
    columns.push_back({heading(figure)});
    row.push_back(figure_text(figure));
  }
  columns.insert(columns.end(), {{"of"}, {"seconds"}, {"path", Align::kLeft}});
  row.insert(row.end(), {count_text(evaluation.n), fixed_text(evaluation.seconds, 2), of_kind.path});
  Table table(columns);
  table.add_row(row);
  for (const ControlScore& control : of_kind.controls) {
    row = {concat("control: ", control.name), "", report.task, report.split};
    for (Evaluation::Figure figure : figures) {
      const auto own = std::ranges::find(control.others, figure.metric, &Evaluation::Figure::metric);
      if (figure.metric == evaluation.chosen.metric && control.value) {
        figure.value = *control.value;
        row.push_back(figure_text(figure));
      } else {
        row.push_back(own == control.others.end() ? "" : figure_text(*own));
      }
    }
    row.resize(columns.size());
    table.add_row(row);
  }
  return table.text();
}

std::string text_of(const EvaluateReport& report, const MemoryEvaluateReport& of_kind) {
  Table table({{"model", Align::kLeft}, {"task", Align::kLeft}, {"split", Align::kLeft}, {"error %"}, {"of"}});
  for (const StoryScore& score : of_kind.tasks)
    table.add_row({report.model, score.task, report.split, fixed_text(score.error, 2), count_text(score.questions)});
  return table.text();
}

}  // namespace

std::string heading(const Evaluation::Figure& figure) {
  return figure.unit.empty() ? figure.metric : figure.metric + " " + figure.unit;
}

std::string figure_text(const Evaluation::Figure& figure) {
  return fixed_text(figure.value, figure.is_count ? 0 : figure.unit.empty() ? 4 : 2);
}

nlohmann::ordered_json to_json(const EvaluateReport& report) {
  return std::visit(
      [&](const auto& of_kind) {
        nlohmann::ordered_json json{{"task", report.task}, {"split", report.split}};
        json.update(figures_of(of_kind));
        json["model"] = report.model;
        json["scheme"] = report.scheme;
        json.update(rest_of(of_kind));
        return json;
      },
      report.of_kind);
}

std::string to_text(const EvaluateReport& report) {
  return std::visit([&](const auto& of_kind) { return text_of(report, of_kind); }, report.of_kind);
}

}  // namespace quaver
