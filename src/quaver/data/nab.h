// nab.h - the series of task nab: what is judged of them, and where their anomalies are.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "quaver/data/tasks.h"

namespace quaver {

// Rows in which an anomaly counts as found: from `first` to `last`, from 0.
struct NabWindow {
  std::size_t first = 0, last = 0;
  bool operator==(const NabWindow&) const = default;
};

struct NabSeries {
  std::string name{};  // "realTweets/Twitter_volume_AMZN.csv"
  std::size_t rows = 0;
  std::size_t probation = 0;         // rows at the beginning that may be learned from and are not judged
  std::vector<NabWindow> windows{};  // rising, none overlaps another; each of them goes on behind the probation
};

// Of each example of load_task("nab", "test", options), in their order: step k of example i forecasts row
// probation + k of series i.
std::vector<NabSeries> nab_series(const TaskOptions& options = {});

}  // namespace quaver
