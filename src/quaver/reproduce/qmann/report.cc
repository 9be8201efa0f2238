#include "quaver/reproduce/qmann/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/show/table.h"
#include "quaver/reproduce/qmann/figures.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {

void set_energies(QmannReport& report, const std::vector<QmannTask>& tasks) {
  for (const QmannRow& row : report.rows) {
    if (row.is_memn2n()) continue;
    MemoryEnergy sum;
    double facts = 0, count = 0;
    for (const QmannTask& task : tasks) {
      if (task.set != row.set || task.small_train) continue;
      const QuestionSizes sizes = question_sizes(questions_of(task.test));
      const MemoryEnergy energy =
          memory_energy(memory_shape(task.train, task.validation, task.vocabulary, row.options), row.scheme(), sizes);
      sum.pj += energy.pj;
      sum.f32_pj += energy.f32_pj;
      sum.paper_pj += energy.paper_pj;
      sum.paper_f32_pj += energy.paper_f32_pj;
      facts += sizes.mean_facts();
      ++count;
    }
    if (count < 1) continue;
    report.energies[row.key] = {sum.pj / count, sum.f32_pj / count, sum.paper_pj / count, sum.paper_f32_pj / count};
    report.facts = facts / count;
  }
}

nlohmann::ordered_json to_json(const QmannReport& report) {
  using Json = nlohmann::ordered_json;
  const auto figure_json = [](const Figure& figure) -> Json {
    if (!figure.there()) return nullptr;
    return {{"mean", figure.mean()}, {"deviation", figure.deviation()}, {"by_seed", figure.by_seed}};
  };
  Json rows = Json::array(), tasks = Json::array(), pairs = Json::array(), steps = Json::array();
  for (std::size_t i = 0; i < report.tasks.size(); ++i)
    tasks.push_back({{"task", report.tasks[i]},
                     {"name", report.task_names[i]},
                     {"small_train", static_cast<bool>(report.small_train[i])}});
  for (const QmannRow& row : report.rows) {
    Json runs = Json::array(), similarities = Json::array();
    for (const QmannRun& run : report.runs) {
      if (run.row != row.key) continue;
      Json json = to_json(run);
      json.erase("row");
      json.erase("similarities");
      runs.push_back(std::move(json));
    }
    for (const SimilarityHistogram& histogram : added_similarities(report, row.key))
      similarities.push_back(to_json(histogram));
    Json json{{"row", row.key},
              {"title", row.title},
              {"set", row.set},
              {"scheme", memory_scheme_text(row.scheme())},
              {"kept", row.is_qmann() ? "early-stopped" : "best"},
              {"final", figure_json(figure_of(report, row, &QmannRun::final_test))},
              {"kept_test", figure_json(figure_of(report, row, &QmannRun::kept_test))},
              {"published", nullptr},
              {"energy", nullptr},
              {"runs", runs},
              {"similarities", similarities}};
    if (row.published) {
      json["published"] = {{"source", row.published->source}, {"final", row.published->final}};
      if (row.published->early_stopped) json["published"]["early_stopped"] = *row.published->early_stopped;
    }
    if (const auto energy = report.energies.find(row.key); energy != report.energies.end())
      json["energy"] = {{"energy_pj", energy->second.pj},
                        {"energy_gain_vs_f32", energy->second.gain()},
                        {"paper_rules_pj", energy->second.paper_pj},
                        {"paper_rules_gain", energy->second.paper_gain()}};
    if (row.is_memn2n()) {
      const auto optional = [](std::optional<double> value) { return value ? Json(*value) : Json(nullptr); };
      json["best_on_validation"] = optional(mean_of_picked(report, row, &QmannRun::kept_validation));
      json["best_on_training"] = optional(mean_of_picked(report, row, &QmannRun::kept_train));
    }
    rows.push_back(std::move(json));
  }
  for (const PairingResult& result : pairing_results(report))
    pairs.push_back({{"pairing", result.pairing->title},
                     {"from", result.pairing->from},
                     {"to", result.pairing->to},
                     {"errors", result.pairing->what},
                     {"from_error", result.from},
                     {"to_error", result.to},
                     {"improvement_percent", result.gain()}});
  for (const AblationStep& step : ablation_steps()) {
    const QmannRow* row = find_row(report, step.row);
    if (row == nullptr) continue;
    steps.push_back(
        {{"step", step.title}, {"row", step.row}, {"error", figure_json(figure_of(report, *row, step.value))}});
  }
  return {{"paper", "qmann"},
          {"command", report.command},
          {"tool", report.tool},
          {"cpu", report.cpu},
          {"note", report.note},
          {"task", report.task},
          {"metric", "error"},
          {"seed", report.seed},
          {"trainings", report.runs.size()},
          {"trainings_planned", report.planned},
          {"tasks", tasks},
          {"rows", rows},
          {"pairings", pairs},
          {"ablation", steps}};
}

std::string to_text(const QmannReport& report) {
  std::vector<Column> columns;
  for (const std::string& title : error_titles())
    columns.push_back({title, columns.empty() ? Align::kLeft : Align::kRight});
  Table table(columns);
  for (const QmannRow& row : report.rows) {
    std::vector<std::string> cells = error_cells(report, row);
    if (row.is_memn2n()) cells[0] = "MemN2N, " + row.title + ", best epoch in the place of early stopped";
    table.add_row(cells);
  }
  std::string text = table.text();
  if (report.runs.size() < report.planned)
    text += fmt::format("{} of {} trainings are done; a row counts the seeds that have all tasks\n", report.runs.size(),
                        report.planned);
  for (const PairingResult& result : pairing_results(report))
    text += fmt::format("{}: {:.1f} -> {:.1f} %, {}\n", result.pairing->title, result.from, result.to,
                        gain_text(result.gain()));
  return text;
}

}  // namespace quaver
