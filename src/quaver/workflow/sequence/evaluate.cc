#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/controls/controls.h"
#include "quaver/data/tasks.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {
namespace {

// hear: the outputs of each sequence, in order.
Evaluation judge(Session& session, const Dataset& data, const std::string& metric, Listener& listener,
                 const std::function<void(std::vector<float>)>& hear) {
  constexpr std::size_t kBatch = 64;  // sequences in memory at once; the session spreads them over its threads
  Evaluator evaluator(session, data.target, target_width(data), metric.empty() ? data.metric : metric);
  listener.begin("evaluating", "sequences", data.size());
  std::vector<Example> room(kBatch);
  std::vector<JudgedSequence> batch;
  for (std::size_t begin = 0; begin < data.size(); begin += batch.size()) {
    batch.clear();
    for (std::size_t i = begin; i < std::min(begin + kBatch, data.size()); ++i) {
      const Example& example = data.example(i, room[i - begin]);
      batch.push_back({view_of(example.input), truth_of(example)});
    }
    for (std::vector<float>& outputs : evaluator.add(batch)) hear(std::move(outputs));
    listener.advance(begin + batch.size());
  }
  return evaluator.result();
}

std::vector<Evaluation::Figure> as_others(const std::vector<TaskFigure>& figures) {
  std::vector<Evaluation::Figure> others;
  for (const TaskFigure& own : figures)
    others.push_back({.metric = own.name, .unit = own.unit, .value = own.value, .is_count = own.is_count});
  return others;
}

// By the metric that judges the model.
std::vector<ControlScore> control_scores(const ModelData& source, Dataset data, const std::string& metric) {
  Dataset train = source.load("train"), validation = source.load("validation");
  for (Dataset* each : {&train, &validation, &data}) each->metric = metric;
  std::vector<ControlScore> scores;
  for (const Control& control : controls(train, validation, data, source.forecast()))
    scores.push_back({.name = control.name, .value = control.value});
  return scores;
}

}  // namespace

Evaluation evaluate(Session& session, const Dataset& data, const std::string& metric, Listener& listener) {
  return judge(session, data, metric, listener, [](const std::vector<float>&) {});
}

EvaluateReport evaluate(const Model& model, const EvaluateRequest& request, Listener& listener) {
  if (is_story_task(request.task))
    throw_bad_input(concat(request.model.string(), ": this is a model of sequences and not a memory network"));
  const ModelData source(model, request.model, request.task, request.data, request.limit, listener);
  const Dataset data = source.load(request.split);
  Session session(model, {.threads = request.threads});
  SequenceEvaluateReport report{.path = std::string(isa_name(session.isa()))};
  const bool has_own = request.split == "test" && !names_own_data(request.task) && has_figures(request.task);
  const TaskOptions options = request.data.of_sequences(request.limit);
  std::vector<std::vector<float>> outputs;
  report.evaluation = judge(session, data, request.metric, listener, [&](std::vector<float> of_sequence) {
    if (has_own) outputs.push_back(std::move(of_sequence));
  });
  if (has_own)
    std::ranges::move(as_others(task_figures(request.task, options, data, outputs)),
                      std::back_inserter(report.evaluation.others));
  if (request.controls) report.controls = control_scores(source, data, report.evaluation.chosen.metric);
  if (request.controls && has_own)
    for (const TaskControl& own : task_controls(request.task, options, data)) {
      auto score = std::ranges::find(report.controls, own.name, &ControlScore::name);
      if (score == report.controls.end()) score = report.controls.insert(score, {.name = own.name});
      score->others = as_others(own.figures);
    }
  return {.of_kind = std::move(report),
          .model = request.model.string(),
          .scheme = model.scheme,
          .task = request.task,
          .split = request.split};
}

}  // namespace quaver
