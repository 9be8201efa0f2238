// task_row.h - one row of the table of tasks, and what the rows share. Internal to this floor.
//
// To add a task: a file of its own that defines a function returning its row, and a line in the table of tasks.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/data/tasks.h"

namespace quaver {

enum class Split : std::uint8_t { kTrain, kValidation, kTest };

std::string split_name(Split split);
Split parse_split(const std::string& name);  // Error (usage) that lists them

struct TaskRow {
  TaskInfo info;
  // Fills `data.examples`; load_task() fills the rest from `info`. Empty when the source has nothing for this split.
  std::vector<Example> (*load)(Split split, const TaskOptions& options);
  // As task_figures() and task_controls() have them; null where the task has no figures of its own.
  std::vector<TaskFigure> (*figures)(const TaskOptions& options, const Dataset& test,
                                     std::span<const std::vector<float>> outputs) = nullptr;
  std::vector<TaskControl> (*controls)(const TaskOptions& options, const Dataset& test) = nullptr;
};

TaskRow chirps_row();
TaskRow chirps_tags_row();
TaskRow digits_row();
TaskRow ecg_row();
TaskRow ett_row();
TaskRow ett_all_row();
TaskRow har_row();
TaskRow japanese_vowels_row();
TaskRow jsb_row();
TaskRow nab_row();
TaskRow nottingham_row();
TaskRow shakespeare_row();

// Which `limit` of `count` examples to take: rising, evenly spread; all of them when limit is 0 or not less. How many,
// which is number i of them, and all their indices.
std::size_t spread_size(std::size_t count, std::size_t limit);
std::size_t spread_index(std::size_t count, std::size_t limit, std::size_t i);
std::vector<std::size_t> spread(std::size_t count, std::size_t limit);
// The examples at spread(examples.size(), limit).
std::vector<Example> spread_over(std::vector<Example> examples, std::size_t limit);

// The folder that holds the data sets: the given one, else that of QUAVER_DATA, else ../shared/data.
std::filesystem::path data_folder(const TaskOptions& options);

// Where a task that is not built in finds its file. Error (bad input) when it is not there.
struct DataFile {
  std::string task;      // for messages
  std::string file;      // below the data folder
  std::string set;       // the publisher's name of the data, and where it is published
  std::string contents;  // what the file holds
};
std::filesystem::path find_data_file(const DataFile& wanted, const TaskOptions& options);

}  // namespace quaver
