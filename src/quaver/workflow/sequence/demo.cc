#include <memory>
#include <span>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/metrics/metric.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/quantize/quantize.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/report/error/compare.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/table.h"
#include "quaver/report/show/warning_lines.h"
#include "quaver/workflow/demo_parts.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"
#include "quaver/workflow/sequence/training_progress.h"

namespace quaver {
namespace {

constexpr std::size_t kCalibrationSequences = 256;
constexpr std::size_t kEpochs = 12;  // enough for 99 % of the chirps, and under two minutes on two old cores

// Microseconds of one step of a stream, on frames of the test data.
std::vector<double> step_times(const std::vector<Model>& models, const Dataset& data) {
  struct Stream {
    Session session;
    State state;
    std::vector<float> scores;
    std::size_t frame = 0;
  };
  std::vector<Contestant> contestants;
  const Sequence& sequence = data.examples.front().input;
  for (const Model& model : models) {
    Session session(model);
    State fresh = session.initial_state();
    std::vector<float> scores(session.score_count());
    auto stream = std::make_shared<Stream>(Stream{std::move(session), std::move(fresh), std::move(scores)});
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

struct Splits {
  Dataset train, validation, test;
};

Model trained(const DemoRequest& request, const RecurrentTrainer& trainer, const std::string& cell, const Splits& data,
              Listener& listener) {
  listener.stage(concat("training a float ", cell, " on ", data.train.examples.size(), " generated sequences"));
  TrainOptions options;
  options.cell = cell;
  options.epochs = kEpochs;
  options.seed = request.seed;
  options.threads = request.threads;
  options.on_progress = TrainingProgress(find_metric(data.train.metric, data.train.target), listener);
  TrainResult result = trainer.train(data.train, data.validation, options);
  listener.stage(concat("trained in ", fixed_text(result.seconds, 1), " s; quantizing to ", kDefaultScheme));
  return std::move(result.model);
}

// Float and integers.
std::vector<DemoRow> demo_cell(const DemoRequest& request, const RecurrentTrainer& trainer, const std::string& cell,
                               const Splits& data, Listener& listener) {
  Model in_float = trained(request, trainer, cell, data, listener);
  std::vector<SequenceView> calibration;
  for (const Example& example : data.train.examples)
    if (calibration.size() < kCalibrationSequences) calibration.push_back(view_of(example.input));
  QuantizeResult quantized = quantize(in_float, calibrate(in_float, calibration));
  for (const std::string& line : warning_lines(quantized.warnings)) listener.warn(line);
  const std::vector<Model> models{std::move(in_float), std::move(quantized.model)};

  std::vector<SequenceView> test;
  for (const Example& example : data.test.examples) test.push_back(view_of(example.input));
  const Comparison comparison = compare(models[0], models[1], test);
  const std::vector<double> times = step_times(models, data.test);
  std::vector<DemoRow> rows;
  for (std::size_t i = 0; i < models.size(); ++i) {
    Session session(models[i], {.threads = request.threads});
    DemoRow& row = rows.emplace_back(DemoRow{.cell = cell, .scheme = models[i].scheme});
    row.accuracy = evaluate(session, data.test, "", listener).chosen.value;
    row.bytes = save_bytes(models[i]).size();
    row.us_per_step = times[i];
    row.float_ops = inspect(models[i]).float_ops;
    if (i > 0) row.sqnr_db = comparison.last_hidden.back().sqnr_last_db;
    if (!request.keep.empty()) save(models[i], request.keep / concat(cell, ".", models[i].scheme, ".safetensors"));
  }
  return rows;
}

}  // namespace

void demo_sequences(const DemoRequest& request, const std::vector<std::string>& cells, DemoReport& report,
                    Listener& listener) {
  const RecurrentTrainer& trainer = request.trainer();
  const Splits data{load_task(kDemoTask, "train"), load_task(kDemoTask, "validation"), load_task(kDemoTask, "test")};
  report.test_sequences = data.test.examples.size();
  for (const std::string& cell : cells)
    for (DemoRow& row : demo_cell(request, trainer, cell, data, listener)) report.rows.push_back(std::move(row));
}

}  // namespace quaver
