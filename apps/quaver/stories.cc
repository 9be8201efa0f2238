#include "stories.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "console_listener.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/babi.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/report/show/progress.h"
#include "quaver/report/show/table.h"
#include "quaver/train/common/parallel.h"
#include "quaver/workflow/memory/story_input.h"
#include "shared.h"

namespace quaver {
namespace {

// What one network learns from: one task, or all of them.
struct Group {
  std::string label;  // "qa7", "joint"
  std::filesystem::path out, warm_start;
  std::vector<StoryTask> tasks{};  // once they are loaded

  std::vector<Story> stories(std::vector<Story> StoryTask::*split) const {
    std::vector<Story> all;
    for (const StoryTask& task : tasks) all.insert(all.end(), (task.*split).begin(), (task.*split).end());
    return all;
  }
};

std::filesystem::path own_checkpoint(const Group& group) { return group.out.string() + ".checkpoint"; }

// Of all networks, before any data is read.
std::vector<Group> planned_groups(const MemoryTraining& training) {
  if (training.data.joint()) return {Group{"joint", training.out, training.warm_start}};
  const std::vector<std::size_t> numbers = story_task_numbers(training.task, training.data.of_stories().tasks);
  std::vector<Group> groups;
  for (const std::size_t number : numbers) {
    Group& group = groups.emplace_back(Group{concat("qa", number), training.out, training.warm_start});
    for (std::filesystem::path* path : {&group.out, &group.warm_start})
      if (numbers.size() > 1 && !path->empty()) path->replace_extension(concat(".", group.label, ".safetensors"));
  }
  return groups;
}

void load_groups(const MemoryTraining& training, std::vector<Group>& groups) {
  std::vector<StoryTask> tasks = load_story_tasks(training.task, training.data.of_stories(training.limit));
  if (training.data.joint()) {
    groups.front().tasks = std::move(tasks);
    return;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i].tasks.push_back(std::move(tasks[i]));
}

void require_files(const std::vector<Group>& groups, const MemoryTrainOptions& options) {
  CommandFiles files;
  for (const Group& group : groups) {
    files.reads("--warm-start", group.warm_start);
    files.writes("--output", group.out);
    MemoryTrainOptions own = options;
    if (own.checkpoint.empty()) own.checkpoint = own_checkpoint(group);
    for (const std::filesystem::path& path : memory_checkpoints(own))
      files.writes(options.checkpoint.empty() ? "the checkpoint of --output" : "--checkpoint", path);
  }
  files.check();
}

// With several networks some may not have begun when the program was stopped, but not all of them.
void require_a_checkpoint(const std::vector<Group>& groups, const MemoryTrainOptions& options) {
  for (const Group& group : groups) {
    MemoryTrainOptions own = options;
    if (own.checkpoint.empty()) own.checkpoint = own_checkpoint(group);
    const std::vector<std::filesystem::path> paths = memory_checkpoints(own);
    if (std::ranges::any_of(paths, [](const auto& path) { return std::filesystem::exists(path); })) return;
  }
  throw_bad_input(concat((options.checkpoint.empty() ? own_checkpoint(groups.front()) : options.checkpoint).string(),
                         groups.size() > 1 ? " or another network's" : "",
                         ": there is no checkpoint to resume; start without "
                         "--resume"));
}

struct GroupResult {
  MemoryTrainResult training;
  std::vector<MemoryScore> tests;  // of each task
  double error = 0;                // mean over the tasks
};

// Shows the epochs of all groups as one bar; called from several threads.
class EpochCounter {
 public:
  explicit EpochCounter(std::size_t total) : progress_("training", "epochs", total) {}
  void update(const std::string& label, std::size_t epochs, const MemoryTrainProgress& now) {
    const std::lock_guard lock(mutex_);
    done_ += epochs;
    progress_.update(done_, fmt::format("{} epoch {}/{}{}  loss {:.4f}  validation {:.2f} %", label, now.epoch,
                                        now.epochs, now.linear ? " linear" : "", now.loss, now.validation_error));
  }

 private:
  std::mutex mutex_;
  Progress progress_;
  std::size_t done_ = 0;
};

GroupResult train_group(const Group& group, const MemoryTraining& training, EpochCounter& counter,
                        const std::function<bool()>& should_stop) {
  const Vocabulary vocabulary = story_vocabulary(group.tasks);
  MemoryTrainOptions options = training.options;
  const auto coded = [&](std::vector<Story> StoryTask::*split) {
    return CodedStories(group.stories(split), vocabulary, options.memory);
  };
  const CodedStories train_data = coded(&StoryTask::train), validation_data = coded(&StoryTask::validation);
  ConsoleListener listener;
  warn_of_losses(concat(group.label, ", training"), train_data, options.memory, listener);
  if (options.checkpoint.empty()) options.checkpoint = own_checkpoint(group);
  options.resume = options.resume && std::filesystem::exists(options.checkpoint);
  options.should_stop = should_stop;
  std::optional<MemoryNetwork> warm_start;
  if (!group.warm_start.empty()) options.warm_start = &warm_start.emplace(load_memory_network(group.warm_start));
  std::size_t shown = 0;
  options.on_progress = [&](const MemoryTrainProgress& now) {
    const std::size_t done = (now.repeat - 1) * now.epochs + now.epoch;
    counter.update(group.label, done - shown, now);
    shown = done;
  };
  GroupResult result{train_memory(train_data, validation_data, vocabulary, options), {}, 0};
  if (result.training.interrupted) return result;

  MemoryNetwork& network = result.training.network;
  network.name = group.out.stem().string();
  network.task = training.task;
  network.provenance = {{"command", command_line()},
                        {"tool", "quaver " QUAVER_VERSION},
                        {"seed", std::to_string(result.training.seed)},
                        {"stories", group.label},
                        {"data", hex64(train_data.content_hash())}};
  save(network, group.out);
  for (const StoryTask& task : group.tasks) {
    const CodedStories test(task.test, vocabulary, options.memory);
    warn_of_losses(concat("qa", task.number, ", test"), test, options.memory, listener);
    result.tests.push_back(score_memory(network, test));
    result.error += result.tests.back().error / static_cast<double>(group.tasks.size());
  }
  return result;
}

// Every group once, on as many threads as asked for. The first error of any is thrown when all have ended.
std::vector<GroupResult> train_groups(const std::vector<Group>& groups, const MemoryTraining& training,
                                      const std::function<bool()>& should_stop) {
  std::vector<GroupResult> results(groups.size());
  const std::size_t epochs = training.options.epochs + training.options.linear_epochs;
  EpochCounter counter(epochs * groups.size() * training.options.repeats);
  parallel_try(training.shared.thread_count(), groups.size(), [&](std::size_t i, const std::atomic<bool>& failed) {
    results[i] = train_group(groups[i], training, counter, [&] { return failed || should_stop(); });
  });
  return results;
}

double mean_of(const std::vector<GroupResult>& results, const std::function<double(const GroupResult&)>& value) {
  double sum = 0;
  for (const GroupResult& result : results) sum += value(result);
  return sum / static_cast<double>(results.size());
}

}  // namespace

void run_memory_training(const MemoryTraining& training, const std::function<bool()>& should_stop) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<Group> groups = planned_groups(training);
  check_memory_training(training.options);
  if (groups.size() > 1 && !training.options.checkpoint.empty())
    throw_usage("--checkpoint names one file, but there are several networks; each has its own beside its model");
  require_files(groups, training.options);
  if (training.options.resume) require_a_checkpoint(groups, training.options);
  load_groups(training, groups);
  for (const Group& group : groups)
    for (const StoryTask& task : group.tasks)
      if (task.small_train)
        warn(fmt::format("qa{}: set {} has no training file of this task; that of en stands in", task.number,
                         training.data.of_stories().set));
  const std::vector<GroupResult> results = train_groups(groups, training, should_stop);
  if (std::ranges::any_of(results, [](const GroupResult& result) { return result.training.interrupted; }) ||
      should_stop())
    throw_failed("interrupted; the same command with --resume goes on from the checkpoints beside the models");
  if (training.options.checkpoint.empty())
    for (const Group& group : groups) {
      MemoryTrainOptions options = training.options;
      options.checkpoint = own_checkpoint(group);
      for (const std::filesystem::path& path : memory_checkpoints(options)) std::filesystem::remove(path);
    }

  Table table({{"task", Align::kLeft},
               {"train %"},
               {"validation %"},
               {"test error %"},
               {"epochs"},
               {"best"},
               {"seconds"},
               {"model", Align::kLeft}});
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  std::size_t questions = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const MemoryTrainResult& trained = results[i].training;
    table.add_row({groups[i].label, fixed_text(trained.train.error, 2), fixed_text(trained.validation.error, 2),
                   fixed_text(results[i].error, 2), std::to_string(trained.epochs), std::to_string(trained.best_epoch),
                   fixed_text(trained.seconds, 1), groups[i].out.string()});
    for (std::size_t j = 0; j < groups[i].tasks.size(); ++j) {
      const StoryTask& task = groups[i].tasks[j];
      const MemoryScore& test = results[i].tests[j];
      questions += test.questions;
      if (groups[i].tasks.size() > 1) table.add_row({task.name, "", "", fixed_text(test.error, 2), "", "", "", ""});
      rows.push_back({{"task", task.name},
                      {"value", test.error},
                      {"n", test.questions},
                      {"loss", test.loss},
                      {"train", trained.train.error},
                      {"validation", trained.validation.error},
                      {"epochs", trained.epochs},
                      {"best_epoch", trained.best_epoch},
                      {"seconds", trained.seconds},
                      {"seed", trained.seed},
                      {"small_train", task.small_train},
                      {"model", groups[i].out.string()}});
    }
  }
  const double error = mean_of(results, [](const GroupResult& result) { return result.error; });
  const double validation =
      mean_of(results, [](const GroupResult& result) { return result.training.validation.error; });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (groups.size() > 1)
    table.add_row({"mean", "", fixed_text(validation, 2), fixed_text(error, 2), "", "", fixed_text(seconds, 1), ""});
  print_result(training.shared,
               {{"task", training.task},
                {"metric", "error"},
                {"value", error},
                {"n", questions},
                {"validation", validation},
                {"epochs", results.front().training.epochs},
                {"seconds", seconds},
                {"model", training.out.string()},
                {"cell", kMemoryCell},
                {"scheme", memory_scheme_text(training.options.scheme)},
                {"hops", training.options.hops},
                {"embedding", training.options.d},
                {"seed", training.options.seed},
                {"results", rows}},
               table.text());
}

}  // namespace quaver
