// figures.h - what is read off the runs of a report: means, deviations, pairs and steps, and their cells. Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quaver/report/error/memory_points.h"
#include "quaver/reproduce/qmann/report.h"

namespace quaver {

// Values of a row by seed, then by task.
std::map<std::uint64_t, std::map<std::size_t, double>> errors_of(const QmannReport& report, const std::string& row,
                                                                 double QmannRun::*value);
std::vector<std::size_t> mean_tasks(const QmannReport& report, const QmannRow& row);  // of the row's mean
const QmannRow* find_row(const QmannReport& report, const std::string& key);          // null: not asked for

struct Figure {
  std::vector<double> by_seed;  // means over the tasks, of seeds that have all of them

  bool there() const { return !by_seed.empty(); }
  double mean() const;
  double deviation() const;  // of the sample; 0 for one seed
};
Figure figure_of(const QmannReport& report, const QmannRow& row, double QmannRun::*value);

// The row's run on this task that has the lowest `by`; null where there is none.
const QmannRun* picked_run(const QmannReport& report, const QmannRow& row, std::size_t task, double QmannRun::*by);
// The mean over tasks of their picked runs; nothing unless all tasks have one.
std::optional<double> mean_of_picked(const QmannReport& report, const QmannRow& row, double QmannRun::*by);

// What was published for the tasks of the row's mean.
struct Published {
  std::optional<double> final, early_stopped;
};
Published published_of(const QmannReport& report, const QmannRow& row);

// Relative improvements by pairs of rows: what the paper's percentages compare.
struct Pairing {
  const char *title, *from, *to;
  double QmannRun::*value;
  const char* what;
};
struct PairingResult {
  const Pairing* pairing;
  double from, to;

  double gain() const { return from > 0 ? 100 * (from - to) / from : 0; }  // percent fewer errors
};
std::vector<PairingResult> pairing_results(const QmannReport& report);

// One ingredient more a step.
struct AblationStep {
  const char *title, *row;
  double QmannRun::*value;
};
const std::vector<AblationStep>& ablation_steps();

// Of all runs of a row: bins of one range can be added.
std::vector<SimilarityHistogram> added_similarities(const QmannReport& report, const std::string& row);

// Cells.
std::string percent_text(double value);
std::string figure_text(const Figure& figure);
std::string gain_text(double gain);  // "46 % fewer"
std::vector<std::string> error_titles();
std::vector<std::string> error_cells(const QmannReport& report, const QmannRow& row);  // below error_titles()

}  // namespace quaver
