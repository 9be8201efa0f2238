// quaver train TASK -o OUT: a float model from a task's data.
#include "quaver/train/train.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/io/model_file.h"
#include "quaver/report/evaluate.h"
#include "quaver/report/progress.h"
#include "quaver/report/table.h"
#include "shared.h"
#include "training.h"
#include "verbs.h"

namespace quaver {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// The first Ctrl-C asks for a checkpoint; a second one ends the program at once.
extern "C" void on_interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

struct TrainFlags {
  SharedFlags shared;
  DataFlags data;
  std::string task, scheme = "f32";
  std::filesystem::path out;
  std::size_t limit = 0;
  // What was said on the command line, on top of the task's defaults.
  std::vector<std::function<void(TrainOptions&)>> changes;
};

void require_trainable(const TrainFlags& flags, const TrainOptions& options) {
  task_info(flags.task);
  if (flags.scheme != "f32")
    throw_usage(concat("--scheme ", flags.scheme, ": train in float, then 'quaver quantize --scheme ", flags.scheme,
                       "'; training makes f32 models in this version"));
  require_known("cell", options.cell, {"lstm", "gru", "rnn"});
}

void run_train(const TrainFlags& flags) {
  TrainOptions options = default_train_options(flags.task);
  for (const auto& change : flags.changes) change(options);
  require_trainable(flags, options);
  require_model_name(flags.out);
  require_writable(flags.out);
  require_training();
  options.threads = flags.shared.threads;
  const bool own_checkpoint = options.checkpoint.empty();
  if (own_checkpoint) options.checkpoint = flags.out.string() + ".checkpoint";

  const Dataset train_data = load_split(flags.task, "train", flags.data, flags.limit);
  const Dataset validation_data = load_split(flags.task, "validation", flags.data, flags.limit);
  const Dataset test_data = load_split(flags.task, "test", flags.data, flags.limit);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  options.should_stop = [] { return interrupted != 0; };
  TrainResult result = train_showing_progress(train_data, validation_data, options);
  if (result.interrupted)
    throw_failed(concat("interrupted after ", result.epochs, " of ", options.epochs,
                        " epochs; the same command with --resume goes on from ", options.checkpoint.string()));

  result.model.provenance["command"] = command_line();
  result.model.provenance["tool"] = "quaver " QUAVER_VERSION;
  save(result.model, flags.out);
  if (own_checkpoint) std::filesystem::remove(options.checkpoint);
  Session session(result.model, {.threads = flags.shared.thread_count()});
  const Evaluation test = evaluate(session, labelled(test_data));

  const auto bytes = std::filesystem::file_size(flags.out);
  Table table({{"model", Align::kLeft},
               {"task", Align::kLeft},
               {"cell", Align::kLeft},
               {"hidden"},
               {"epochs"},
               {"seconds"},
               {"validation %"},
               {"test %"},
               {"bytes"}});
  table.add_row({flags.out.string(), flags.task, options.cell, std::to_string(options.hidden),
                 std::to_string(result.epochs), fixed_text(result.seconds, 1), fixed_text(result.metric, 2),
                 fixed_text(test.value, 2), count_text(bytes)});
  print_result(flags.shared,
               {{"task", flags.task},
                {"metric", test.metric},
                {"value", test.value},
                {"n", test.n},
                {"validation", result.metric},
                {"epochs", result.epochs},
                {"seconds", result.seconds},
                {"model", flags.out.string()},
                {"bytes", bytes},
                {"cell", options.cell},
                {"hidden", options.hidden},
                {"seed", options.seed}},
               table.text());
}

// A flag named like the field it sets; only what is said changes the task's default.
template <typename Field>
CLI::Option* add_field(CLI::App& verb, TrainFlags& flags, const std::string& name, Field TrainOptions::*field,
                       const std::string& help) {
  return verb.add_option_function<Field>(
      name,
      [&flags, field](const Field& value) {
        flags.changes.push_back([field, value](TrainOptions& options) { options.*field = value; });
      },
      help);
}

void add_switch(CLI::App& verb, TrainFlags& flags, const std::string& name, bool TrainOptions::*field,
                const std::string& help) {
  verb.add_flag_callback(
      name, [&flags, field] { flags.changes.push_back([field](TrainOptions& options) { options.*field = true; }); },
      help);
}

// A flag whose text `set` turns into a value of the options.
void add_choice(CLI::App& verb, TrainFlags& flags, const std::string& name, std::vector<std::string> choices,
                void (*set)(TrainOptions&, const std::string&), const std::string& help) {
  const std::string listed = join(choices, ", ");
  verb.add_option_function<std::string>(
          name,
          [&flags, set](const std::string& value) {
            flags.changes.push_back([set, value](TrainOptions& options) { set(options, value); });
          },
          help + ": " + listed)
      ->check(CLI::IsMember(std::move(choices)));
}

}  // namespace

void add_train(CLI::App& program) {
  auto shared = std::make_shared<TrainFlags>();
  TrainFlags& flags = *shared;
  CLI::App& verb = *program.add_subcommand("train", "Train a float model on a task");
  const CLI::Range at_least_one(std::size_t{1}, std::size_t{1} << 32), any_size(std::size_t{0}, std::size_t{1} << 32);
  const CLI::Range not_negative(0.0, 1e30), share(0.0, 1.0);
  verb.add_option("task", flags.task, "Task: chirps, chirps_tags, digits, har")->required();
  verb.add_option("-o,--output", flags.out, "Model file to write, .safetensors")->required();
  verb.add_option("--scheme", flags.scheme, "f32; integers come from 'quaver quantize'")->capture_default_str();
  verb.add_option("--limit", flags.limit, "Sequences of each split at most; 0: all")->capture_default_str();

  add_field(verb, flags, "--cell", &TrainOptions::cell, "lstm, gru or rnn");
  add_field(verb, flags, "--hidden", &TrainOptions::hidden, "Units of a layer and direction")->check(at_least_one);
  add_field(verb, flags, "--layers", &TrainOptions::layers, "Recurrent layers")->check(at_least_one);
  add_field(verb, flags, "--projection", &TrainOptions::projection, "lstm: size of the projected output; 0: none")
      ->check(any_size);
  add_switch(verb, flags, "--cifg", &TrainOptions::cifg, "lstm: input gate = 1 - forget gate");
  add_switch(verb, flags, "--peephole", &TrainOptions::peephole, "lstm: gates see the cell");
  add_switch(verb, flags, "--layer-norm", &TrainOptions::layer_norm, "lstm: layer norm inside the cell");
  add_field(verb, flags, "--clip", &TrainOptions::clip, "lstm: limit of the cell state; 0: none")->check(not_negative);
  add_field(verb, flags, "--projection-clip", &TrainOptions::projection_clip, "lstm: limit of the projection; 0: none")
      ->check(not_negative);
  add_choice(
      verb, flags, "--reset", {"after", "before"},
      [](TrainOptions& options, const std::string& value) { options.linear_before_reset = value == "after"; },
      "gru: reset gate before or after the product");
  add_choice(
      verb, flags, "--nonlinearity", {"tanh", "relu"},
      [](TrainOptions& options, const std::string& value) { options.nonlinearity = nonlinearity_from_name(value); },
      "rnn");
  add_choice(
      verb, flags, "--direction", {"forward", "reverse", "bidirectional"},
      [](TrainOptions& options, const std::string& value) { options.direction = direction_from_name(value); },
      "Of every layer; only forward ones stream");
  add_choice(
      verb, flags, "--pooling", {"last", "mean", "max"},
      [](TrainOptions& options, const std::string& value) { options.pooling = pooling_from_name(value); },
      "Classifiers: over time");
  add_field(verb, flags, "--embedding", &TrainOptions::embedding, "Features of an id")->check(at_least_one);

  add_field(verb, flags, "--epochs", &TrainOptions::epochs, "Epochs at most")->check(at_least_one);
  add_field(verb, flags, "--batch", &TrainOptions::batch, "Sequences in a batch")->check(at_least_one);
  add_field(verb, flags, "--learning-rate", &TrainOptions::learning_rate, "Adam's, at its highest")
      ->check(not_negative);
  add_field(verb, flags, "--weight-decay", &TrainOptions::weight_decay, "Per unit of learning rate")
      ->check(not_negative);
  add_field(verb, flags, "--gradient-clip", &TrainOptions::gradient_clip, "Largest norm of the gradient; 0: none")
      ->check(not_negative);
  add_field(verb, flags, "--label-smoothing", &TrainOptions::label_smoothing,
            "Share of the target given to all classes")
      ->check(share);
  add_field(verb, flags, "--patience", &TrainOptions::patience, "Epochs without a better validation; 0: all epochs")
      ->check(any_size);
  add_field(verb, flags, "--dropout", &TrainOptions::dropout, "Share of what the last layer reads")->check(share);
  add_field(verb, flags, "--input-noise", &TrainOptions::input_noise, "Deviation of noise on every value")
      ->check(not_negative);
  add_field(verb, flags, "--level-shift", &TrainOptions::level_shift, "Deviation of one shift a sequence")
      ->check(not_negative);
  add_field(verb, flags, "--time-stretch", &TrainOptions::time_stretch,
            "A sequence's speed changes by up to this share")
      ->check(share);
  add_field(verb, flags, "--time-mask", &TrainOptions::time_mask, "Longest share of steps set to the mean")
      ->check(share);
  add_field(verb, flags, "--feature-mask", &TrainOptions::feature_mask, "Widest share of features set to the mean")
      ->check(share);
  add_field(verb, flags, "--seed", &TrainOptions::seed, "Of weights, order and augmentation");

  verb.add_option_function<std::string>(
      "--checkpoint",
      [&flags](const std::string& path) {
        flags.changes.push_back([path](TrainOptions& options) { options.checkpoint = path; });
      },
      "File to go on from after Ctrl-C; else OUT.checkpoint, removed at the end");
  add_switch(verb, flags, "--resume", &TrainOptions::resume, "Go on from the checkpoint, to the bits of a whole run");
  flags.data.add_to(verb, "--data-seed");
  flags.shared.add_to(verb);
  verb.callback([shared] { run_train(*shared); });
}

}  // namespace quaver
