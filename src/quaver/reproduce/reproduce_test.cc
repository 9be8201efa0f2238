#include "quaver/reproduce/reproduce.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;
using nlohmann::ordered_json;

class ReproduceCall : public ::testing::Test {
 protected:
  ReproduceCall() {
    request.paper = "qmann";
    request.task = "stories";
    request.data.questions = 40;
    request.data.tasks = "1";
    request.rows = {"qmann8", "int8"};
    request.quick = true;
    request.epochs = 1;
    request.work = folder.path() / "work";
  }
  std::string refusal(ErrorKind kind = ErrorKind::kUsage) {
    return error_of([&] { reproduce(request, heard); }, kind);
  }

  const io_test::TemporaryFolder folder;
  ReproduceRequest request;
  samples::Heard heard;
};

TEST_F(ReproduceCall, TrainsOnceAndReportsTheSameAgain) {
  request.save = folder.path() / "table";
  const ReproduceReport first = reproduce(request, heard);
  EXPECT_EQ(first.qmann.planned, 2u);
  ASSERT_EQ(first.qmann.runs.size(), 2u);
  EXPECT_EQ(first.qmann.runs[1].row, "qmann8");
  EXPECT_EQ(first.qmann.runs[1].similarities.size(), 3u);  // a hop
  EXPECT_EQ(heard.begun, std::vector<std::string>{"reproducing trainings"});
  EXPECT_EQ(heard.done, 2u);
  EXPECT_EQ(ordered_json::parse(io_test::read_text(folder.path() / "table.json")), to_json(first.qmann));
  EXPECT_EQ(io_test::read_text(folder.path() / "table.md"), to_markdown(first.qmann));
  EXPECT_TRUE(contains(to_text(first), "Q-MANN 8 bits, IWL 2, MQ"));
  EXPECT_TRUE(contains(first.qmann.command, "--task stories --questions 40"));

  heard.begun.clear();
  request.report_only = true;
  const ReproduceReport second = reproduce(request, heard);
  EXPECT_EQ(to_json(second.qmann), to_json(first.qmann));
  EXPECT_TRUE(heard.begun.empty());
}

TEST_F(ReproduceCall, StoppedItKeepsWhatIsDone) {
  request.should_stop = [this] { return heard.done >= 1; };
  EXPECT_TRUE(contains(refusal(ErrorKind::kFailed), "interrupted with 1 of 2 trainings done"));
  request.should_stop = {};
  reproduce(request, heard);
  EXPECT_EQ(heard.resumed, 1u);
  EXPECT_EQ(heard.done, 2u);
}

TEST_F(ReproduceCall, RefusesWhatIsNoRequest) {
  request.paper = "hitnet";
  EXPECT_TRUE(contains(refusal(), "unknown paper 'hitnet'"));
  request.paper = "qmann";
  request.task = "digits";
  EXPECT_TRUE(contains(refusal(), "unknown task of stories 'digits'"));
  request.task = "babi";
  EXPECT_TRUE(contains(refusal(), "--questions belongs to generated stories"));
  request.task = "stories";
  request.rows = {"qman8"};
  EXPECT_TRUE(contains(refusal(), "did you mean 'qmann8'"));
  request.data.set = "en";
  EXPECT_TRUE(contains(refusal(), "--set belongs to"));
}

TEST_F(ReproduceCall, SaysWhatCannotBeRead) {
  request.rows = {"f32"};
  reproduce(request, heard);
  for (const auto& entry : std::filesystem::directory_iterator(request.work)) std::ofstream(entry.path()) << "{}";
  EXPECT_TRUE(contains(refusal(ErrorKind::kBadInput), "remove it, and it is made again"));
}

}  // namespace
}  // namespace quaver
