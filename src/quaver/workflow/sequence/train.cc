#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/core/version.h"
#include "quaver/data/tasks.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/operations/operation.h"
#include "quaver/report/show/curve.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/option_text.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/recipe.h"
#include "quaver/workflow/sequence/training_progress.h"

namespace quaver {
namespace {

struct CellOption {
  std::string_view name, attribute;  // of a recurrent operation
};
constexpr std::array<CellOption, 8> kCellOptions{{{"projection", "projection_size"},
                                                  {"cifg", "input_forget"},
                                                  {"peephole", "peephole"},
                                                  {"layer_norm", "layer_norm"},
                                                  {"clip", "clip"},
                                                  {"projection_clip", "projection_clip"},
                                                  {"linear_before_reset", "linear_before_reset"},
                                                  {"nonlinearity", "nonlinearity"}}};

bool given(const TrainRequest& request, std::string_view name) { return request.options.contains(std::string(name)); }

void refuse_option(const TrainRequest& request, std::string_view name, const std::string& belongs_to,
                   const std::string& here) {
  const std::string flag = flag_of_option(name);
  refuse({{flag.c_str(), given(request, name)}}, belongs_to, here);
}

// What the data is like, before it is read.
struct DataShape {
  Target target = Target::kClass;
  std::size_t features = 0;  // 0: ids
};

void require_trainable(const TrainRequest& request, const DataShape& kind, const TrainOptions& options) {
  if (!is_float_scheme(request.scheme))
    throw_usage(concat("--scheme ", request.scheme, ": train in float, then 'quaver quantize --scheme ", request.scheme,
                       "'; training makes ", kFloatScheme, " models in this version"));
  require_known("cell", options.cell, recurrent_names());
  for (const CellOption& option : kCellOptions)
    refuse_attribute({flag_of_option(option.name).c_str(), given(request, option.name)}, option.attribute,
                     {options.cell}, concat("here the cell is ", options.cell));
  if (options.projection == 0) refuse_option(request, "projection_clip", "--projection", "here there is none");
  const std::string task = concat("here task '", request.task, "' ");
  if (is_of_steps(kind.target))
    refuse_option(request, "pooling", "tasks with a class a sequence", task + "has one a step");
  if (kind.features > 0) refuse_option(request, "embedding", "tasks of ids or words", task + "has reals");
}

void refuse_of_memory(const TrainRequest& request) {
  const std::string what = "memory networks", here = concat("here task '", request.task, "' trains a recurrent cell");
  const std::vector<std::string> known = option_names(TrainOptions{});
  for (const std::string& name : option_names(MemoryTrainOptions{}))
    if (std::ranges::find(known, name) == known.end()) refuse_option(request, name, what, here);
  refuse({{"--recipe", !request.recipe.empty()}, {"--warm-start", !request.warm_start.empty()}}, what, here);
  for (const SchemeSwitch& change : request.switches) refuse({{change.flag.c_str(), true}}, what, here);
}

LearningCurve curve_of(const TrainResult& result, const Metric& metric) {
  LearningCurve curve{.metric = result.metric, .unit = std::string(metric.unit), .best_epoch = result.best_epoch};
  for (const CurvePoint& point : result.curve) {
    curve.train_loss.push_back(point.loss);
    curve.validation_loss.push_back(point.validation_loss);
    curve.values.push_back(point.metric);
  }
  return curve;
}

}  // namespace

TrainReport train_recurrent_network(const TrainRequest& request, Listener& listener) {
  refuse_of_memory(request);
  const std::string kind = request.task.substr(0, request.task.find(':'));
  TrainOptions asked = recommended_options(kind, {});  // all that is wrong with them before any data is read
  set_options(request.options, asked);
  const std::filesystem::path curve_file = std::filesystem::path(request.out).replace_extension(".curve.svg");
  const bool own_checkpoint = request.checkpoint.empty();
  const std::filesystem::path checkpoint =
      own_checkpoint ? std::filesystem::path(request.out.string() + ".checkpoint") : request.checkpoint;
  CommandFiles files;
  reads_own_data(files, request.task);
  files.writes_file("--output", request.out);
  files.writes_file("the learning curve of --output", curve_file);
  files.writes_file(own_checkpoint ? "the checkpoint of --output" : "--checkpoint", checkpoint);
  files.check();
  if (!request.resume) require_no_checkpoint(checkpoint);
  if (request.resume && !std::filesystem::exists(checkpoint))
    throw_bad_input(concat(checkpoint.string(), ": there is no checkpoint to resume; start without --resume"));

  std::optional<OwnData> own;
  if (names_own_data(request.task))
    own = open_own_data(request.task, request.data, request.limit, std::nullopt, listener);
  const DataShape shape = own ? DataShape{own->pipeline().target, own->pipeline().features}
                              : DataShape{task_info(request.task).target, task_info(request.task).features};
  require_trainable(request, shape, asked);
  const RecurrentTrainer& trainer = request.trainer();
  asked.max_memory = request.data.max_memory;
  trainer.check(asked);

  const auto load = [&](const char* split) {
    return own ? own->stream(split) : load_task(request.task, split, request.data.of_sequences(request.limit));
  };
  const Dataset train_data = load("train"), validation_data = load("validation"), test_data = load("test");
  TrainOptions options = recommended_options(kind, train_data);
  set_options(request.options, options);
  options.max_memory = request.data.max_memory;
  options.threads = request.threads;
  options.checkpoint = checkpoint;
  options.resume = request.resume;
  options.should_stop = request.should_stop;
  const Metric& metric = find_metric(options.metric.empty() ? train_data.metric : options.metric, train_data.target);
  options.on_reading = [&listener, counted = std::size_t{0}](std::size_t done, std::size_t total) mutable {
    if (counted != total) listener.begin("reading", "examples", total);
    counted = total;
    listener.advance(done);
  };
  options.on_progress = TrainingProgress(metric, listener);
  TrainResult result = trainer.train(train_data, validation_data, options);
  if (result.interrupted)
    throw_failed(concat("interrupted after ", result.epochs, " of ", options.epochs,
                        " epochs; the same command with --resume goes on from ", checkpoint.string()));

  if (!request.command.empty()) result.model.provenance["command"] = request.command;
  if (own) keep_pipeline(own->pipeline(), result.model);
  result.model.provenance["tool"] = concat("quaver ", version());
  save(result.model, request.out);
  const std::string svg = learning_curve_svg(curve_of(result, metric));
  write_file_atomically(curve_file, [&](const ByteSink& sink) { sink(std::as_bytes(std::span(svg))); });
  if (own_checkpoint) std::filesystem::remove(checkpoint);
  Session session(result.model, {.threads = std::max<std::size_t>(1, request.threads)});
  return {.of_kind = SequenceTrainReport{.cell = options.cell,
                                         .hidden = options.hidden,
                                         .epochs = result.epochs,
                                         .best_epoch = result.best_epoch,
                                         .validation = result.value,
                                         .test = evaluate(session, test_data, options.metric, listener),
                                         .bytes = std::filesystem::file_size(request.out),
                                         .curve = curve_file.string()},
          .task = request.task,
          .model = request.out.string(),
          .seed = options.seed,
          .seconds = result.seconds};
}

}  // namespace quaver
