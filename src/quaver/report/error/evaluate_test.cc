#include "quaver/report/error/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quaver/core/error.h"
#include "quaver/report/test_models.h"

namespace quaver {
namespace {

std::vector<std::int32_t> own_labels(Session& session, const SequenceView& view) {
  const Result result = session.run(view)[0];
  const std::vector<float> scores = result.real();
  std::vector<std::int32_t> labels;
  for (std::size_t t = 0; t < result.steps; ++t) {
    const auto row = std::span(scores).subspan(t * 3, 3);
    labels.push_back(static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin()));
  }
  return labels;
}

TEST(Evaluate, CountsSequencesOfAClassifierAndStepsOfATagger) {
  const samples::RandomSequences sequences = samples::random_sequences(10, 7, 4);
  for (const bool pooled : {true, false}) {
    Session session(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, pooled), {.threads = 2});
    std::vector<std::vector<std::int32_t>> labels;
    for (const SequenceView& view : sequences.views) labels.push_back(own_labels(session, view));
    labels[3][0] = (labels[3][0] + 1) % 3;
    std::vector<LabelledSequence> labelled;
    for (std::size_t i = 0; i < labels.size(); ++i) labelled.push_back({sequences.views[i], labels[i]});
    const Evaluation evaluation = evaluate(session, labelled, {.batch = 4});
    EXPECT_EQ(evaluation.n, pooled ? 10u : 70u);
    EXPECT_EQ(evaluation.correct, evaluation.n - 1);
    EXPECT_DOUBLE_EQ(evaluation.value, pooled ? 90.0 : 100.0 * 69 / 70);
    EXPECT_EQ(evaluation.steps, 70u);
  }
}

TEST(Evaluate, RefusesNoDataAndLabelsThatDoNotFit) {
  const samples::RandomSequences sequences = samples::random_sequences(1, 7, 4);
  Session session(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true));
  EXPECT_THROW(evaluate(session, {}), Error);
  const std::vector<std::int32_t> tags(7);
  const std::vector<LabelledSequence> labelled{{sequences.views[0], tags}};
  EXPECT_THROW(evaluate(session, labelled), Error);
}

}  // namespace
}  // namespace quaver
