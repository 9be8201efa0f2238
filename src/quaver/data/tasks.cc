#include "quaver/data/tasks.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

const std::vector<TaskRow>& rows() {
  static const std::vector<TaskRow> table{
      chirps_row(), chirps_tags_row(),     digits_row(), ecg_row(), ett_row(),        ett_all_row(),
      har_row(),    japanese_vowels_row(), jsb_row(),    nab_row(), nottingham_row(), shakespeare_row(),
  };
  return table;
}

// "did you mean 'digits'? " or "".
std::string suggestion(const std::string& word, std::span<const std::string> candidates) {
  const std::string near = closest(word, candidates);
  return near.empty() ? "" : concat("did you mean '", near, "'? ");
}

const TaskRow& find_row(const std::string& name) {
  std::vector<std::string> names;
  for (const TaskRow& row : rows()) {
    if (row.info.name == name) return row;
    names.push_back(row.info.name);
  }
  throw_usage(concat("unknown task '", name, "': ", suggestion(name, names), "the tasks are ", join(names, ", ")));
}

// What QUAVER_DATA says; null when it is not set or empty.
const char* environment_folder() {
  const char* environment = std::getenv("QUAVER_DATA");
  return environment != nullptr && *environment != '\0' ? environment : nullptr;
}

}  // namespace

std::string split_name(Split split) {
  switch (split) {
    case Split::kTrain: return "train";
    case Split::kValidation: return "validation";
    case Split::kTest: return "test";
  }
  return "";
}

Split parse_split(const std::string& name) {
  std::vector<std::string> names;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    if (split_name(split) == name) return split;
    names.push_back(split_name(split));
  }
  throw_usage(concat("unknown split '", name, "': ", suggestion(name, names), "the splits are ", join(names, ", ")));
}

std::size_t spread_size(std::size_t count, std::size_t limit) { return limit == 0 ? count : std::min(count, limit); }

std::size_t spread_index(std::size_t count, std::size_t limit, std::size_t i) {
  return i * count / spread_size(count, limit);
}

std::vector<std::size_t> spread(std::size_t count, std::size_t limit) {
  std::vector<std::size_t> indices(spread_size(count, limit));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = spread_index(count, limit, i);
  return indices;
}

std::vector<Example> spread_over(std::vector<Example> examples, std::size_t limit) {
  std::vector<Example> taken;
  for (const std::size_t index : spread(examples.size(), limit)) taken.push_back(std::move(examples[index]));
  return taken;
}

std::filesystem::path data_folder(const TaskOptions& options) {
  const char* environment = environment_folder();
  return options.data_dir.value_or(environment != nullptr ? environment : "../shared/data");
}

std::filesystem::path find_data_file(const DataFile& wanted, const TaskOptions& options) {
  std::filesystem::path path = data_folder(options) / wanted.file;
  std::error_code ignored;  // a folder that may not be entered counts as missing
  if (std::filesystem::is_regular_file(path, ignored)) return path;
  const std::string source = options.data_dir                  ? "in the given data folder"
                             : environment_folder() != nullptr ? "in the folder of QUAVER_DATA"
                                                               : "in the default data folder; QUAVER_DATA is not set";
  throw_bad_input(concat("task '", wanted.task, "': no file ", path.string(), " (", source, "); it needs the ",
                         wanted.set, ": the data folder must hold ", wanted.file, " with ", wanted.contents,
                         "; point to the folder with --data DIR or the environment variable QUAVER_DATA"));
}

std::vector<TaskInfo> tasks() {
  std::vector<TaskInfo> infos;
  for (const TaskRow& row : rows()) infos.push_back(row.info);
  return infos;
}

const TaskInfo& task_info(const std::string& name) { return find_row(name).info; }

Dataset load_task(const std::string& name, const std::string& split, const TaskOptions& options) {
  const TaskRow& row = find_row(name);
  Dataset data;
  data.task = row.info.name;
  data.split = split;
  data.target = row.info.target;
  data.features = row.info.features;
  data.vocabulary = row.info.vocabulary;
  data.outputs = row.info.outputs;
  data.metric = row.info.metric;
  data.classes = row.info.classes;
  data.examples = row.load(parse_split(split), options);
  if (data.examples.empty())
    throw_bad_input(concat("task '", name, "': its data has no examples of split '", split, "'"));
  return data;
}

bool has_figures(const std::string& name) { return find_row(name).figures != nullptr; }

std::vector<TaskFigure> task_figures(const std::string& name, const TaskOptions& options, const Dataset& test,
                                     std::span<const std::vector<float>> outputs) {
  const TaskRow& row = find_row(name);
  return row.figures == nullptr ? std::vector<TaskFigure>{} : row.figures(options, test, outputs);
}

std::vector<TaskControl> task_controls(const std::string& name, const TaskOptions& options, const Dataset& test) {
  const TaskRow& row = find_row(name);
  return row.controls == nullptr ? std::vector<TaskControl>{} : row.controls(options, test);
}

}  // namespace quaver
