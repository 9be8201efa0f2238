// evaluate.h - how often a network is right on a task's data.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "quaver/report/show/evaluate_report.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct EvaluateRequest {
  std::filesystem::path model{};
  std::string task{}, split = "test";  // a task, or KIND:PATH
  std::string metric{};                // of sequences: what judges (metrics/metric.h); empty: the data's own
  bool controls = false;               // of sequences: what predictors without a network reach too (data/controls)
  std::size_t limit = 0;               // sequences of a split, or questions of each task, at most; 0: all
  DataSource data{};
  std::size_t threads = 1;
};

// Error (usage) for an unknown task or split, or fields that do not suit it; (bad input) for a model that does not fit
// the task, or what cannot be read. Forecasts of test of task nab are judged by the benchmark's score too
// (data/nab_score.h), and so are controls.
EvaluateReport evaluate(const EvaluateRequest& request, Listener& listener);

}  // namespace quaver
