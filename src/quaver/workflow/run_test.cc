#include "quaver/workflow/run.h"

#include <sstream>

#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class RunCall : public samples::Networks {
 protected:
  std::string refusal(const RunRequest& request) {
    return error_of([&] { run(request, heard); }, ErrorKind::kUsage);
  }
  const std::filesystem::path y = folder.path() / "y.npz", state = folder.path() / "state";
};

TEST_F(RunCall, WritesWhatAModelSays) {
  const RunReport report = run({.model = model, .input = sequences(), .output = y}, heard);
  const auto& of_kind = std::get<SequenceRunReport>(report);
  EXPECT_EQ(of_kind.sequences, 2u);
  EXPECT_EQ(of_kind.steps, 5u);
  ASSERT_EQ(of_kind.arrays.size(), 2u);
  EXPECT_EQ(of_kind.arrays[0].name, "y");
  EXPECT_EQ(of_kind.arrays[0].shape, (std::vector<std::int64_t>{2, 10}));
  const NpzArray whole = NpzFile::open(y).read("y");
  // Step by step, with the same bits, and a state that another run goes on from.
  run({.model = model, .input = sequences(), .state_out = state, .output = y, .stream = true}, heard);
  EXPECT_EQ(NpzFile::open(y).read("y").bytes, whole.bytes);
  EXPECT_EQ(NpzFile::open(y).header("y_stream").shape, (std::vector<std::int64_t>{2, 5, 10}));
  run({.model = model, .input = sequences(), .state_in = state, .output = y}, heard);
  EXPECT_NE(NpzFile::open(y).read("y").bytes, whole.bytes);
}

TEST_F(RunCall, AnswersTheQuestionsOfAStory) {
  std::istringstream story("Mary went to the garden. Where is Mary?\nThe zork is blue.\nWhere is the zork?\n");
  const RunRequest request{.model = network, .state_out = state, .text_in = &story, .explain = true};
  const DialogueReport report = std::get<DialogueReport>(run(request, heard));
  EXPECT_EQ(report.facts, 2u);
  EXPECT_EQ(report.questions, 2u);
  ASSERT_EQ(report.replies.size(), 2u);
  EXPECT_EQ(report.replies[1].question, "Where is the zork?");
  EXPECT_EQ(report.replies[1].line, 3u);
  EXPECT_EQ(report.replies[1].explanation->empty_p.size(), 3u);
  EXPECT_EQ(heard.replies.size(), 2u);
  EXPECT_TRUE(contains(heard.warnings.front(), "standard input, line 2: 'zork' was never seen"));
  // The memory goes on, and replies need not be kept.
  std::istringstream more("Where is Mary?");
  const DialogueReport second = std::get<DialogueReport>(
      run({.model = network, .state_in = state, .text_in = &more, .keep_replies = false}, heard));
  EXPECT_TRUE(second.replies.empty());
  EXPECT_EQ(heard.replies.back().facts, 2u);
}

TEST_F(RunCall, RefusesFieldsThatMeanNothing) {
  EXPECT_EQ(refusal({.model = model, .input = sequences(), .output = y, .explain = true}),
            "--explain belongs to memory networks; here " + model.string() + " is a model of sequences");
  EXPECT_TRUE(contains(refusal({.model = model, .output = y}), "--input is required"));
  EXPECT_TRUE(contains(refusal({.model = model, .input = sequences()}), "--output is required"));
  EXPECT_TRUE(contains(refusal({.model = network, .output = y}), "--output belongs to models of sequences"));
  EXPECT_TRUE(contains(refusal({.model = network, .stream = true}), "--stream belongs to models of sequences"));
  EXPECT_TRUE(contains(refusal({.model = network}), "--input is required: a story"));
}

// What does not follow time has a row a sequence, in every such input.
TEST_F(RunCall, CountsTheSequencesOfEveryInput) {
  Model sum;
  sum.inputs = {{"x", {{2}, true, {}}}, {"c", {{2}, false, {}}}, {"s", {{2}, false, {}}}};
  samples::append(sum, "y", AddAttributes{}, "f32", {}, {"x", "c", "s"});
  sum.outputs = {"y"};
  save(sum, model);
  const std::filesystem::path input = folder.path() / "joined.npz";
  const auto rows = [](std::int64_t count) {
    return NpzArray::from<float>({count, 2}, std::vector<float>(static_cast<std::size_t>(2 * count), 1));
  };
  const auto offsets = NpzArray::from<std::int64_t>({4}, std::vector<std::int64_t>{0, 1, 2, 3});
  for (const auto& [c, s] : {std::pair{3, 3}, {1, 3}, {3, 1}, {4, 3}, {3, 4}, {1, 1}, {4, 4}}) {
    write_npz(input, {{"x", rows(3)}, {"c", rows(c)}, {"s", rows(s)}, {"offsets", offsets}});
    const auto go = [&] { run({.model = model, .input = input, .output = y}, heard); };
    if (c == 3 && s == 3) {
      go();
      EXPECT_EQ(NpzFile::open(y).read("y").as<float>()[5], 3);
    } else {
      EXPECT_NE(error_of(go), "") << c << " rows of c, " << s << " of s";
    }
  }
}

TEST_F(RunCall, RefusesOutputsWithTheNamesOfOtherArrays) {
  Model two = chirps_model();
  samples::append(two, "y", ActivationAttributes{}, "f32", {}, {"scores"});
  two.outputs = {"scores", "y"};
  save(two, model);
  EXPECT_TRUE(contains(error_of([&] { run({.model = model, .input = sequences(), .output = y}, heard); }),
                       "output 'y' has the name of another array"));
  two.outputs = {"y", "scores"};
  save(two, model);
  EXPECT_EQ(std::get<SequenceRunReport>(run({.model = model, .input = sequences(), .output = y}, heard)).arrays.size(),
            2u);
}

TEST_F(RunCall, KeepsFilesApart) {
  EXPECT_TRUE(contains(refusal({.model = model, .input = sequences(), .output = model}), "it would be lost"));
  EXPECT_TRUE(contains(refusal({.model = network, .state_out = network}), "it would be lost"));
  EXPECT_TRUE(contains(error_of([&] { run({.model = model, .input = "none.npz", .output = y}, heard); }), "none.npz"));
  EXPECT_FALSE(std::filesystem::exists(y));
}

}  // namespace
}  // namespace quaver
