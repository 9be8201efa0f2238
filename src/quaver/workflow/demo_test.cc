#include "quaver/workflow/demo.h"

#include <nlohmann/json.hpp>

#include "quaver/model/memory/memory_network.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class DemoCall : public samples::Networks {
 protected:
  // Learns nothing, at once.
  static TrainResult train(const Dataset& train_data, const Dataset&, const TrainOptions& options) {
    EXPECT_EQ(train_data.task, "chirps");
    EXPECT_EQ(options.cell, "gru");
    return {.model = chirps_model()};
  }
  static constexpr RecurrentTrainer kTrainer{.check = [](const TrainOptions&) {}, .train = train};
  DemoRequest with_training(std::vector<std::string> cells) {
    return {.cells = std::move(cells), .trainer = []() -> const RecurrentTrainer& { return kTrainer; }};
  }
  std::string refusal(const DemoRequest& request, ErrorKind kind = ErrorKind::kUsage) {
    return error_of([&] { demo(request, heard); }, kind);
  }
};

TEST_F(DemoCall, ShowsFloatAndIntegersOfACell) {
  DemoRequest request = with_training({"gru"});
  request.keep = folder.path();
  const DemoReport report = demo(request, heard);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[0].scheme, "f32");
  EXPECT_EQ(report.rows[1].scheme, "int8");
  EXPECT_EQ(report.rows[1].float_ops, 0u);
  EXPECT_FALSE(report.rows[0].sqnr_db.has_value());
  EXPECT_GT(*report.rows[1].sqnr_db, 10);
  EXPECT_FALSE(report.memory.has_value());
  EXPECT_EQ(std::get<Model>(open(folder.path() / "gru.int8.safetensors")).scheme, "int8");
  ASSERT_EQ(heard.stages.size(), 2u);
  EXPECT_TRUE(contains(heard.stages[0], "training a float gru"));
  EXPECT_TRUE(contains(to_text(report), "test sequences"));
}

TEST_F(DemoCall, ShowsMemoryNetworksAndExplainsAQuestion) {
  const DemoReport report = demo({.cells = {kMemoryCell}, .questions = 100, .keep = folder.path()}, heard);
  ASSERT_TRUE(report.memory.has_value());
  ASSERT_EQ(report.memory->rows.size(), 3u);
  EXPECT_EQ(report.memory->rows[2].scheme, "qmann8");
  EXPECT_EQ(report.memory->rows[2].float_ops, 0u);
  ASSERT_TRUE(report.memory->explained.has_value());
  EXPECT_GE(report.memory->explained->facts.size(), 4u);
  EXPECT_EQ(report.memory->explained->facts[0].p.size(), 3u);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "memn2n.int8.safetensors"));
  const nlohmann::ordered_json json = to_json(report);
  EXPECT_EQ(json.at("results").size(), 3u);
  EXPECT_EQ(json.at("explained").at("looked_at")[0].at("fact"), 1);
}

TEST_F(DemoCall, RefusesWhatItDoesNotShow) {
  EXPECT_TRUE(contains(refusal({.cells = {"rnn"}}), "unknown cell 'rnn'"));
  DemoRequest request = with_training({"lstm"});
  request.questions = 50;
  EXPECT_EQ(refusal(request), "--questions belongs to cell memn2n; here the cells are lstm");
  request = with_training({"lstm"});
  request.trainer = []() -> const RecurrentTrainer& { throw_failed("nothing here trains"); };
  EXPECT_TRUE(contains(refusal(request, ErrorKind::kFailed), "nothing here trains"));
  EXPECT_TRUE(heard.stages.empty());
  request = with_training({"lstm"});
  request.keep = folder.path() / "none";
  EXPECT_TRUE(contains(refusal(request, ErrorKind::kFailed), "none"));
}

}  // namespace
}  // namespace quaver
