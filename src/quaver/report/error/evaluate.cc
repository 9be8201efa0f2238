#include "quaver/report/error/evaluate.h"

#include <algorithm>
#include <chrono>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

const Value& judged_output(const Session& session) {
  const Model& model = session.model();
  return model.value(model.outputs.at(0));
}

bool names_indices(const Value& output) { return output.format.kind == NumberType::kI32; }

std::string described_output(const Session& session) {
  return concat("output '", printable(session.model().outputs.at(0)), "' of model '", printable(session.model().name),
                "'");
}

std::size_t rows_of(const Truth& truth, const Tally& tally) {
  const std::size_t numbers = is_real(tally.target()) ? truth.reals.size() : truth.labels.size();
  return names_a_class(tally.target()) ? numbers : numbers / tally.width();
}

}  // namespace

Evaluator::Evaluator(Session& session, Target target, std::size_t width, const std::string& metric)
    : session_(session), tally_(target, width), metric_(find_metric(metric, target)) {
  const Value& output = judged_output(session);
  if (names_indices(output)) {
    if (!names_a_class(target))
      throw_bad_input(concat(described_output(session), " is the number of a class, but the target is '",
                             target_names().name(target), "'; expected a model with ", width, " numbers"));
    if (metric_.needs_scores)
      throw_bad_input(concat(described_output(session), " is the number of a class, but the metric ", metric_.name,
                             " needs scores; judge it by accuracy"));
  } else if (static_cast<std::size_t>(output.size()) != width) {
    throw_bad_input(concat(described_output(session), " has ", output.size(), " numbers, the data has ", width,
                           is_real(target)         ? " real numbers"
                           : names_a_class(target) ? " classes"
                                                   : " labels"));
  }
}

void Evaluator::require_truths(const JudgedSequence& sequence) const {
  const bool of_steps = judged_output(session_).has_time;
  const std::size_t expected = of_steps ? sequence.input.steps : 1, found = rows_of(sequence.truth, tally_);
  if (found != expected)
    throw_bad_input(concat("sequence ", sequences_, " has ", found,
                           is_real(tally_.target()) ? " real targets" : " labels", ", expected ", expected, ": ",
                           described_output(session_), " has a row a ", of_steps ? "step" : "sequence"));
}

std::vector<std::vector<float>> Evaluator::add(std::span<const JudgedSequence> sequences) {
  for (const JudgedSequence& sequence : sequences) require_truths(sequence);
  std::vector<SequenceView> views;
  for (const JudgedSequence& sequence : sequences) views.push_back(sequence.input);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::vector<Result>> results = session_.run(views);
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<std::vector<float>> all_outputs;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::vector<float>& outputs = all_outputs.emplace_back(results[i][0].real());
    if (names_indices(results[i][0].value)) {
      const std::vector<std::int64_t> named(outputs.begin(), outputs.end());
      for (const std::int64_t index : named)
        if (static_cast<std::size_t>(index) >= tally_.width())
          throw_bad_input(concat(described_output(session_), " names class ", index, ", the data has ", tally_.width(),
                                 " classes"));
      tally_.add_named(named, sequences[i].truth.labels);
    } else {
      tally_.add(outputs, sequences[i].truth);
    }
    steps_ += sequences[i].input.steps;
  }
  sequences_ += sequences.size();
  return all_outputs;
}

Evaluation Evaluator::result() const {
  if (sequences_ == 0) throw_bad_input("there is no sequence to judge the model by, expected at least one");
  const auto figure = [&](const Metric& metric) {
    return Evaluation::Figure{std::string(metric.name), std::string(metric.unit), metric.value(tally_),
                              metric.higher_is_better};
  };
  Evaluation evaluation{.chosen = figure(metric_),
                        .others = {},
                        .n = tally_.rows(),
                        .correct = tally_.correct(),
                        .sequences = sequences_,
                        .steps = steps_,
                        .seconds = seconds_};
  for (const Metric& metric : metrics())
    if (&metric != &metric_ && metric.suits(tally_.target()) && (tally_.has_loss() || !metric.needs_scores))
      evaluation.others.push_back(figure(metric));
  return evaluation;
}

}  // namespace quaver
