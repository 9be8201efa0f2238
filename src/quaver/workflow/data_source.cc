#include "quaver/workflow/data_source.h"

#include <algorithm>
#include <vector>

#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/workflow/fields.h"

namespace quaver {
namespace {

// RefusedField for an option that data of this kind does not look at; kind "": of a task.
void refuse_of_other_kinds(const OwnDataOptions& own, const std::string& kind, const std::string& here) {
  if (kind != "wav")
    refuse({{"--group", !own.group.empty()}, {"--sample-rate", own.sample_rate != 0}}, "recordings (wav:FOLDER)", here);
  if (kind != "csv")
    refuse({{"--label", !own.label.empty()},
            {"--target", !own.targets.empty()},
            {"--horizon", own.horizon.has_value()},
            {"--missing", own.missing.has_value()}},
           "tables (csv:FILE)", here);
  if (!own.label.empty()) refuse({{"--horizon", own.horizon.has_value()}}, "forecasts", "here --label is told");
  if (kind != "csv" && kind != "lm")
    refuse({{"--window", own.window != 0}}, "tables and running text (csv:FILE, lm:FILE)", here);
  if (kind != "text" && kind != "lm")
    refuse({{"--tokens", own.tokens.has_value()}, {"--vocabulary", own.vocabulary.has_value()}},
           "texts (text:FILE, lm:FILE)", here);
}

}  // namespace

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

void reads_own_data(CommandFiles& files, const std::string& spec) {
  if (const std::optional<DataSpec> own = parse_data_spec(spec)) files.reads(data_spec_text(*own), own->path);
}

void require_known_task(const std::string& task) {
  std::vector<std::string> names;
  for (const TaskInfo& info : tasks()) names.push_back(info.name);
  for (const std::string& name : story_task_names()) names.push_back(name);
  for (const DataKind& kind : data_kinds()) names.push_back(kind.name + ":PATH");
  require_known("task", task, names);
}

void require_useful(const DataSource& data, const std::string& spec) {
  std::string task = spec.substr(0, spec.find(':'));
  std::vector<std::string> generated{"stories"};
  for (const TaskInfo& info : tasks())
    if (info.needs.empty()) generated.push_back(info.name);
  const std::string here = concat("here '", printable(spec), "' is read");
  const std::optional<DataSpec> own = parse_data_spec(spec);
  const bool stories = is_story_task(own ? spec : task);
  if (own) {
    refuse({{"--data", data.data_dir.has_value()}}, "tasks", here);
    refuse_of_other_kinds(data.own, task, here);
    if (task != "wav" && task != "csv" && task != "text")
      refuse({{"--skip-broken", data.own.skip_broken}}, "recordings, tables and texts (wav:, csv:, text:)", here);
    if (task == "csv" || task == "lm" || stories)
      refuse({{"--data-seed", data.data_seed.has_value()}}, "splits that are drawn", here);
    task.clear();
    generated.emplace_back();
  } else {
    refuse_of_other_kinds(data.own, "", here);
    refuse({{"--skip-broken", data.own.skip_broken}}, "data of one's own (KIND:PATH)", here);
    if (std::ranges::count(generated, task) > 0)
      refuse({{"--data", data.data_dir.has_value()}}, "tasks whose data lies in a folder",
             concat(here, ", which is generated"));
  }
  if (!stories) refuse({{"--tasks", data.tasks.has_value()}}, "stories (tasks babi and stories, babi:FOLDER)", here);
  if (task != "babi") refuse({{"--set", data.set.has_value()}}, "task babi", here);
  if (task != "stories")
    refuse({{"--questions", data.questions.has_value()}}, "generated stories (task stories)", here);
  if (std::ranges::count(generated, task) == 0)
    refuse({{"--data-seed", data.data_seed.has_value()}}, concat("generated data (", join(generated, ", "), ")"), here);
}

}  // namespace quaver
