// quaver demo: the whole way on generated data: train in float, quantize, compare, and one table of what it cost; then
// a memory network on generated stories.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "demo_memory.h"
#include "given_flags.h"
#include "quaver/core/text.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/report/error/compare.h"
#include "quaver/report/error/evaluate.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"
#include "quaver/report/show/warning_lines.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"
#include "shared.h"
#include "training.h"
#include "verbs.h"

namespace quaver {
namespace {

constexpr const char* kTask = "chirps";
constexpr std::size_t kCalibrationSequences = 256;
constexpr std::size_t kEpochs = 12;  // enough for 99 % of the chirps, and under two minutes on two old cores

struct DemoFlags {
  SharedFlags shared;
  std::vector<std::string> cells{"lstm", "gru", kMemoryCell};
  std::filesystem::path keep;
  std::uint64_t seed = 1;
  std::size_t questions = 4000;
};

struct DemoRow {
  std::string cell, scheme;
  double accuracy = 0;
  std::size_t bytes = 0;
  double us_per_step = 0;
  double sqnr_db = kEqualDb;  // last hidden state against float
  std::uint64_t float_ops = 0;
};

// Microseconds of one step of a stream, on frames of the test data.
std::vector<double> step_times(const std::vector<Model>& models, const Dataset& data) {
  std::vector<Contestant> contestants;
  for (const Model& model : models) {
    struct Stream {
      Session session;
      State state;
      std::vector<float> scores;
      std::size_t frame = 0;
    };
    Session session(model);
    State fresh = session.initial_state();
    std::vector<float> scores(session.score_count());
    auto stream = std::make_shared<Stream>(Stream{std::move(session), std::move(fresh), std::move(scores)});
    const Sequence& sequence = data.examples.front().input;
    contestants.push_back(
        {model.scheme, clocked([stream, &sequence](std::size_t calls) {
           for (std::size_t i = 0; i < calls; ++i) {
             stream->frame = (stream->frame + 1) % sequence.steps;
             stream->session.step(
                 std::span(sequence.values).subspan(stream->frame * sequence.features, sequence.features),
                 stream->state, stream->scores);
           }
         })});
  }
  std::vector<double> times;
  for (const Timing& timing : measure(contestants)) times.push_back(1e6 * timing.median);
  return times;
}

std::vector<DemoRow> demo_cell(const DemoFlags& flags, const std::string& cell, const Dataset& train_data,
                               const Dataset& validation_data, const Dataset& test_data) {
  TrainOptions options;
  options.cell = cell;
  options.epochs = kEpochs;
  options.seed = flags.seed;
  options.threads = flags.shared.threads;
  say(fmt::format("training a float {} on {} generated sequences", cell, train_data.examples.size()));
  ConsoleListener listener;
  options.on_progress = [&](const LoopProgress& now) {
    if (now.epoch == 1 && now.batch == 1) listener.begin("training", "batches", now.epochs * now.batches);
    listener.advance((now.epoch - 1) * now.batches + now.batch, "");
  };
  const TrainResult trained = require_training().train(train_data, validation_data, options);
  say(fmt::format("trained in {:.1f} s; quantizing to {}", trained.seconds, kDefaultScheme));

  std::vector<SequenceView> calibration;
  for (const Example& example : train_data.examples)
    if (calibration.size() < kCalibrationSequences) calibration.push_back(view_of(example.input));
  const QuantizeResult quantized = quantize(trained.model, calibrate(trained.model, calibration));
  for (const std::string& line : warning_lines(quantized.warnings)) warn(line);
  const std::vector<Model> models{trained.model, quantized.model};

  std::vector<SequenceView> test;
  for (const Example& example : test_data.examples) test.push_back(view_of(example.input));
  const Comparison comparison = compare(models[0], models[1], test);
  const std::vector<double> times = step_times(models, test_data);
  std::vector<DemoRow> rows;
  for (std::size_t i = 0; i < models.size(); ++i) {
    Session session(models[i], {.threads = flags.shared.thread_count()});
    DemoRow row{cell, models[i].scheme};
    Listener silent;
    row.accuracy = evaluate(session, test_data, "", silent).chosen.value;
    row.bytes = save_bytes(models[i]).size();
    row.us_per_step = times[i];
    row.float_ops = inspect(models[i]).float_ops;
    if (i > 0) row.sqnr_db = comparison.last_hidden.back().sqnr_last_db;
    if (!flags.keep.empty()) save(models[i], flags.keep / fmt::format("{}.{}.safetensors", cell, models[i].scheme));
    rows.push_back(row);
  }
  return rows;
}

struct DemoRows {
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  std::string text;
};

DemoRows demo_sequences(const DemoFlags& flags, const std::vector<std::string>& cells) {
  require_training();
  const Dataset train_data = load_task(kTask, "train"), validation_data = load_task(kTask, "validation"),
                test_data = load_task(kTask, "test");
  std::vector<DemoRow> rows;
  for (const std::string& cell : cells)
    for (const DemoRow& row : demo_cell(flags, cell, train_data, validation_data, test_data)) rows.push_back(row);

  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"accuracy %"},
               {"bytes"},
               {"us/step"},
               {"SQNR dB"},
               {"float ops/step"}});
  DemoRows all;
  for (const DemoRow& row : rows) {
    const bool in_float = is_float_scheme(row.scheme);
    table.add_row({row.cell, row.scheme, fixed_text(row.accuracy, 2), count_text(row.bytes),
                   fixed_text(row.us_per_step, 2), in_float ? "-" : fixed_text(row.sqnr_db, 1),
                   count_text(row.float_ops)});
    nlohmann::ordered_json json = {
        {"cell", row.cell},          {"scheme", row.scheme},           {"accuracy", row.accuracy},
        {"bytes", row.bytes},        {"us_per_step", row.us_per_step}, {"sqnr_db", nullptr},
        {"float_ops", row.float_ops}};
    if (!in_float) json["sqnr_db"] = row.sqnr_db;
    all.results.push_back(std::move(json));
  }
  all.text = table.text() + fmt::format("\n{}: {} test sequences; SQNR of the last hidden state against float\n\n",
                                        kTask, test_data.examples.size());
  return all;
}

void run_demo(const DemoFlags& flags, const GivenFlags& given) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> cells = flags.cells;
  const bool with_memory = std::erase(cells, kMemoryCell) > 0;
  if (!with_memory)
    given.refuse({"--questions"}, "cell memn2n", concat("here the cells are ", join(flags.cells, ", ")));
  if (!flags.keep.empty()) {
    CommandFiles files;
    const std::string longest_ending = concat(".", kQmannScheme, ".safetensors");  // of all files
    files.writes("--keep", flags.keep / "memn2n", {longest_ending.c_str()});
    files.check();
  }
  DemoRows all;
  if (!cells.empty()) all = demo_sequences(flags, cells);
  nlohmann::ordered_json json{{"task", kTask}};
  if (with_memory) {
    const MemoryDemo memory = demo_memory({.seed = flags.seed, .questions = flags.questions, .keep = flags.keep});
    for (const auto& row : memory.results) all.results.push_back(row);
    all.text += memory.text + '\n';
    json["explained"] = memory.explained;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  json["results"] = std::move(all.results);
  json["seconds"] = seconds;
  json["path"] = isa_name(chosen_isa());
  print_result(flags.shared, json,
               all.text + fmt::format("path {}; {:.0f} s in all\n", isa_name(chosen_isa()), seconds));
}

}  // namespace

void add_demo(CLI::App& program) {
  auto flags = std::make_shared<DemoFlags>();
  CLI::App* verb =
      program.add_subcommand("demo", "Train, quantize and compare on generated data, in under two minutes");
  verb->add_option("--cell", flags->cells, "lstm, gru, memn2n (without libtorch too); a list is separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(one_of({"lstm", "gru", kMemoryCell}))
      ->capture_default_str();
  verb->add_option("--questions", flags->questions, "memn2n: of the stories to train with, and of the test's")
      ->check(whole_number(kLeastQuestions, kMostQuestions))
      ->capture_default_str();
  verb->add_option("--keep", flags->keep, "Folder to leave the models in");
  verb->add_option("--seed", flags->seed, "Of weights and order")->check(seed_number())->capture_default_str();
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_demo(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
