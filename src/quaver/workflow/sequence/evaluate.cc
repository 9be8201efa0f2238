#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {

EvaluateReport evaluate(const Model& model, const EvaluateRequest& request, Listener& listener) {
  if (is_story_task(request.task))
    throw_bad_input(concat(request.model.string(), ": this is a model of sequences and not a memory network"));
  const Dataset data = load_for(model, request.task, request.split, request.data, request.limit, listener);
  const auto scores = static_cast<std::size_t>(model.value(model.outputs[0]).size());
  if (scores != data.classes.size())
    throw_bad_input(concat(request.model.string(), ": output '", printable(model.outputs[0]), "' has ", scores,
                           " scores, task '", data.task, "' has ", data.classes.size(), " classes"));
  const std::vector<LabelledSequence> sequences = labelled(data);
  Session session(model, {.threads = request.threads});
  listener.begin("evaluating", "sequences", sequences.size());
  const Evaluation evaluation =
      evaluate(session, sequences, {.progress = [&](std::size_t done, std::size_t) { listener.advance(done); }});
  return {.of_kind = SequenceEvaluateReport{evaluation, std::string(isa_name(session.isa()))},
          .model = request.model.string(),
          .scheme = model.scheme,
          .task = request.task,
          .split = request.split};
}

}  // namespace quaver
