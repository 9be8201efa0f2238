#include "quaver/workflow/evaluate.h"

#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class EvaluateCall : public samples::Networks {};

TEST_F(EvaluateCall, CountsWhatAModelNames) {
  const EvaluateReport report = evaluate({.model = model, .task = "chirps", .split = "validation", .limit = 20}, heard);
  const Evaluation& evaluation = std::get<SequenceEvaluateReport>(report.of_kind).evaluation;
  EXPECT_EQ(evaluation.n, 20u);
  EXPECT_EQ(report.scheme, "f32");
  EXPECT_EQ(report.split, "validation");
  EXPECT_EQ(heard.done, 20u);
}

TEST_F(EvaluateCall, CountsWhatAMemoryNetworkAnswers) {
  stories.tasks = "1,2";
  const EvaluateReport report = evaluate({.model = network, .task = "stories", .data = stories}, heard);
  const auto& of_kind = std::get<MemoryEvaluateReport>(report.of_kind);
  ASSERT_EQ(of_kind.tasks.size(), 2u);
  EXPECT_EQ(of_kind.questions, of_kind.tasks[0].questions + of_kind.tasks[1].questions);
  EXPECT_DOUBLE_EQ(of_kind.error, (of_kind.tasks[0].error + of_kind.tasks[1].error) / 2);
}

TEST_F(EvaluateCall, RefusesAModelOfOtherClasses) {
  Model other = chirps_model();
  other.outputs = {"pool"};
  save(other, model);
  EXPECT_TRUE(contains(error_of([&] { evaluate({.model = model, .task = "chirps"}, heard); }),
                       "output 'pool' of model 'chirper' has 4 numbers, the data has 10 classes"));
}

TEST_F(EvaluateCall, RefusesTasksOfTheOtherKind) {
  const auto refusal = [&](const EvaluateRequest& request, ErrorKind kind = ErrorKind::kBadInput) {
    return error_of([&] { evaluate(request, heard); }, kind);
  };
  EXPECT_TRUE(contains(refusal({.model = model, .task = "stories"}), "and not a memory network"));
  EXPECT_TRUE(contains(refusal({.model = network, .task = "chirps"}), "needs a model of sequences"));
  EXPECT_TRUE(contains(refusal({.model = folder.path() / "none", .task = "chirps"}), "none"));
  EXPECT_TRUE(contains(refusal({.model = model, .task = "chrips"}, ErrorKind::kUsage), "did you mean 'chirps'?"));
  EXPECT_TRUE(contains(refusal({.model = model, .task = sequences().string()}, ErrorKind::kUsage),
                       "gives the outputs of data of your own"));
  EXPECT_TRUE(contains(refusal({.model = network, .task = sequences().string()}, ErrorKind::kUsage),
                       "judges the answers to a file of stories"));
  EXPECT_TRUE(contains(refusal({.model = model, .task = "chirps", .data = stories}, ErrorKind::kUsage),
                       "--questions belongs to generated stories"));
}

}  // namespace
}  // namespace quaver
