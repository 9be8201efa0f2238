#include "quaver/workflow/data_source.h"

#include <algorithm>
#include <vector>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/workflow/fields.h"

namespace quaver {

TaskOptions DataSource::of_sequences(std::size_t limit) const {
  TaskOptions options{.data_dir = data_dir, .limit = limit, .max_memory = max_memory};
  if (data_seed) options.seed = *data_seed;
  return options;
}

StoryOptions DataSource::of_stories(std::size_t limit) const {
  StoryOptions options{.data_dir = data_dir, .limit = limit, .max_memory = max_memory};
  if (tasks) options.tasks = joint() ? "all" : *tasks;
  if (set) options.set = *set;
  if (data_seed) options.seed = *data_seed;
  if (questions) options.questions = *questions;
  return options;
}

bool DataSource::names_several() const {
  return tasks && !joint() && tasks->find_first_not_of("0123456789") != std::string::npos;
}

bool is_story_task(const std::string& task) {
  const std::vector<std::string> names = story_task_names();
  return std::ranges::find(names, task) != names.end();
}

void require_known_task(const std::string& task) {
  std::vector<std::string> names;
  for (const TaskInfo& info : tasks()) names.push_back(info.name);
  for (const std::string& name : story_task_names()) names.push_back(name);
  require_known("task", task, names);
}

void require_useful(const DataSource& data, const std::string& spec) {
  const std::string task = spec.substr(0, spec.find(':'));
  std::vector<std::string> generated{"stories"};
  for (const TaskInfo& info : tasks())
    if (info.needs.empty()) generated.push_back(info.name);
  const std::string here = concat("here '", printable(spec), "' is read");
  if (!is_story_task(task)) refuse({{"--tasks", data.tasks.has_value()}}, "tasks of stories (babi, stories)", here);
  if (task != "babi") refuse({{"--set", data.set.has_value()}}, "task babi", here);
  if (task != "stories")
    refuse({{"--questions", data.questions.has_value()}}, "generated stories (task stories)", here);
  if (std::ranges::count(generated, task) == 0)
    refuse({{"--data-seed", data.data_seed.has_value()}}, concat("generated data (", join(generated, ", "), ")"), here);
}

}  // namespace quaver
