#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/controls/controls.h"
#include "quaver/data/nab.h"
#include "quaver/data/nab_score.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {

namespace {

constexpr std::string_view kNab = "nab";

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

// What anomalies are found by the errors of these forecasts, each a sequence of `test`.
void add_nab_score(const EvaluateRequest& request, const Dataset& test, std::span<const std::vector<float>> forecasts,
                   Evaluation& evaluation) {
  const std::vector<NabSeries> series = nab_series(request.data.of_sequences(request.limit));
  if (std::ranges::all_of(series, [](const NabSeries& each) { return each.windows.empty(); })) return;
  const NabScore score = nab_score_of(series, test, forecasts);
  evaluation.others.push_back({.metric = "nab_score", .value = score.score});
  evaluation.others.push_back({.metric = "nab_found_windows",
                               .unit = concat("of ", score.windows),
                               .value = static_cast<double>(score.found_windows),
                               .is_count = true});
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
  const ModelData source(model, request.task, request.data, request.limit, listener);
  const Dataset data = source.load(request.split);
  Session session(model, {.threads = request.threads});
  SequenceEvaluateReport report{.path = std::string(isa_name(session.isa()))};
  const bool is_nab = request.task == kNab && request.split == "test";
  std::vector<std::vector<float>> forecasts;
  report.evaluation = judge(session, data, request.metric, listener, [&](std::vector<float> outputs) {
    if (is_nab) forecasts.push_back(std::move(outputs));
  });
  if (is_nab) add_nab_score(request, data, forecasts, report.evaluation);
  if (request.controls) report.controls = control_scores(source, data, report.evaluation.chosen.metric);
  return {.of_kind = std::move(report),
          .model = request.model.string(),
          .scheme = model.scheme,
          .task = request.task,
          .split = request.split};
}

}  // namespace quaver
