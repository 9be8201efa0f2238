#include "quaver/reproduce/qmann/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quaver/report/show/table.h"

namespace quaver {
namespace {

bool is_apart(const QmannReport& report, const QmannRow& row, std::size_t place) {
  return row.set == "en-10k" && report.small_train[place];
}

const std::vector<Pairing>& pairings() {
  static const std::vector<Pairing> all{
      {"8 bits, final, the baseline as shipped (the paper's 46 %)", "fixed8-mq", "qmann8", &QmannRun::final_test,
       "final"},
      {"8 bits, final, the baseline at its best IWL", "fixed8-iwl4", "qmann8", &QmannRun::final_test, "final"},
      {"8 bits, early stopping on both sides, best IWL", "fixed8-iwl4", "qmann8", &QmannRun::kept_test, "early"},
      {"binary, final (the paper's 30 %)", "fixed-binary", "qmann-binary", &QmannRun::final_test, "final"},
      {"binary, early stopping on both sides", "fixed-binary", "qmann-binary", &QmannRun::kept_test, "early"}};
  return all;
}
// "+1.2" against what was published.
std::string difference_text(const Figure& figure, std::optional<double> published) {
  if (!figure.there() || !published) return "-";
  return fmt::format("{:+.1f}", figure.mean() - *published);
}

}  // namespace

std::map<std::uint64_t, std::map<std::size_t, double>> errors_of(const QmannReport& report, const std::string& row,
                                                                 double QmannRun::*value) {
  std::map<std::uint64_t, std::map<std::size_t, double>> errors;
  for (const QmannRun& run : report.runs)
    if (run.row == row) errors[run.seed][run.task] = run.*value;
  return errors;
}

std::vector<std::size_t> mean_tasks(const QmannReport& report, const QmannRow& row) {
  std::vector<std::size_t> tasks;
  for (std::size_t i = 0; i < report.tasks.size(); ++i)
    if (!is_apart(report, row, i)) tasks.push_back(report.tasks[i]);
  return tasks;
}

const QmannRow* find_row(const QmannReport& report, const std::string& key) {
  const auto found = std::ranges::find(report.rows, key, &QmannRow::key);
  return found == report.rows.end() ? nullptr : &*found;
}

double Figure::mean() const {
  return std::accumulate(by_seed.begin(), by_seed.end(), 0.0) / static_cast<double>(by_seed.size());
}

double Figure::deviation() const {
  double sum = 0;
  for (const double value : by_seed) sum += (value - mean()) * (value - mean());
  return by_seed.size() < 2 ? 0 : std::sqrt(sum / static_cast<double>(by_seed.size() - 1));
}

Figure figure_of(const QmannReport& report, const QmannRow& row, double QmannRun::*value) {
  Figure figure;
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  for (const auto& [seed, errors] : errors_of(report, row.key, value)) {
    if (!std::ranges::all_of(tasks, [&, &found = errors](std::size_t task) { return found.contains(task); })) continue;
    double sum = 0;
    for (const std::size_t task : tasks) sum += errors.at(task);
    figure.by_seed.push_back(sum / static_cast<double>(tasks.size()));
  }
  return figure;
}

const QmannRun* picked_run(const QmannReport& report, const QmannRow& row, std::size_t task, double QmannRun::*by) {
  const QmannRun* best = nullptr;
  for (const QmannRun& run : report.runs)
    if (run.row == row.key && run.task == task && (best == nullptr || run.*by < best->*by)) best = &run;
  return best;
}

std::optional<double> mean_of_picked(const QmannReport& report, const QmannRow& row, double QmannRun::*by) {
  double sum = 0;
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  for (const std::size_t task : tasks) {
    const QmannRun* best = picked_run(report, row, task, by);
    if (best == nullptr) return std::nullopt;
    sum += best->kept_test;
  }
  return sum / static_cast<double>(tasks.size());
}

Published published_of(const QmannReport& report, const QmannRow& row) {
  if (!row.published || report.task != "babi") return {};
  const std::vector<std::size_t> tasks = mean_tasks(report, row);
  const std::size_t all = row.set == "en-10k" ? 19 : 20;
  if (tasks.size() == all) return {row.published->final, row.published->early_stopped};
  double sum = 0;
  for (const std::size_t task : tasks) {
    const auto found = row.published->final_by_task.find(task);
    if (found == row.published->final_by_task.end()) return {};
    sum += found->second;
  }
  return {tasks.empty() ? std::nullopt : std::optional(sum / static_cast<double>(tasks.size())), std::nullopt};
}

std::vector<PairingResult> pairing_results(const QmannReport& report) {
  std::vector<PairingResult> results;
  for (const Pairing& pairing : pairings()) {
    const QmannRow *from = find_row(report, pairing.from), *to = find_row(report, pairing.to);
    if (from == nullptr || to == nullptr) continue;
    const Figure a = figure_of(report, *from, pairing.value), b = figure_of(report, *to, pairing.value);
    if (a.there() && b.there()) results.push_back({&pairing, a.mean(), b.mean()});
  }
  return results;
}

const std::vector<AblationStep>& ablation_steps() {
  static const std::vector<AblationStep> all{{"conventional, IWL 5", "fixed8", &QmannRun::final_test},
                                             {"+ early stopping", "fixed8", &QmannRun::kept_test},
                                             {"+ formats a hop (MQ)", "fixed8-mq", &QmannRun::kept_test},
                                             {"+ Hamming similarity", "hamming8-iwl5", &QmannRun::kept_test},
                                             {"at IWL 2 (Q-MANN)", "qmann8", &QmannRun::kept_test},
                                             {"conventional, IWL 4", "fixed8-iwl4", &QmannRun::final_test},
                                             {"+ early stopping", "fixed8-iwl4", &QmannRun::kept_test},
                                             {"+ formats a hop (MQ)", "fixed8-iwl4-mq", &QmannRun::kept_test},
                                             {"+ Hamming similarity", "hamming8-iwl4", &QmannRun::kept_test},
                                             {"at IWL 2 (Q-MANN)", "qmann8", &QmannRun::kept_test}};
  return all;
}

std::vector<SimilarityHistogram> added_similarities(const QmannReport& report, const std::string& row) {
  std::vector<SimilarityHistogram> sums;
  for (const QmannRun& run : report.runs) {
    if (run.row != row) continue;
    if (sums.empty()) {
      sums = run.similarities;
      continue;
    }
    for (std::size_t hop = 0; hop < std::min(sums.size(), run.similarities.size()); ++hop) {
      SimilarityHistogram& sum = sums[hop];
      const SimilarityHistogram& more = run.similarities[hop];
      for (std::size_t bin = 0; bin < sum.counts.size(); ++bin) sum.counts[bin] += more.counts[bin];
      sum.count += more.count;
      sum.saturated += more.saturated;
      sum.smallest = std::min(sum.smallest, more.smallest);
      sum.largest = std::max(sum.largest, more.largest);
    }
  }
  return sums;
}

std::string percent_text(double value) { return fixed_text(value, 1); }

std::string figure_text(const Figure& figure) {
  if (!figure.there()) return "-";
  return figure.by_seed.size() == 1 ? percent_text(figure.mean())
                                    : percent_text(figure.mean()) + " +- " + percent_text(figure.deviation());
}

std::string gain_text(double gain) { return fmt::format("{:.0f} % {}", std::abs(gain), gain < 0 ? "more" : "fewer"); }

std::vector<std::string> error_titles() {
  return {"row", "final %", "program %", "difference", "early stopped %", "program %", "difference", "seeds"};
}

std::vector<std::string> error_cells(const QmannReport& report, const QmannRow& row) {
  const Figure last = figure_of(report, row, &QmannRun::final_test),
               kept = figure_of(report, row, &QmannRun::kept_test);
  const Published theirs = published_of(report, row);
  const auto cell = [](std::optional<double> value) { return value ? percent_text(*value) : "-"; };
  return {row.title,
          figure_text(last),
          cell(theirs.final),
          difference_text(last, theirs.final),
          figure_text(kept),
          cell(theirs.early_stopped),
          difference_text(kept, theirs.early_stopped),
          std::to_string(last.by_seed.size())};
}

}  // namespace quaver
