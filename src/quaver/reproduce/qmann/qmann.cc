#include "quaver/reproduce/qmann/qmann.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <tuple>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/data/babi.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/report/show/json_text.h"
#include "quaver/report/show/plot.h"
#include "quaver/reproduce/qmann/plot.h"
#include "quaver/reproduce/qmann/trainings.h"
#include "quaver/workflow/fields.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeeds = 3;

std::vector<QmannTask> load_tasks(const ReproduceRequest& request, const std::string& set) {
  // Three that show what matters: one fact, and where fixed-point addressing loses most.
  const char* few = request.task == "babi" ? "1,8,11" : "1,6,7";
  StoryOptions options = request.data.of_stories();
  options.tasks = request.data.tasks.value_or(request.quick ? few : "all");
  options.set = set;
  std::vector<QmannTask> tasks;
  for (StoryTask& stories : load_story_tasks(request.task, options)) {
    const std::size_t memory = MemoryTrainOptions{}.memory;
    const Vocabulary vocabulary = story_vocabulary({&stories, 1});
    tasks.push_back({.number = stories.number,
                     .name = stories.name,
                     .set = set,
                     .small_train = stories.small_train,
                     .vocabulary = vocabulary,
                     .train = CodedStories(stories.train, vocabulary, memory),
                     .validation = CodedStories(stories.validation, vocabulary, memory),
                     .test = CodedStories(stories.test, vocabulary, memory)});
  }
  return tasks;
}

// Of both sets where the rows have them.
std::vector<QmannTask> load_tasks(const ReproduceRequest& request, const std::vector<QmannRow>& rows) {
  std::vector<QmannTask> tasks;
  for (const char* set : {"en-10k", "en"}) {
    if (std::ranges::none_of(rows, [&](const QmannRow& row) { return row.set == set; })) continue;
    try {
      std::ranges::move(load_tasks(request, set), std::back_inserter(tasks));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput || request.task != "babi") throw;
      throw_bad_input(concat(error.what(), "; or use generated stories: --task stories"));
    }
  }
  return tasks;
}

std::vector<QmannRow> chosen_rows(const ReproduceRequest& request, std::size_t seeds) {
  std::vector<QmannRow> rows = qmann_rows();
  std::vector<std::string> keys;
  for (const QmannRow& row : rows) keys.push_back(row.key);
  for (const std::string& key : request.rows) require_known("row", key, keys);
  std::erase_if(rows, [&](const QmannRow& row) {
    if (!request.rows.empty()) return std::ranges::count(request.rows, row.key) == 0;
    return (request.quick || request.task != "babi") && row.set != "en-10k";
  });
  for (QmannRow& row : rows) {
    row.seeds = request.quick ? seeds : std::max(seeds, row.seeds);
    if (request.epochs == 0) continue;
    row.options.epochs = request.epochs;
    row.options.linear_epochs = std::min(row.options.linear_epochs, request.epochs);
    if (row.fine_tuned) row.fine_tuned->epochs = std::min(row.fine_tuned->epochs, request.epochs);
  }
  return rows;
}

// What a reader types to get the same figures.
std::string command_of(const ReproduceRequest& request, std::size_t seeds) {
  std::string command = "quaver reproduce " + request.paper;
  if (request.quick) command += " --quick";
  const StoryOptions source = request.data.of_stories();
  if (request.task != "babi")
    command += fmt::format(" --task {} --questions {} --data-seed {}", request.task, source.questions, source.seed);
  if (request.data.tasks) command += " --tasks " + *request.data.tasks;
  if (!request.rows.empty()) command += " --rows " + join(request.rows, ",");
  if (request.epochs > 0) command += fmt::format(" --epochs {}", request.epochs);
  if (request.seed != 1) command += fmt::format(" --seed {}", request.seed);
  return command + fmt::format(" --seeds {}", seeds);
}

void set_tasks(QmannReport& report, const std::vector<QmannTask>& tasks) {
  for (const QmannTask& task : tasks) {
    if (std::ranges::find(report.tasks, task.number) != report.tasks.end()) continue;
    report.tasks.push_back(task.number);
    report.task_names.push_back(task.name);
    report.small_train.push_back(task.small_train);
  }
}

void save_report(const QmannReport& report, const fs::path& name, Listener& listener) {
  write_file_atomically(name.string() + ".json", json_text(to_json(report), 1) + "\n");
  write_file_atomically(name.string() + ".md", to_markdown(report));
  if (!have_gnuplot()) {
    listener.warn("gnuplot is not installed (Debian: gnuplot-nox), so there are no plots");
    return;
  }
  const auto draw_as = [&](const char* what, auto plot) {
    const fs::path file = name.string() + what;
    if (const std::string program = plot(report, file); !program.empty()) draw_with_gnuplot(program, file);
  };
  draw_as("-errors.png", error_plot);
  draw_as("-similarities.png", similarity_plot);
}

}  // namespace

QmannReport reproduce_qmann(const ReproduceRequest& request, Listener& listener) {
  require_known("task of stories", request.task, story_task_names());
  require_useful(request.data, request.task);
  refuse({{"--set", request.data.set.has_value()}}, "verbs that read one set",
         "here every row of the table has its own");
  const std::size_t seeds = request.seeds.value_or(request.quick ? 1 : kSeeds);
  QmannReport report{.task = request.task,
                     .command = command_of(request, seeds),
                     .note = request.note,
                     .tool = concat("quaver ", version()),
                     .cpu = cpu_name(),
                     .epochs = request.epochs,
                     .seed = request.seed,
                     .rows = chosen_rows(request, seeds)};
  CommandFiles files;
  files.writes("--save", request.save, {".json", ".md", "-errors.png", "-similarities.png"});
  std::error_code failure;
  for (fs::directory_iterator entry(request.work, failure), end; !failure && entry != end; entry.increment(failure))
    if (is_run_file(entry->path())) files.reads("--work", entry->path());
  files.check();

  const std::vector<QmannTask> tasks = load_tasks(request, report.rows);
  set_tasks(report, tasks);
  const std::vector<QmannTraining> trainings = plan_trainings(report.rows, tasks, request.seed, request.work);
  report.planned = trainings.size();
  for (const QmannTraining& training : trainings) files.reads("--work", training.file);  // those not there yet as well
  files.check();
  fs::create_directories(request.work, failure);
  if (failure) throw_failed(concat("--work ", request.work.string(), ": cannot be made: ", failure.message()));
  report.runs = run_trainings(
      trainings, {.threads = request.threads, .read_only = request.report_only, .should_stop = request.should_stop},
      listener);
  // Threads end in any order.
  std::ranges::sort(report.runs, {}, [](const QmannRun& run) { return std::tuple(run.row, run.task, run.seed); });
  set_energies(report, tasks);
  if (!request.save.empty()) save_report(report, request.save, listener);
  return report;
}

}  // namespace quaver
