// tasks.h - the named tasks: where their data comes from and how it becomes a Dataset.
//
//   chirps          built in, generated from a seed: ten classes of chirps in noise, real features
//   chirps_tags     built in: a long stream of chirps and noise, one label a step (0 is noise)
//   digits          spoken digits, Free Spoken Digit Dataset (fsdd/fsdd_recordings.tar.xz)
//   ecg             kinds of heart beats, MIT-BIH Arrhythmia Database (ecg/mitdb_100_101_203.tar.xz)
//   ett             a transformer's oil temperature in the next 24 hours (ett/ETTh1.csv.xz)
//   ett_all         the same of its loads too
//   har             smartphone activity, HAPT raw signals (har/hapt_raw.tar.xz)
//   japanese_vowels nine speakers by two vowels (japanese_vowels/JapaneseVowels_{TRAIN,TEST}.ts.xz)
//   jsb             Bach's chorales, which keys sound next (polyphonic_music/JSB_Chorales.txt.xz)
//   nab             the next value of series with anomalies, Numenta Anomaly Benchmark (nab/nab.tar.xz; data/nab.h)
//   nottingham      the same of folk tunes (polyphonic_music/Nottingham.txt.xz)
//   shakespeare     the next character of plays (text/tinyshakespeare.txt.xz)
// Data folders: options.data_dir, else the environment's QUAVER_DATA, else ../shared/data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"

namespace quaver {

struct TaskOptions {
  std::optional<std::filesystem::path> data_dir{};  // folder that holds fsdd/, har/, ...
  std::uint64_t seed = 1;                           // of generated data; files have a fixed split
  std::size_t limit = 0;                            // examples at most (evenly spread over the split); 0: all
  std::uint64_t max_memory = kDefaultMaxMemory;     // bytes of the files that are read, unpacked, all together
};

// What the real targets of a forecast are later values of.
struct Forecast {
  std::vector<std::size_t> columns{};  // features of the input, as each row of a target has them; none: no forecast
  std::size_t rows_a_day = 0;          // 0: there is no day
};

struct TaskInfo {
  std::string name;
  std::string summary;  // one line
  Target target;
  std::size_t features;  // of one step
  std::vector<std::string> classes;
  std::string needs;        // a file below the data folder, or "" when built in
  double step_seconds;      // time one step stands for; 0 when it has none
  std::size_t outputs = 0;  // as Dataset has them
  std::size_t vocabulary = 0;
  std::string metric{};
  Forecast forecast{};
};

// What a task's own benchmark says of a model, beside the metrics.
struct TaskFigure {
  std::string name{};  // "nab_score"
  std::string unit{};
  double value = 0;
  bool is_count = false;  // a whole number
};

// What is reached without a network.
struct TaskControl {
  std::string name{};  // "persistence"
  std::vector<TaskFigure> figures{};
};

std::vector<TaskInfo> tasks();
const TaskInfo& task_info(const std::string& name);  // Error that lists the tasks and suggests the closest

// split: "train", "validation" or "test". Error (bad input) when the data is missing: where to get it and what the
// folder must hold. The same options give the same bytes on every machine of one architecture.
Dataset load_task(const std::string& name, const std::string& split, const TaskOptions& options = {});

bool has_figures(const std::string& name);
// Of the outputs for each example of load_task(name, "test", options), in their order; empty where there are none.
std::vector<TaskFigure> task_figures(const std::string& name, const TaskOptions& options, const Dataset& test,
                                     std::span<const std::vector<float>> outputs);
// The same figures of what needs no network.
std::vector<TaskControl> task_controls(const std::string& name, const TaskOptions& options, const Dataset& test);

}  // namespace quaver
