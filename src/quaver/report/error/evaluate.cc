#include "quaver/report/error/evaluate.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

// The class that step t of a result names: its largest score, or the index itself after an argmax node.
std::int64_t named_class(const Result& result, std::span<const float> real, std::size_t t) {
  const auto features = static_cast<std::size_t>(result.value.size());
  const auto scores = real.subspan(t * features, features);
  if (result.value.format.kind == NumberType::kI32) return static_cast<std::int64_t>(scores[0]);
  return std::ranges::max_element(scores) - scores.begin();
}

}  // namespace

Evaluation evaluate(Session& session, std::span<const LabelledSequence> sequences, const EvaluateOptions& options) {
  if (sequences.empty()) throw_bad_input("evaluate was given no sequence, expected at least one");
  const Model& model = session.model();
  const Value& scores = model.value(model.outputs.at(0));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::size_t expected = scores.has_time ? sequences[i].input.steps : 1;
    if (sequences[i].labels.size() != expected)
      throw_bad_input(concat("sequence ", i, " has ", sequences[i].labels.size(), " labels, expected ", expected,
                             ": the model's output '", model.outputs[0], "' has one row of scores a ",
                             scores.has_time ? "step" : "sequence"));
  }

  using Clock = std::chrono::steady_clock;
  Evaluation evaluation;
  evaluation.sequences = sequences.size();
  std::vector<SequenceView> batch;
  for (std::size_t begin = 0; begin < sequences.size(); begin += options.batch) {
    const auto part = sequences.subspan(begin, std::min(options.batch, sequences.size() - begin));
    batch.clear();
    for (const LabelledSequence& sequence : part) batch.push_back(sequence.input);
    const auto start = Clock::now();
    const std::vector<std::vector<Result>> results = session.run(batch);
    evaluation.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    for (std::size_t i = 0; i < part.size(); ++i) {
      const Result& result = results[i][0];
      const std::vector<float> real = result.real();
      for (std::size_t t = 0; t < part[i].labels.size(); ++t)
        evaluation.correct += named_class(result, real, t) == part[i].labels[t] ? 1u : 0u;
      evaluation.n += part[i].labels.size();
      evaluation.steps += part[i].input.steps;
    }
    if (options.progress) options.progress(begin + part.size(), sequences.size());
  }
  evaluation.value = 100 * static_cast<double>(evaluation.correct) / static_cast<double>(evaluation.n);
  return evaluation;
}

}  // namespace quaver
