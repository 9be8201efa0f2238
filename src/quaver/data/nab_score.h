// nab_score.h - how well anomalies are found: the score of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015,
// "Evaluating real-time anomaly detection algorithms", IEEE ICMLA), standard profile.
//
// A row is an alarm where its score reaches the threshold, one for all series, the best there is. A position of -1 is
// the beginning of a window, 0 the row behind it, 1 a window's width further:
//
//   value(p) = 2 / (1 + exp(5 p)) - 1, and -1 for p >= 3
//
//   a window with an alarm     value(p) / value(-1) of its first alarm: 1 at its beginning, falling to 0 at its end
//   a window without           -1
//   an alarm in no window      0.11 value(p), p from the window before it in widths; 0.11 times -1 where there is none
//
// The sum over all series is mapped so that 0 is a detector without any alarm, 100 one that finds every window at once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/data/nab.h"

namespace quaver {

struct NabScore {
  double score = 0;               // 100 at most; below 0 where false alarms outweigh
  double threshold = 0;           // infinite where no alarm at all is best
  std::size_t windows = 0;        // of all series
  std::size_t found_windows = 0;  // with an alarm
  std::size_t false_alarms = 0;   // rows
};

// scores: of each series, a finite number a row behind its probation [rows - probation]; larger is more of an anomaly.
// Error (usage) naming the series whose scores are of another number, or when there is no window at all.
NabScore nab_score(std::span<const NabSeries> series, std::span<const std::vector<double>> scores);

// Of a forecast: surprise() at its absolute errors. test: of load_task("nab", "test"), as `series` are. forecasts: of
// each example, a number a step. Error (usage) as above, and for forecasts of another number.
NabScore nab_score_of(std::span<const NabSeries> series, const Dataset& test,
                      std::span<const std::vector<float>> forecasts);

// How unusual the latest errors of a forecast are, from what was seen before: the mean of the last 10, less the mean of
// the last 8640, in deviations of those; 0 for the first 10. The likelihood that Ahmad et al. (2017) report is the
// probability that a normal variable is below it, which ranks rows alike. errors: any finite numbers, absolute errors
// say. Returns a number each.
std::vector<double> surprise(std::span<const double> errors);

}  // namespace quaver
