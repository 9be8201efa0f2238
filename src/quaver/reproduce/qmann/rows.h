// rows.h - the trainings behind Q-MANN's tables (Park et al. 2018) and MemN2N's (Sukhbaatar et al. 2015): a row each.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quaver/cells/memn2n/scheme.h"
#include "quaver/train/memory/train.h"

namespace quaver {

// Test errors in percent on bAbI: means over the row's tasks (en-10k: 19, without 3), and by task where they are known.
struct PublishedErrors {
  double final = 0;
  std::optional<double> early_stopped{};
  std::string source;  // "the authors' program, 2 seeds"
  std::map<std::size_t, double> final_by_task{};
};

// One line of the tables: a network of its own for every task and seed.
struct QmannRow {
  std::string key;    // of files: "qmann8"
  std::string title;  // for people: "Q-MANN, 8 bits, IWL 2, MQ"
  std::string set = "en-10k";
  std::size_t seeds = 0;  // at least so many where not --quick; 0: as many as asked for
  bool ablation = false;  // of the ablation alone
  std::optional<PublishedErrors> published{};
  MemoryTrainOptions options{};  // keep: kEarlyStopped or kBest; the last epoch's weights are the other column
  // Beyond the paper: what becomes of the float network that `options` trains. A scaled scheme, by calibration alone or
  // by training on, and the figures of a run are its.
  std::optional<MemoryScheme> calibrated{};
  std::optional<MemoryTrainOptions> fine_tuned{};

  bool beyond() const { return calibrated || fine_tuned; }
  bool is_memn2n() const { return options.keep == KeptWeights::kBest && !beyond(); }
  bool is_qmann() const { return !is_memn2n() && !beyond(); }
  const MemoryScheme& scheme() const;  // of what answers in the end
};
std::vector<QmannRow> qmann_rows();

}  // namespace quaver
