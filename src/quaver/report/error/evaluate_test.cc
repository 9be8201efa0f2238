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

TEST(Evaluator, CountsSequencesOfAClassifierAndStepsOfATagger) {
  const samples::RandomSequences sequences = samples::random_sequences(10, 7, 4);
  for (const bool pooled : {true, false}) {
    Session session(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, pooled), {.threads = 2});
    std::vector<std::vector<std::int32_t>> labels;
    for (const SequenceView& view : sequences.views) labels.push_back(own_labels(session, view));
    labels[3][0] = (labels[3][0] + 1) % 3;
    std::vector<JudgedSequence> judged;
    for (std::size_t i = 0; i < labels.size(); ++i) judged.push_back({sequences.views[i], {.labels = labels[i]}});
    Evaluator evaluator(session, pooled ? Target::kClass : Target::kTags, 3);
    evaluator.add(std::span(judged).first(4));
    evaluator.add(std::span(judged).subspan(4));
    const Evaluation evaluation = evaluator.result();
    EXPECT_EQ(evaluation.chosen.metric, "accuracy");
    EXPECT_EQ(evaluation.n, pooled ? 10u : 70u);
    EXPECT_EQ(evaluation.correct, evaluation.n - 1);
    EXPECT_DOUBLE_EQ(evaluation.chosen.value, pooled ? 90.0 : 100.0 * 69 / 70);
    EXPECT_EQ(evaluation.steps, 70u);
  }
}

TEST(Evaluator, JudgesRealNumbersByTheirErrors) {
  const samples::RandomSequences sequences = samples::random_sequences(5, 7, 4);
  Session session(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, false));
  Evaluator evaluator(session, Target::kRealSteps, 3, "mae");
  for (const SequenceView& view : sequences.views) {
    std::vector<float> reals = session.run(view)[0].real();
    for (float& real : reals) real += 0.5f;
    const std::vector<JudgedSequence> judged{{view, {.reals = reals}}};
    evaluator.add(judged);
  }
  const Evaluation evaluation = evaluator.result();
  EXPECT_EQ(evaluation.chosen.metric, "mae");
  EXPECT_NEAR(evaluation.chosen.value, 0.5, 1e-6);
  ASSERT_EQ(evaluation.others.size(), 1u);
  EXPECT_NEAR(evaluation.others[0].value, 0.25, 1e-6);
}

TEST(Evaluator, RefusesNoDataAndTruthsThatDoNotFit) {
  const samples::RandomSequences sequences = samples::random_sequences(1, 7, 4);
  Session session(samples::small_model(GruAttributes{.input_size = 4, .hidden_size = 6}, true));
  Evaluator evaluator(session, Target::kClass, 3);
  EXPECT_THROW(evaluator.result(), Error);
  const std::vector<std::int32_t> tags(7);
  const std::vector<JudgedSequence> judged{{sequences.views[0], {.labels = tags}}};
  EXPECT_THROW(evaluator.add(judged), Error);
  EXPECT_THROW(Evaluator(session, Target::kClass, 4), Error);
  EXPECT_THROW(Evaluator(session, Target::kReals, 3, "accuracy"), Error);
}

}  // namespace
}  // namespace quaver
