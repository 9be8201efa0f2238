#include <fmt/format.h>

#include <algorithm>

#include "quaver/core/text.h"
#include "quaver/report/show/table.h"
#include "quaver/reproduce/qmann/figures.h"

namespace quaver {
namespace {

std::string markdown_row(const std::vector<std::string>& cells) { return "| " + join(cells, " | ") + " |\n"; }

std::string markdown_head(const std::vector<std::string>& cells) {
  std::string rule = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) rule += "---|";
  return markdown_row(cells) + rule + "\n";
}

std::string task_table(const QmannReport& report, double QmannRun::*value) {
  std::vector<const QmannRow*> rows;
  std::vector<std::string> head{"task"};
  for (const QmannRow& row : report.rows) {
    if (row.is_memn2n()) continue;
    rows.push_back(&row);
    head.push_back(row.key);
  }
  std::string text = markdown_head(head);
  for (std::size_t i = 0; i < report.tasks.size(); ++i) {
    std::vector<std::string> cells{concat(report.tasks[i], report.small_train[i] ? " (1,000 questions)" : "")};
    for (const QmannRow* row : rows) {
      double sum = 0, count = 0;
      for (const auto& [seed, errors] : errors_of(report, row->key, value)) {
        const auto found = errors.find(report.tasks[i]);
        if (found == errors.end()) continue;
        sum += found->second;
        ++count;
      }
      std::string cell = count > 0 ? percent_text(sum / count) : "-";
      if (value == &QmannRun::final_test && report.task == "babi" && row->published)
        if (const auto theirs = row->published->final_by_task.find(report.tasks[i]);
            theirs != row->published->final_by_task.end())
          cell += " (" + percent_text(theirs->second) + ")";
      cells.push_back(cell);
    }
    text += markdown_row(cells);
  }
  return text;
}

// Against the float network of the same tasks and seeds, where that row is there.
std::string beyond_table(const QmannReport& report) {
  std::string text;
  const QmannRow* reference = find_row(report, "memn2n");
  for (const QmannRow& row : report.rows) {
    const Figure figure = figure_of(report, row, &QmannRun::kept_test);
    if (!row.beyond() || !figure.there()) continue;
    if (text.empty())
      text =
          "\n## Beyond the paper\n\nScaled integers from the words to the answer (docs/cells/memn2n.md), made from "
          "MemN2N's float networks of the same seeds (position encoding, linear start, noise, adjacent tying, slots): "
          "the gain of the model is that of the float column, the quantizer's is the rest.\n\n" +
          markdown_head({"row", "from the float network", "error %", "float %", "seeds"});
    Figure same;
    if (reference != nullptr) same = figure_of(report, *reference, &QmannRun::kept_test);
    same.by_seed.resize(std::min(same.by_seed.size(), figure.by_seed.size()));
    text += markdown_row({row.title, row.fine_tuned ? concat(row.fine_tuned->epochs, " epochs") : "calibration",
                          figure_text(figure), figure_text(same), std::to_string(figure.by_seed.size())});
  }
  return text;
}

std::string memn2n_tables(const QmannReport& report) {
  std::string text;
  for (const QmannRow& row : report.rows) {
    if (!row.is_memn2n()) continue;
    const auto by_validation = mean_of_picked(report, row, &QmannRun::kept_validation),
               by_training = mean_of_picked(report, row, &QmannRun::kept_train);
    const Figure one = figure_of(report, row, &QmannRun::kept_test);
    if (!by_validation) continue;
    const std::optional<double> published = published_of(report, row).final;
    if (text.empty())
      text =
          "\n## MemN2N in float\n\nPosition encoding, linear start, random noise, adjacent tying, d = 20, 50 slots "
          "(`--recipe memn2n`); the epoch is picked on validation. Test error in percent.\n\n" +
          markdown_head(
              {"data", "one run", "best of the runs on validation", "best on training", "published", "runs", "tasks"});
    text += markdown_row({row.title, figure_text(one), percent_text(*by_validation), percent_text(*by_training),
                          published ? percent_text(*published) : "-", std::to_string(one.by_seed.size()),
                          std::to_string(mean_tasks(report, row).size())});
  }
  if (text.empty()) return text;
  std::vector<const QmannRow*> rows;
  std::vector<std::string> head{"task"};
  for (const QmannRow& row : report.rows) {
    if (!row.is_memn2n()) continue;
    rows.push_back(&row);
    head.push_back(row.title);
  }
  text += "\nBy task, best of the runs on validation:\n\n" + markdown_head(head);
  for (const std::size_t task : report.tasks) {
    std::vector<std::string> cells{std::to_string(task)};
    for (const QmannRow* row : rows) {
      const QmannRun* best = picked_run(report, *row, task, &QmannRun::kept_validation);
      cells.push_back(best == nullptr ? "-" : percent_text(best->kept_test));
    }
    text += markdown_row(cells);
  }
  return text;
}
}  // namespace

std::string to_markdown(const QmannReport& report) {
  std::string text = "# Q-MANN and its baselines\n\nPark et al. 2018 (arXiv 1711.03712), made by `" + report.command +
                     "`, " + report.tool + ", on " + report.cpu + (report.note.empty() ? "" : ". " + report.note) +
                     ".\n\n";
  const bool some_apart = std::ranges::count(report.small_train, true) > 0;
  text += fmt::format(
      "Test error in percent, mean over {} tasks of `{}`{}; +-: deviation over seeds. Final: weights of the last "
      "epoch; early stopped: weights that the program's rule keeps, from the same training. Recipe `--recipe qmann`: "
      "{} epochs. \"program\": the authors' program, run on the same data with the same settings (1 to 3 seeds); the "
      "paper's own tables cannot be read.\n\n",
      report.rows.empty() ? 0 : mean_tasks(report, report.rows.front()).size(), report.task,
      some_apart ? " (task 3 has no 10k training file: trained on 1,000 questions and listed apart)" : "",
      report.epochs > 0 ? report.epochs : qmann_recipe().epochs);
  if (report.runs.size() < report.planned)
    text += fmt::format("**{} of {} trainings are done; a row counts the seeds that have all tasks.**\n\n",
                        report.runs.size(), report.planned);
  text += markdown_head(error_titles());
  for (const QmannRow& row : report.rows)
    if (row.is_qmann() && !row.ablation) text += markdown_row(error_cells(report, row));

  text += beyond_table(report);
  if (const std::vector<PairingResult> results = pairing_results(report); !results.empty()) {
    text += "\n## What the improvement depends on\n\nThe relative change from a baseline to Q-MANN, by pair:\n\n" +
            markdown_head({"pair", "baseline %", "Q-MANN %", "errors"});
    for (const PairingResult& result : results)
      text += markdown_row(
          {result.pairing->title, percent_text(result.from), percent_text(result.to), gain_text(result.gain())});
  }

  text += "\n## Ablation\n\nOne ingredient more a step, from the shipped point and from the baseline's best one.\n\n" +
          markdown_head({"step", "row", "error %", "seeds"});
  for (const AblationStep& step : ablation_steps()) {
    const QmannRow* row = find_row(report, step.row);
    if (row == nullptr) continue;
    const Figure figure = figure_of(report, *row, step.value);
    text += markdown_row({step.title, step.row, figure_text(figure), std::to_string(figure.by_seed.size())});
  }

  text +=
      "\n## Similarities\n\nOf all facts and test questions with the final weights: share at the end of the range, "
      "where they can no longer be told apart.\n\n" +
      markdown_head({"row", "hop 1 %", "hop 2 %", "hop 3 %", "limit"});
  for (const QmannRow& row : report.rows) {
    const std::vector<SimilarityHistogram> hops = added_similarities(report, row.key);
    if (hops.empty()) continue;
    std::vector<std::string> cells{row.title};
    for (const SimilarityHistogram& hop : hops) cells.push_back(percent_text(hop.saturated_percent()));
    cells.push_back(hops.front().limit ? significant_text(*hops.front().limit, 4) : "-");
    text += markdown_row(cells);
  }

  if (!report.energies.empty()) {
    text += fmt::format(
                "\n## Energy\n\nOf a test question's arithmetic ({:.1f} facts on the mean; 45 nm; rules and prices: "
                "docs/energy.md), against the same network in float. Paper's rules: those that lead to its 22x.\n\n",
                report.facts) +
            markdown_head({"row", "nJ a question", "gain", "gain by the paper's rules"});
    for (const QmannRow& row : report.rows) {
      const auto found = report.energies.find(row.key);
      if (found == report.energies.end() || row.ablation) continue;
      const MemoryEnergy& energy = found->second;
      text += markdown_row({row.title, fixed_text(energy.pj / 1000, 1), fixed_text(energy.gain(), 1) + "x",
                            fixed_text(energy.paper_gain(), 1) + "x"});
    }
  }
  text += "\n## By task, final weights\n\nIn brackets: the authors' program.\n\n" +
          task_table(report, &QmannRun::final_test);
  text += "\n## By task, early stopped\n\n" + task_table(report, &QmannRun::kept_test);
  return text + memn2n_tables(report);
}

}  // namespace quaver
