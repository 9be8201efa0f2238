#include <algorithm>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {

Evaluation evaluate(Session& session, const Dataset& data, const std::string& metric, Listener& listener) {
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
    evaluator.add(batch);
    listener.advance(begin + batch.size());
  }
  return evaluator.result();
}

EvaluateReport evaluate(const Model& model, const EvaluateRequest& request, Listener& listener) {
  if (is_story_task(request.task))
    throw_bad_input(concat(request.model.string(), ": this is a model of sequences and not a memory network"));
  const Dataset data = load_for(model, request.task, request.split, request.data, request.limit, listener);
  Session session(model, {.threads = request.threads});
  const Evaluation evaluation = evaluate(session, data, request.metric, listener);
  return {.of_kind = SequenceEvaluateReport{evaluation, std::string(isa_name(session.isa()))},
          .model = request.model.string(),
          .scheme = model.scheme,
          .task = request.task,
          .split = request.split};
}

}  // namespace quaver
