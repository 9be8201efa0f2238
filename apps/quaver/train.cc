// quaver train TASK -o OUT: a float model from a task's data.
#include "quaver/train/recurrent/train.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "given_flags.h"
#include "interrupt.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/show/evaluate_report.h"
#include "quaver/report/show/progress.h"
#include "quaver/report/show/table.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "scheme_flags.h"
#include "shared.h"
#include "stories.h"
#include "training.h"
#include "verbs.h"

namespace quaver {
namespace {

constexpr std::uint64_t kMostEpochs = 65536;
constexpr const char* kMemoryGroup = "Memory networks (tasks babi, stories)";

struct TrainFlags {
  SharedFlags shared;
  DataSource data;
  std::string task, scheme{kFloatScheme};
  std::filesystem::path out, warm_start;
  std::size_t limit = 0;
  // What was said on the command line, on top of the task's defaults.
  std::vector<std::function<void(TrainOptions&)>> changes;
  // Of tasks of stories.
  std::string recipe;  // empty: the one that suits the scheme
  std::vector<SchemeSwitch> switches;
  std::vector<std::function<void(MemoryTrainOptions&)>> memory_changes;
};

// A memory network shares some flags with the recurrent cells; their values pass through a TrainOptions that starts
// with the recipe's. Error (usage) for a flag that it has no use for.
void run_train_memory(const TrainFlags& flags, const GivenFlags& given) {
  given.refuse(
      {"--hidden",       "--layers",    "--projection",      "--cifg",         "--peephole",    "--layer-norm",
       "--clip",         "--reset",     "--projection-clip", "--nonlinearity", "--direction",   "--pooling",
       "--patience",     "--dropout",   "--label-smoothing", "--weight-decay", "--input-noise", "--level-shift",
       "--time-stretch", "--time-mask", "--feature-mask"},
      "recurrent cells", concat("here task '", flags.task, "' trains a memory network"));
  const MemoryScheme scheme = memory_scheme(flags.scheme, flags.switches);
  const std::string recipe = !flags.recipe.empty() ? flags.recipe
                             : scheme.is_scaled()  ? "fine-tune"
                             : scheme.is_fixed()   ? "qmann"
                                                   : "memn2n";
  const bool joint = flags.data.joint();
  MemoryTraining training{.shared = flags.shared,
                          .data = flags.data,
                          .task = flags.task,
                          .out = flags.out,
                          .warm_start = flags.warm_start,
                          .limit = flags.limit,
                          .options = recipe == "qmann"       ? qmann_recipe(scheme)
                                     : recipe == "fine-tune" ? fine_tune_recipe(scheme, joint)
                                                             : memn2n_recipe(joint)};
  MemoryTrainOptions& options = training.options;
  options.scheme = scheme;
  TrainOptions common;
  common.cell = kMemoryCell;
  common.embedding = options.d;
  common.epochs = options.epochs;
  common.batch = options.batch;
  common.gradient_clip = options.gradient_clip;
  common.seed = options.seed;
  for (const auto& change : flags.changes) change(common);
  require_known("cell of this task", common.cell, {kMemoryCell});
  options.d = common.embedding;
  options.epochs = common.epochs;
  options.batch = common.batch;
  options.gradient_clip = common.gradient_clip;
  options.seed = common.seed;
  options.max_memory = flags.data.max_memory;
  options.checkpoint = common.checkpoint;
  options.resume = common.resume;
  if (given.has("--learning-rate")) options.learning_rate = common.learning_rate;
  for (const auto& change : flags.memory_changes) change(options);
  require_model_name(flags.out);
  catch_interrupts();
  run_memory_training(training, [] { return interrupted(); });
}

struct DataShape {
  Target target = Target::kClass;
  std::size_t features = 0;  // 0: ids
};

void require_trainable(const TrainFlags& flags, const DataShape& kind, const GivenFlags& given,
                       const TrainOptions& options) {
  if (!is_float_scheme(flags.scheme))
    throw_usage(concat("--scheme ", flags.scheme, ": train in float, then 'quaver quantize --scheme ", flags.scheme,
                       "'; training makes ", kFloatScheme, " models in this version"));
  require_known("cell", options.cell, recurrent_names());
  given.refuse_attributes_beyond({options.cell}, concat("here the cell is ", options.cell));
  if (options.projection == 0) given.refuse({"--projection-clip"}, "--projection", "here there is none");
  const std::string task = concat("here task '", flags.task, "' ");
  if (is_of_steps(kind.target)) given.refuse({"--pooling"}, "tasks with a class a sequence", task + "has one a step");
  if (kind.features > 0) given.refuse({"--embedding"}, "tasks of ids or words", task + "has reals");
}

void run_train(const TrainFlags& flags, const GivenFlags& given) {
  const bool is_own = names_own_data(flags.task);
  if (!is_own) require_known_task(flags.task);
  require_useful(flags.data, flags.task);
  if (is_story_task(flags.task)) {
    run_train_memory(flags, given);
    return;
  }
  given.refuse_group(kMemoryGroup, "memory networks", concat("here task '", flags.task, "' trains a recurrent cell"));
  TrainOptions options = default_train_options(flags.task.starts_with("wav:") ? "digits" : flags.task);
  for (const auto& change : flags.changes) change(options);
  require_model_name(flags.out);
  ConsoleListener listener;
  std::optional<OwnData> own;
  if (is_own) own = open_own_data(flags.task, flags.data, flags.limit, std::nullopt, listener);
  const DataShape kind = own ? DataShape{own->pipeline().target, own->pipeline().features}
                             : DataShape{task_info(flags.task).target, task_info(flags.task).features};
  require_trainable(flags, kind, given, options);
  const bool own_checkpoint = options.checkpoint.empty();
  if (own_checkpoint) options.checkpoint = flags.out.string() + ".checkpoint";
  CommandFiles files;
  files.writes("--output", flags.out);
  files.writes(own_checkpoint ? "the checkpoint of --output" : "--checkpoint", options.checkpoint);
  files.check();
  if (options.resume && !std::filesystem::exists(options.checkpoint))
    throw_bad_input(concat(options.checkpoint.string(), ": there is no checkpoint to resume; start without --resume"));
  options.max_memory = flags.data.max_memory;
  options.threads = flags.shared.threads;
  require_training().check(options);

  const auto load = [&](const char* split) {
    return own ? own->stream(split) : load_task(flags.task, split, flags.data.of_sequences(flags.limit));
  };
  const Dataset train_data = load("train"), validation_data = load("validation"), test_data = load("test");
  catch_interrupts();
  options.should_stop = [] { return interrupted(); };
  TrainResult result = train_showing_progress(train_data, validation_data, options);
  if (result.interrupted)
    throw_failed(concat("interrupted after ", result.epochs, " of ", options.epochs,
                        " epochs; the same command with --resume goes on from ", options.checkpoint.string()));

  result.model.provenance["command"] = command_line();
  if (own) keep_pipeline(own->pipeline(), result.model);
  result.model.provenance["tool"] = "quaver " QUAVER_VERSION;
  save(result.model, flags.out);
  if (own_checkpoint) std::filesystem::remove(options.checkpoint);
  Session session(result.model, {.threads = flags.shared.thread_count()});
  const Evaluation test = evaluate(session, test_data, options.metric, listener);

  const auto bytes = std::filesystem::file_size(flags.out);
  Table table({{"model", Align::kLeft},
               {"task", Align::kLeft},
               {"cell", Align::kLeft},
               {"hidden"},
               {"epochs"},
               {"seconds"},
               {"validation"},
               {"test " + heading(test.chosen)},
               {"bytes"}});
  table.add_row({flags.out.string(), flags.task, options.cell, std::to_string(options.hidden),
                 std::to_string(result.epochs), fixed_text(result.seconds, 1), fixed_text(result.value, 2),
                 figure_text(test.chosen), count_text(bytes)});
  print_result(flags.shared,
               {{"task", flags.task},
                {"metric", test.chosen.metric},
                {"value", test.chosen.value},
                {"n", test.n},
                {"validation", result.value},
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
void add_choice(CLI::App& verb, TrainFlags& flags, const std::string& name, const std::vector<std::string>& choices,
                void (*set)(TrainOptions&, const std::string&), const std::string& help) {
  verb.add_option_function<std::string>(
          name,
          [&flags, set](const std::string& value) {
            flags.changes.push_back([set, value](TrainOptions& options) { set(options, value); });
          },
          help + ": " + join(choices, ", "))
      ->check(one_of(choices));
}

// Flags that only memory networks have, named like the field they set.
template <typename Field>
CLI::Option* add_memory_field(CLI::App& verb, TrainFlags& flags, const std::string& name,
                              Field MemoryTrainOptions::*field, const std::string& help) {
  return verb
      .add_option_function<Field>(
          name,
          [&flags, field](const Field& value) {
            flags.memory_changes.push_back([field, value](MemoryTrainOptions& options) { options.*field = value; });
          },
          help)
      ->group(kMemoryGroup);
}

template <typename Choice>
void add_memory_choice(CLI::App& verb, TrainFlags& flags, const std::string& name,
                       const std::map<std::string, Choice>& choices, Choice MemoryTrainOptions::*field,
                       const std::string& help) {
  std::vector<std::string> names;
  for (const auto& [text, choice] : choices) names.push_back(text);
  verb.add_option_function<std::string>(
          name,
          [&flags, choices, field](const std::string& value) {
            const Choice choice = choices.at(value);
            flags.memory_changes.push_back([field, choice](MemoryTrainOptions& options) { options.*field = choice; });
          },
          help + ": " + join(names, ", "))
      ->check(one_of(names))
      ->group(kMemoryGroup);
}

void add_memory_flags(CLI::App& verb, TrainFlags& flags) {
  verb.add_option(
          "--recipe", flags.recipe,
          "Defaults: of a released program, memn2n (float) or qmann (fixed point); or fine-tune (scaled schemes)")
      ->check(one_of({"memn2n", "qmann", "fine-tune"}))
      ->group(kMemoryGroup);
  add_scheme_flags(verb, flags.switches, kMemoryGroup);
  verb.add_option("--warm-start", flags.warm_start,
                  "Float network to start from; of several tasks: NAME.safetensors stands for NAME.qaN.safetensors")
      ->group(kMemoryGroup);
  add_memory_field(verb, flags, "--hops", &MemoryTrainOptions::hops, "Looks at the memory")
      ->check(whole_number(1, kMaxHops));
  add_memory_field(verb, flags, "--memory", &MemoryTrainOptions::memory, "Facts kept, the most recent")
      ->check(whole_number(1, 1'000'000));
  add_memory_choice<MemoryTying>(verb, flags, "--tying",
                                 {{"adjacent", MemoryTying::kAdjacent}, {"layerwise", MemoryTying::kLayerwise}},
                                 &MemoryTrainOptions::tying, "Which matrices the hops share");
  add_memory_choice<SentenceEncoding>(
      verb, flags, "--encoding", {{"words", SentenceEncoding::kWords}, {"position", SentenceEncoding::kPosition}},
      &MemoryTrainOptions::encoding, "Of a sentence: a bag of words, or words weighted by their place");
  add_memory_field(verb, flags, "--temporal", &MemoryTrainOptions::temporal, "true or false: facts carry their age")
      ->check(true_or_false());
  add_memory_field(verb, flags, "--slots", &MemoryTrainOptions::slots,
                   "Facts that every softmax sees at least, those not told as empty ones; 0: only what was told")
      ->check(whole_number(0, kMaxSlots));
  add_memory_field(verb, flags, "--linear-epochs", &MemoryTrainOptions::linear_epochs,
                   "First epochs without the memory softmax; 0: none")
      ->check(whole_number(0, kMostEpochs));
  add_memory_field(verb, flags, "--halve-every", &MemoryTrainOptions::halve_every,
                   "Epochs after which the rate is halved; 0: never")
      ->check(whole_number(0, kMostEpochs));
  add_memory_field(verb, flags, "--noise", &MemoryTrainOptions::noise, "Empty memories in training, as a share")
      ->check(real_number(0, 10));
  add_memory_choice<SampleOrder>(
      verb, flags, "--order",
      {{"drawn", SampleOrder::kDrawn}, {"shuffled", SampleOrder::kShuffled}, {"fixed", SampleOrder::kFixed}},
      &MemoryTrainOptions::order, "Of the questions of an epoch");
  add_memory_field(verb, flags, "--repeats", &MemoryTrainOptions::repeats,
                   "Trainings with SEED, SEED + 1, ...; the best on validation is kept")
      ->check(whole_number(1, 1000));
  add_memory_choice<KeptWeights>(
      verb, flags, "--keep",
      {{"best", KeptWeights::kBest}, {"final", KeptWeights::kFinal}, {"early-stopped", KeptWeights::kEarlyStopped}},
      &MemoryTrainOptions::keep, "Whose weights become the model");
}

}  // namespace

void add_train(CLI::App& program) {
  auto shared = std::make_shared<TrainFlags>();
  TrainFlags& flags = *shared;
  CLI::App& verb = *program.add_subcommand("train", "Train a model on a task");
  const CLI::Validator size = whole_number(1, kMaxSize), size_or_none = whole_number(0, kMaxSize);
  const CLI::Validator not_negative = real_number(0, 1e6), share = real_number(0, 0.99);
  verb.add_option("task", flags.task,
                  "Task: chirps, chirps_tags, digits, har, babi, stories; or KIND:PATH, data of one's own")
      ->required();
  verb.add_option("-o,--output", flags.out, "Model file to write, .safetensors")->required();
  verb.add_option(
          "--scheme", flags.scheme,
          concat(kFloatScheme, "; integers come from 'quaver quantize'. Stories: ", join(memory_scheme_names(), ", ")))
      ->capture_default_str();
  verb.add_option("--limit", flags.limit, "Sequences (stories: questions) of each split at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();

  add_field(verb, flags, "--cell", &TrainOptions::cell, join(recurrent_names(), ", ") + "; stories: memn2n");
  add_field(verb, flags, "--hidden", &TrainOptions::hidden, "Units of a layer and direction")->check(size);
  add_field(verb, flags, "--layers", &TrainOptions::layers, "Recurrent layers")->check(whole_number(1, 64));
  add_field(verb, flags, "--projection", &TrainOptions::projection, "lstm: size of the projected output; 0: none")
      ->check(size_or_none);
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
      verb, flags, "--pooling", {"last", "mean", "max", "final"},
      [](TrainOptions& options, const std::string& value) { options.pooling = pooling_from_name(value); },
      "Classifiers: over time. last: the last step, at which a reverse direction has seen one step only; final: each "
      "direction after its own last step");
  add_field(verb, flags, "--embedding", &TrainOptions::embedding, "Features of an id or a word")->check(size);

  add_field(verb, flags, "--epochs", &TrainOptions::epochs,
            "Epochs at most; memory networks add those of the linear start")
      ->check(whole_number(1, kMostEpochs));
  add_field(verb, flags, "--batch", &TrainOptions::batch, "Sequences (stories: questions) in a batch")->check(size);
  add_field(verb, flags, "--learning-rate", &TrainOptions::learning_rate,
            "Adam's, at its highest; stories: of plain descent on gradients summed over a batch")
      ->check(real_number(1e-12, 1e6));
  add_field(verb, flags, "--weight-decay", &TrainOptions::weight_decay, "Per unit of learning rate")
      ->check(not_negative);
  add_field(verb, flags, "--gradient-clip", &TrainOptions::gradient_clip, "Largest norm of the gradient; 0: none")
      ->check(not_negative);
  add_field(verb, flags, "--label-smoothing", &TrainOptions::label_smoothing,
            "Share of the target given to all classes")
      ->check(share);
  add_field(verb, flags, "--patience", &TrainOptions::patience, "Epochs without a better validation; 0: all epochs")
      ->check(whole_number(0, kMostEpochs));
  add_field(verb, flags, "--dropout", &TrainOptions::dropout, "Share of what the last layer reads")->check(share);
  add_field(verb, flags, "--input-noise", &TrainOptions::input_noise, "Deviation of noise on every value")
      ->check(not_negative);
  add_field(verb, flags, "--level-shift", &TrainOptions::level_shift, "Deviation of one shift a sequence")
      ->check(not_negative);
  add_field(verb, flags, "--time-stretch", &TrainOptions::time_stretch,
            "A sequence's speed changes by up to this share")
      ->check(real_number(0, 0.9));
  add_field(verb, flags, "--time-mask", &TrainOptions::time_mask, "Longest share of steps set to the mean")
      ->check(real_number(0, 1));
  add_field(verb, flags, "--feature-mask", &TrainOptions::feature_mask, "Widest share of features set to the mean")
      ->check(real_number(0, 1));
  add_field(verb, flags, "--seed", &TrainOptions::seed, "Of weights, order and augmentation")->check(seed_number());

  verb.add_option_function<std::string>(
      "--checkpoint",
      [&flags](const std::string& path) {
        flags.changes.push_back([path](TrainOptions& options) { options.checkpoint = path; });
      },
      "File to go on from after Ctrl-C; else OUT.checkpoint, removed at the end");
  add_switch(verb, flags, "--resume", &TrainOptions::resume, "Go on from the checkpoint, to the bits of a whole run");
  add_story_flags(verb, flags.data);
  add_own_data_flags(verb, flags.data);
  add_memory_flags(verb, flags);
  add_data_flags(verb, flags.data, "--data-seed");
  verb.get_option("--max-memory")
      ->description(
          "Bytes that the data may take once decoded, and that the network may take while it learns, such as 512M or "
          "8G; more is refused before it is taken (default 4G)");
  flags.shared.add_to(verb);
  verb.callback([shared, &verb] { run_train(*shared, GivenFlags(verb)); });
}

}  // namespace quaver
