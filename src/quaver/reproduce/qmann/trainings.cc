#include "quaver/reproduce/qmann/trainings.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/quantize/memory.h"
#include "quaver/train/common/parallel.h"
#include "quaver/train/memory/train.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

std::string run_file(const QmannRow& row, const QmannTask& task, std::uint64_t seed) {
  const std::string identity = run_identity(row, task, seed);
  return fmt::format("{}.qa{}.seed{}.{}.json", row.key, task.number, seed,
                     hex64(fnv1a(std::as_bytes(std::span(identity)))));
}

// The scaled network from a trained float one; it has no other column than what is kept.
QmannRun beyond_run(const QmannTraining& training, const MemoryNetwork& trained,
                    const std::function<bool()>& should_stop, QmannRun run) {
  const QmannTask& task = *training.task;
  MemoryNetwork network;
  if (training.row->fine_tuned) {
    MemoryTrainOptions options = *training.row->fine_tuned;
    options.seed = training.seed;
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
    network = quantize_memory(trained, *training.row->calibrated, questions);
  }
  run.kept_train = score_memory(network, task.train).error;
  run.kept_validation = score_memory(network, task.validation).error;
  run.kept_test = run.final_test = score_memory(network, task.test).error;
  return run;
}

QmannRun train_run(const QmannTraining& training, const std::function<bool()>& should_stop) {
  const QmannTask& task = *training.task;
  MemoryTrainOptions options = training.row->options;
  options.seed = training.seed;
  options.should_stop = should_stop;
  MemoryTrainResult result = train_memory(task.train, task.validation, task.vocabulary, options);
  if (result.interrupted) throw_failed("interrupted");
  QmannRun run{.row = training.row->key, .task = task.number, .seed = training.seed};
  if (training.row->beyond()) return beyond_run(training, result.network, should_stop, std::move(run));
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

QmannRun read_run(const QmannTraining& training) {
  std::ifstream in(training.file, std::ios::binary);
  try {
    return run_from_json(nlohmann::json::parse(in), *training.row, *training.task, training.seed);
  } catch (const std::exception& error) {  // nlohmann's, ours, or of a stream that cannot be read
    throw_bad_input(concat(training.file.string(), ": not what 'quaver reproduce' left there (", error.what(),
                           "); remove it, and it is made again"));
  }
}

}  // namespace

bool is_run_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return path.extension() == ".json" && name.find(".qa") < name.find(".seed") &&
         name.find(".seed") != std::string::npos;
}

std::vector<QmannTraining> plan_trainings(const std::vector<QmannRow>& rows, const std::vector<QmannTask>& tasks,
                                          std::uint64_t first_seed, const fs::path& work) {
  std::size_t most = 0;
  for (const QmannRow& row : rows) most = std::max(most, row.seeds);
  std::vector<QmannTraining> trainings;
  for (std::size_t i = 0; i < most; ++i)
    for (const QmannTask& task : tasks)
      for (const QmannRow& row : rows) {
        if (i >= row.seeds || row.set != task.set) continue;
        const std::uint64_t seed = first_seed + i;
        trainings.push_back({&row, &task, seed, work / run_file(row, task, seed)});
      }
  return trainings;
}

std::vector<QmannRun> run_trainings(const std::vector<QmannTraining>& trainings, const TrainingsOptions& options,
                                    Listener& listener) {
  std::vector<QmannRun> runs;
  std::vector<const QmannTraining*> open;
  for (const QmannTraining& training : trainings) {
    if (fs::exists(training.file))
      runs.push_back(read_run(training));
    else
      open.push_back(&training);
  }
  if (options.read_only || open.empty()) return runs;
  const auto stopped = [&] { return options.should_stop && options.should_stop(); };
  listener.begin("reproducing", "trainings", trainings.size());
  listener.resume(runs.size());
  std::mutex mutex;
  parallel_try(options.threads, open.size(), [&](std::size_t i, const std::atomic<bool>& failed) {
    if (stopped()) return;
    QmannRun run;
    try {
      run = train_run(*open[i], [&] { return failed || stopped(); });
    } catch (const Error&) {
      if (stopped()) return;  // said below, once for all
      throw;
    }
    write_file_atomically(open[i]->file, to_json(run).dump() + "\n");
    const std::lock_guard lock(mutex);
    runs.push_back(std::move(run));
    const QmannRun& now = runs.back();
    listener.advance(runs.size(), fmt::format("{} qa{} seed {}: {:.1f} % final, {:.1f} % kept", now.row, now.task,
                                              now.seed, now.final_test, now.kept_test));
  });
  if (stopped())
    throw_failed(fmt::format("interrupted with {} of {} trainings done; the same command goes on", runs.size(),
                             trainings.size()));
  return runs;
}

}  // namespace quaver
