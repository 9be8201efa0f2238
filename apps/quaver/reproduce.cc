// quaver reproduce PAPER: the trainings behind a paper's tables, resumable, and ours beside theirs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>

#include "checks.h"
#include "given_flags.h"
#include "interrupt.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/quantize/memory.h"
#include "quaver/report/show/plot.h"
#include "quaver/report/show/progress.h"
#include "quaver/train/common/parallel.h"
#include "reproduce_qmann.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

struct ReproduceFlags {
  SharedFlags shared;
  DataSource data;
  std::string paper, task = "babi", tasks;
  std::vector<std::string> rows;
  std::size_t seeds = 3, epochs = 0;
  std::uint64_t seed = 1;
  bool quick = false, report_only = false;
  fs::path work = "qmann.work", save;
  std::string note;
};

struct Job {
  const QmannRow* row;
  const QmannTask* task;
  std::uint64_t seed;
  fs::path file;
};

std::vector<QmannTask> load_tasks(const ReproduceFlags& flags, const std::string& set) {
  // Three that show what matters: one fact, and where fixed-point addressing loses most.
  const char* few = flags.task == "babi" ? "1,8,11" : "1,6,7";
  const std::string chosen = !flags.tasks.empty() ? flags.tasks : flags.quick ? few : "all";
  std::vector<QmannTask> tasks;
  StoryOptions options = flags.data.of_stories();
  options.tasks = chosen;
  options.set = set;
  for (StoryTask& stories : load_story_tasks(flags.task, options)) {
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

std::vector<QmannRow> chosen_rows(const ReproduceFlags& flags) {
  std::vector<QmannRow> rows = qmann_rows();
  std::vector<std::string> keys;
  for (const QmannRow& row : rows) keys.push_back(row.key);
  for (const std::string& key : flags.rows) require_known("row", key, keys);
  std::erase_if(rows, [&](const QmannRow& row) {
    if (!flags.rows.empty()) return std::ranges::count(flags.rows, row.key) == 0;
    return (flags.quick || flags.task != "babi") && row.set != "en-10k";
  });
  for (QmannRow& row : rows) {
    row.seeds = flags.quick ? flags.seeds : std::max(flags.seeds, row.seeds);
    if (flags.epochs == 0) continue;
    row.options.epochs = flags.epochs;
    row.options.linear_epochs = std::min(row.options.linear_epochs, flags.epochs);
    if (row.fine_tuned) row.fine_tuned->epochs = std::min(row.fine_tuned->epochs, flags.epochs);
  }
  return rows;
}

std::string run_file(const QmannRow& row, const QmannTask& task, std::uint64_t seed) {
  const std::string identity = run_identity(row, task, seed);
  return fmt::format("{}.qa{}.seed{}.{}.json", row.key, task.number, seed,
                     hex64(fnv1a(std::as_bytes(std::span(identity)))));
}

// Whether a file has such a name: it may be a training of hours, of this table or of another.
bool is_run_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return path.extension() == ".json" && name.find(".qa") < name.find(".seed") &&
         name.find(".seed") != std::string::npos;
}

// Seed by seed, so that a table of every row is there early.
std::vector<Job> make_jobs(const std::vector<QmannRow>& rows, const std::vector<QmannTask>& tasks,
                           std::uint64_t first_seed, const fs::path& work) {
  std::size_t most = 0;
  for (const QmannRow& row : rows) most = std::max(most, row.seeds);
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < most; ++i)
    for (const QmannTask& task : tasks)
      for (const QmannRow& row : rows) {
        if (i >= row.seeds || row.set != task.set) continue;
        const std::uint64_t seed = first_seed + i;
        jobs.push_back({&row, &task, seed, work / run_file(row, task, seed)});
      }
  return jobs;
}

std::vector<MemoryQuestion> questions_of(const CodedStories& data) {
  std::vector<MemoryQuestion> questions;
  for (const CodedStories::Question& question : data.questions())
    questions.push_back({.facts = question.facts, .words = question.words});
  return questions;
}

// The scaled network from a trained float one; it has no other column than what is kept.
QmannRun beyond_run(const Job& job, const MemoryNetwork& trained, const std::function<bool()>& should_stop,
                    QmannRun run) {
  const QmannTask& task = *job.task;
  MemoryNetwork network;
  if (job.row->fine_tuned) {
    MemoryTrainOptions options = *job.row->fine_tuned;
    options.seed = job.seed;
    options.warm_start = &trained;
    options.should_stop = should_stop;
    MemoryTrainResult result = train_memory(task.train, task.validation, task.vocabulary, options);
    if (result.interrupted) throw_failed("interrupted");
    run.kept_epoch = result.best_epoch;
    network = std::move(result.network);
  } else {
    constexpr std::size_t kCalibrationQuestions = 256;
    std::vector<MemoryQuestion> questions = questions_of(task.train);
    questions.resize(std::min(questions.size(), kCalibrationQuestions));
    network = quantize_memory(trained, *job.row->calibrated, questions);
  }
  run.kept_train = score_memory(network, task.train).error;
  run.kept_validation = score_memory(network, task.validation).error;
  run.kept_test = run.final_test = score_memory(network, task.test).error;
  return run;
}

QmannRun train_run(const Job& job, const std::function<bool()>& should_stop) {
  const QmannTask& task = *job.task;
  MemoryTrainOptions options = job.row->options;
  options.seed = job.seed;
  options.should_stop = should_stop;
  MemoryTrainResult result = train_memory(task.train, task.validation, task.vocabulary, options);
  if (result.interrupted) throw_failed("interrupted");
  QmannRun run{.row = job.row->key, .task = task.number, .seed = job.seed};
  if (job.row->beyond()) return beyond_run(job, result.network, should_stop, std::move(run));
  run.kept_train = result.train.error;
  run.kept_validation = result.validation.error;
  run.kept_test = score_memory(result.network, task.test).error;
  run.kept_epoch = result.best_epoch;
  MemoryNetwork& network = result.network;
  network.parameters = std::move(result.final_parameters);
  run.final_test = score_memory(network, task.test).error;
  if (network.scheme.is_fixed()) {
    run.similarities = similarity_histograms(network, questions_of(task.test), kSimilarityBins);
  }
  return run;
}

QmannRun read_run(const Job& job) {
  std::ifstream in(job.file, std::ios::binary);
  try {
    return run_from_json(nlohmann::json::parse(in), *job.row, *job.task, job.seed);
  } catch (const std::exception& error) {  // nlohmann's, ours, or of a stream that cannot be read
    throw_bad_input(concat(job.file.string(), ": not what 'quaver reproduce' left there (", error.what(),
                           "); remove it, and it is made again"));
  }
}

// The runs of all jobs, on as many threads as asked for: those that are stored are read, the others made and stored.
// The first error of any is thrown when all have ended.
std::vector<QmannRun> run_jobs(const std::vector<Job>& jobs, const ReproduceFlags& flags) {
  std::vector<QmannRun> runs;
  std::vector<const Job*> open;
  for (const Job& job : jobs) {
    if (fs::exists(job.file))
      runs.push_back(read_run(job));
    else
      open.push_back(&job);
  }
  if (flags.report_only || open.empty()) return runs;
  Progress progress("reproducing", "trainings", jobs.size());
  progress.resume_at(runs.size());
  std::mutex mutex;
  parallel_try(flags.shared.thread_count(), open.size(), [&](std::size_t i, const std::atomic<bool>& failed) {
    if (interrupted()) return;
    QmannRun run;
    try {
      run = train_run(*open[i], [&] { return failed || interrupted(); });
    } catch (const Error&) {
      if (interrupted()) return;  // said below, once for all
      throw;
    }
    write_file_atomically(open[i]->file, to_json(run).dump() + "\n");
    const std::lock_guard lock(mutex);
    runs.push_back(std::move(run));
    const QmannRun& now = runs.back();
    progress.update(runs.size(), fmt::format("{} qa{} seed {}: {:.1f} % final, {:.1f} % kept", now.row, now.task,
                                             now.seed, now.final_test, now.kept_test));
  });
  if (interrupted())
    throw_failed(
        fmt::format("interrupted with {} of {} trainings done; the same command goes on", runs.size(), jobs.size()));
  return runs;
}

void save_report(const QmannReport& report, const nlohmann::ordered_json& json, const fs::path& name) {
  write_file_atomically(name.string() + ".json", json_text(json, 1) + "\n");
  write_file_atomically(name.string() + ".md", to_markdown(report));
  if (!have_gnuplot()) {
    warn("gnuplot is not installed (Debian: gnuplot-nox), so there are no plots");
    return;
  }
  const auto draw_as = [&](const char* what, auto plot) {
    const fs::path file = name.string() + what;
    if (const std::string program = plot(report, file); !program.empty()) draw_with_gnuplot(program, file);
  };
  draw_as("-errors.png", error_plot);
  draw_as("-similarities.png", similarity_plot);
}

// What a reader types to get the same figures.
std::string command_of(const ReproduceFlags& flags) {
  std::string command = "quaver reproduce " + flags.paper;
  if (flags.quick) command += " --quick";
  const StoryOptions source = flags.data.of_stories();
  if (flags.task != "babi")
    command += fmt::format(" --task {} --questions {} --data-seed {}", flags.task, source.questions, source.seed);
  if (!flags.tasks.empty()) command += " --tasks " + flags.tasks;
  if (!flags.rows.empty()) command += " --rows " + join(flags.rows, ",");
  if (flags.epochs > 0) command += fmt::format(" --epochs {}", flags.epochs);
  if (flags.seed != 1) command += fmt::format(" --seed {}", flags.seed);
  return command + fmt::format(" --seeds {}", flags.seeds);
}

void run_reproduce(ReproduceFlags flags, const GivenFlags& given) {
  const auto start = std::chrono::steady_clock::now();
  require_known("paper", flags.paper, {"qmann"});
  require_known("task of stories", flags.task, story_task_names());
  require_useful(flags.data, flags.task);
  if (flags.quick && !given.has("--seeds")) flags.seeds = 1;
  QmannReport report{.task = flags.task,
                     .command = command_of(flags),
                     .note = flags.note,
                     .epochs = flags.epochs,
                     .seed = flags.seed,
                     .rows = chosen_rows(flags)};
  CommandFiles files;
  files.writes("--save", flags.save, {".json", ".md", "-errors.png", "-similarities.png"});
  std::error_code failure;
  for (fs::directory_iterator entry(flags.work, failure), end; !failure && entry != end; entry.increment(failure))
    if (is_run_file(entry->path())) files.reads("--work", entry->path());
  files.check();

  std::vector<QmannTask> tasks;
  for (const char* set : {"en-10k", "en"}) {
    if (std::ranges::none_of(report.rows, [&](const QmannRow& row) { return row.set == set; })) continue;
    try {
      std::ranges::move(load_tasks(flags, set), std::back_inserter(tasks));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput || flags.task != "babi") throw;
      throw_bad_input(concat(error.what(), "; or use generated stories: --task stories"));
    }
  }
  for (const QmannTask& task : tasks) {
    if (std::ranges::find(report.tasks, task.number) != report.tasks.end()) continue;
    report.tasks.push_back(task.number);
    report.task_names.push_back(task.name);
    report.small_train.push_back(task.small_train);
  }
  const std::vector<Job> jobs = make_jobs(report.rows, tasks, flags.seed, flags.work);
  report.planned = jobs.size();
  for (const Job& job : jobs) files.reads("--work", job.file);  // those that are not there yet as well
  files.check();
  fs::create_directories(flags.work, failure);
  if (failure) throw_failed(concat("--work ", flags.work.string(), ": cannot be made: ", failure.message()));
  catch_interrupts();
  report.runs = run_jobs(jobs, flags);
  // Threads end in any order.
  std::ranges::sort(report.runs, {}, [](const QmannRun& run) { return std::tuple(run.row, run.task, run.seed); });
  set_energies(report, tasks);
  nlohmann::ordered_json json = to_json(report);
  if (!flags.save.empty()) save_report(report, json, flags.save);
  json["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  print_result(flags.shared, json, to_text(report));
}

}  // namespace

void add_reproduce(CLI::App& program) {
  auto flags = std::make_shared<ReproduceFlags>();
  CLI::App* verb = program.add_subcommand("reproduce", "Regenerate a paper's table: ours beside theirs");
  verb->add_option("paper", flags->paper, "Paper: qmann (memory networks at 8 bits and at 1 bit)")->required();
  verb->add_flag("--quick", flags->quick, "Three tasks and one seed: a minute or two");
  verb->add_option("--task", flags->task, "babi, or stories: generated ones, for machines without the data")
      ->capture_default_str();
  verb->add_option("--tasks", flags->tasks, "Numbers and ranges (1, 1,2,5, 1-20), or all");
  verb->add_option("--rows", flags->rows, "Rows of the table, by key, a list; else all")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--seeds", flags->seeds, "Trainings of a row and task, with seeds N, N + 1, ... from --seed on")
      ->check(whole_number(1, 1000))
      ->capture_default_str();
  verb->add_option("--seed", flags->seed, "Of the first training of each row and task")
      ->check(seed_number())
      ->capture_default_str();
  verb->add_option("--epochs", flags->epochs, "Of every training; 0: as the recipes say")
      ->check(whole_number(0, 65536))
      ->capture_default_str();
  verb->add_option("--questions", flags->data.questions, "stories: to generate, for training and for the test")
      ->check(whole_number(kLeastQuestions, kMostQuestions))
      ->default_str("1000");
  verb->add_option("--work", flags->work, "Folder of finished trainings, which a second call does not repeat")
      ->capture_default_str();
  verb->add_flag("--report-only", flags->report_only, "Train nothing; report what is finished");
  verb->add_option("--save", flags->save, "Also write NAME.json, NAME.md, NAME-errors.png, NAME-similarities.png");
  verb->add_option("--note", flags->note, "A sentence for the report: machine, code");
  add_data_flags(*verb, flags->data, "--data-seed");
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_reproduce(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
