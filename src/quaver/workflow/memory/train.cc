#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/data/babi.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/report/show/table.h"
#include "quaver/train/common/parallel.h"
#include "quaver/train/memory/train.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"
#include "quaver/workflow/option_text.h"

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
std::vector<Group> planned_groups(const TrainRequest& request) {
  if (request.data.joint()) return {Group{"joint", request.out, request.warm_start}};
  const std::vector<std::size_t> numbers = story_task_numbers(request.task, request.data.of_stories().tasks);
  std::vector<Group> groups;
  for (const std::size_t number : numbers) {
    Group& group = groups.emplace_back(Group{concat("qa", number), request.out, request.warm_start});
    for (std::filesystem::path* path : {&group.out, &group.warm_start})
      if (numbers.size() > 1 && !path->empty()) path->replace_extension(concat(".", group.label, ".safetensors"));
  }
  return groups;
}

void load_groups(const TrainRequest& request, std::vector<Group>& groups, Listener& listener) {
  std::vector<StoryTask> tasks = load_story_tasks(request.task, request.data.of_stories(request.limit));
  if (request.data.joint()) {
    groups.front().tasks = std::move(tasks);
  } else {
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i].tasks.push_back(std::move(tasks[i]));
  }
  for (const Group& group : groups)
    for (const StoryTask& task : group.tasks)
      if (task.small_train)
        listener.warn(concat("qa", task.number, ": set ", request.data.of_stories().set,
                             " has no training file of this task; that of en stands in"));
}

std::vector<std::filesystem::path> checkpoints_of(const Group& group, MemoryTrainOptions options) {
  if (options.checkpoint.empty()) options.checkpoint = own_checkpoint(group);
  return memory_checkpoints(options);
}

void require_files(const TrainRequest& request, const std::vector<Group>& groups, const MemoryTrainOptions& options) {
  CommandFiles files;
  reads_own_data(files, request.task);
  for (const Group& group : groups) {
    files.reads("--warm-start", group.warm_start);
    files.writes_file("--output", group.out);
    for (const std::filesystem::path& path : checkpoints_of(group, options))
      files.writes_file(options.checkpoint.empty() ? "the checkpoint of --output" : "--checkpoint", path);
  }
  files.check();
  if (options.resume) return;
  for (const Group& group : groups)
    for (const std::filesystem::path& path : checkpoints_of(group, options)) require_no_checkpoint(path);
}

// With several networks some may not have begun when the program was stopped, but not all of them.
void require_a_checkpoint(const std::vector<Group>& groups, const MemoryTrainOptions& options) {
  for (const Group& group : groups) {
    const std::vector<std::filesystem::path> paths = checkpoints_of(group, options);
    if (std::ranges::any_of(paths, [](const auto& path) { return std::filesystem::exists(path); })) return;
  }
  throw_bad_input(concat((options.checkpoint.empty() ? own_checkpoint(groups.front()) : options.checkpoint).string(),
                         groups.size() > 1 ? " or another network's" : "",
                         ": there is no checkpoint to resume; start without "
                         "--resume"));
}

// Tells the listener of the epochs of all groups as one count, of whichever thread.
class EpochCounter {
 public:
  EpochCounter(std::size_t total, Listener& listener) : listener_(listener) {
    listener.begin("training", "epochs", total);
  }
  void update(const std::string& label, std::size_t epochs, const MemoryTrainProgress& now) {
    const std::lock_guard lock(mutex_);
    done_ += epochs;
    listener_.advance(done_,
                      concat(label, " epoch ", now.epoch, "/", now.epochs, now.linear ? " linear" : "", "  loss ",
                             fixed_text(now.loss, 4), "  validation ", fixed_text(now.validation_error, 2), " %"));
  }
  void warn_of_losses(const std::string& what, const CodedStories& data, std::size_t memory) {
    const std::lock_guard lock(mutex_);
    quaver::warn_of_losses(what, data, memory, listener_);
  }

 private:
  std::mutex mutex_;
  Listener& listener_;
  std::size_t done_ = 0;
};

struct GroupResult {
  TrainedMemory network;
  bool interrupted = false;
};

GroupResult train_group(const Group& group, const TrainRequest& request, MemoryTrainOptions options,
                        EpochCounter& counter) {
  const Vocabulary vocabulary = story_vocabulary(group.tasks);
  const auto coded = [&](std::vector<Story> StoryTask::*split) {
    return CodedStories(group.stories(split), vocabulary, options.memory);
  };
  const CodedStories train_data = coded(&StoryTask::train), validation_data = coded(&StoryTask::validation);
  counter.warn_of_losses(concat(group.label, ", training"), train_data, options.memory);
  if (options.checkpoint.empty()) options.checkpoint = own_checkpoint(group);
  options.resume = options.resume && std::filesystem::exists(options.checkpoint);
  std::optional<MemoryNetwork> warm_start;
  if (!group.warm_start.empty()) options.warm_start = &warm_start.emplace(load_memory_network(group.warm_start));
  std::size_t shown = 0;
  options.on_progress = [&](const MemoryTrainProgress& now) {
    const std::size_t done = (now.repeat - 1) * now.epochs + now.epoch;
    counter.update(group.label, done - shown, now);
    shown = done;
  };
  MemoryTrainResult trained = train_memory(train_data, validation_data, vocabulary, options);
  GroupResult result{.network = {.label = group.label,
                                 .model = group.out.string(),
                                 .train = trained.train.error,
                                 .validation = trained.validation.error,
                                 .epochs = trained.epochs,
                                 .best_epoch = trained.best_epoch,
                                 .seed = trained.seed,
                                 .seconds = trained.seconds},
                     .interrupted = trained.interrupted};
  if (result.interrupted) return result;

  MemoryNetwork& network = trained.network;
  network.name = group.out.stem().string();
  network.task = request.task;
  network.provenance = {{"tool", concat("quaver ", version())},
                        {"seed", std::to_string(trained.seed)},
                        {"stories", group.label},
                        {"data", hex64(train_data.content_hash())}};
  if (!request.command.empty()) network.provenance["command"] = request.command;
  save(network, group.out);
  for (const StoryTask& task : group.tasks) {
    const CodedStories test(task.test, vocabulary, options.memory);
    counter.warn_of_losses(concat("qa", task.number, ", test"), test, options.memory);
    const MemoryScore score = score_memory(network, test);
    result.network.tests.push_back({task.name, score.error, score.loss, score.questions, task.small_train});
    result.network.error += score.error / static_cast<double>(group.tasks.size());
  }
  return result;
}

MemoryTrainOptions options_of(const TrainRequest& request) {
  const MemoryScheme scheme = memory_scheme(request.scheme, request.switches);
  const std::string recipe = !request.recipe.empty() ? request.recipe
                             : scheme.is_scaled()    ? "fine-tune"
                             : scheme.is_fixed()     ? "qmann"
                                                     : "memn2n";
  require_known("recipe", recipe, {"memn2n", "qmann", "fine-tune"});
  const bool joint = request.data.joint();
  MemoryTrainOptions options = recipe == "qmann"       ? qmann_recipe(scheme)
                               : recipe == "fine-tune" ? fine_tune_recipe(scheme, joint)
                                                       : memn2n_recipe(joint);
  options.scheme = scheme;
  std::map<std::string, std::string> texts = request.options;
  if (const auto cell = texts.find("cell"); cell != texts.end()) {
    require_known("cell of this task", cell->second, {kMemoryCell});
    texts.erase(cell);
  }
  set_options(texts, options);
  options.max_memory = request.data.max_memory;
  options.checkpoint = request.checkpoint;
  options.resume = request.resume;
  return options;
}

void refuse_of_recurrent(const TrainRequest& request) {
  const std::vector<std::string> known = option_names(MemoryTrainOptions{});
  for (const std::string& name : option_names(TrainOptions{})) {
    if (name == "cell" || std::ranges::find(known, name) != known.end()) continue;
    const std::string flag = flag_of_option(name);
    refuse({{flag.c_str(), request.options.contains(name)}}, "recurrent cells",
           concat("here task '", request.task, "' trains a memory network"));
  }
}

}  // namespace

TrainReport train_memory_networks(const TrainRequest& request, Listener& listener) {
  const auto start = std::chrono::steady_clock::now();
  refuse_of_recurrent(request);
  const MemoryTrainOptions options = options_of(request);
  std::vector<Group> groups = planned_groups(request);
  check_memory_training(options);
  if (groups.size() > 1 && !options.checkpoint.empty())
    throw_usage("--checkpoint names one file, but there are several networks; each has its own beside its model");
  require_files(request, groups, options);
  if (options.resume) require_a_checkpoint(groups, options);
  load_groups(request, groups, listener);

  // Every group once, on as many threads as asked for. The first error of any is thrown when all have ended.
  std::vector<GroupResult> results(groups.size());
  EpochCounter counter((options.epochs + options.linear_epochs) * groups.size() * options.repeats, listener);
  const auto should_stop = [&] { return request.should_stop && request.should_stop(); };
  parallel_try(std::max<std::size_t>(1, request.threads), groups.size(),
               [&](std::size_t i, const std::atomic<bool>& failed) {
                 MemoryTrainOptions own = options;
                 own.should_stop = [&] { return failed || should_stop(); };
                 results[i] = train_group(groups[i], request, own, counter);
               });
  if (std::ranges::any_of(results, &GroupResult::interrupted) || should_stop())
    throw_failed("interrupted; the same command with --resume goes on from the checkpoints beside the models");
  if (options.checkpoint.empty()) {
    for (const Group& group : groups)
      for (const std::filesystem::path& path : checkpoints_of(group, options)) std::filesystem::remove(path);
  }
  MemoryTrainReport report{.scheme = memory_scheme_text(options.scheme), .hops = options.hops, .embedding = options.d};
  for (GroupResult& result : results) report.networks.push_back(std::move(result.network));
  return {.of_kind = std::move(report),
          .task = request.task,
          .model = request.out.string(),
          .seed = options.seed,
          .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

}  // namespace quaver
