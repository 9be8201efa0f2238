// report.h - what the runs behind the tables say together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "quaver/report/cost/memory_costs.h"
#include "quaver/reproduce/qmann/rows.h"
#include "quaver/reproduce/qmann/run.h"

namespace quaver {

struct QmannReport {
  // "babi"; the flags that decide the result, as a command; what the user has to say about machine and code.
  std::string task{}, command{}, note{};
  std::string tool{}, cpu{};  // "quaver 0.1.0"
  std::size_t epochs = 0;     // of each training; 0: as the recipes say
  std::uint64_t seed = 1;     // of the first training of each row and task
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
}  // namespace quaver
