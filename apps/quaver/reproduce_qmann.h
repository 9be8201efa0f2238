// reproduce_qmann.h - the runs behind Q-MANN's tables (Park et al. 2018) and MemN2N's (Sukhbaatar et al. 2015): which
// trainings there are, what each leaves behind, and what is made of them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/data/babi.h"
#include "quaver/report/cost/memory_costs.h"
#include "quaver/report/error/memory_points.h"
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
};
std::vector<QmannRow> qmann_rows();

// A task as all rows read it.
struct QmannTask {
  std::size_t number = 0;
  std::string name, set;
  bool small_train = false;
  Vocabulary vocabulary;
  CodedStories train, validation, test;
};

// What one training leaves behind; read from its file or made and written.
struct QmannRun {
  std::string row{};
  std::size_t task = 0;
  std::uint64_t seed = 0;
  double final_test = 0;                                      // percent, weights of the last epoch
  double kept_train = 0, kept_validation = 0, kept_test = 0;  // percent, weights that were kept
  std::size_t kept_epoch = 0;
  // Of the last epoch's weights over the test questions; fixed point only.
  std::vector<SimilarityHistogram> similarities{};
};
// Everything that decides the run's result, as text.
std::string run_identity(const QmannRow& row, const QmannTask& task, std::uint64_t seed);
inline constexpr std::size_t kSimilarityBins = 64;
nlohmann::ordered_json to_json(const QmannRun& run);
// nlohmann's exceptions for what is no run; Error (bad input) for one that training this row on this task with this
// seed cannot leave: another's, or with figures, counts or ranges that are none.
QmannRun run_from_json(const nlohmann::json& json, const QmannRow& row, const QmannTask& task, std::uint64_t seed);

struct QmannReport {
  // "babi"; the flags that decide the result, as a command; what the user has to say about machine and code.
  std::string task{}, command{}, note{};
  std::size_t epochs = 0;  // of each training; 0: as the recipes say
  std::uint64_t seed = 1;  // of the first training of each row and task
  std::vector<QmannRow> rows{};
  std::vector<std::string> task_names{};           // of the numbers below
  std::vector<std::size_t> tasks{};                // in order
  std::vector<bool> small_train{};                 // en-10k has no file: listed apart
  std::vector<QmannRun> runs{};                    // those that are there, in any order
  std::map<std::string, MemoryEnergy> energies{};  // a row: pJ a question, mean over the tasks of its mean
  double facts = 0;                                // that a question is asked of, mean over these tasks
  std::size_t planned = 0;                         // runs that there should be
};
// From what the rows' networks would be asked: the test questions of `tasks`.
void set_energies(QmannReport& report, const std::vector<QmannTask>& tasks);
nlohmann::ordered_json to_json(const QmannReport& report);
std::string to_markdown(const QmannReport& report);
std::string to_text(const QmannReport& report);  // the table of errors alone
// Programs for gnuplot; empty where there is nothing to draw.
std::string error_plot(const QmannReport& report, const std::filesystem::path& file);
std::string similarity_plot(const QmannReport& report, const std::filesystem::path& file);

}  // namespace quaver
