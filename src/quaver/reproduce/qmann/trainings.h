// trainings.h - the trainings of some rows on some tasks: those that are stored are read, the others made and stored.
// Internal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "quaver/reproduce/qmann/rows.h"
#include "quaver/reproduce/qmann/run.h"
#include "quaver/workflow/listener.h"

namespace quaver {

struct QmannTraining {
  const QmannRow* row;
  const QmannTask* task;
  std::uint64_t seed;
  std::filesystem::path file;  // that keeps its run
};

// Whether a file has the name of such a file: it may be a training of hours, of this table or of another.
bool is_run_file(const std::filesystem::path& path);

// Seed by seed, so that a table of every row is there early. rows and tasks must outlive them.
std::vector<QmannTraining> plan_trainings(const std::vector<QmannRow>& rows, const std::vector<QmannTask>& tasks,
                                          std::uint64_t first_seed, const std::filesystem::path& work);

struct TrainingsOptions {
  std::size_t threads = 1;
  bool read_only = false;  // only those that are stored
  std::function<bool()> should_stop;
};
// In any order. The first error of any is thrown when all have ended; Error (failed) when it was stopped.
std::vector<QmannRun> run_trainings(const std::vector<QmannTraining>& trainings, const TrainingsOptions& options,
                                    Listener& listener);

}  // namespace quaver
