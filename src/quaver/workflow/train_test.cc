#include "quaver/workflow/train.h"

#include "quaver/io/model_file/model_file.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class TrainCall : public samples::Networks {
 protected:
  // Stands in for libtorch: gives a model that nobody trained, and keeps what it was asked for.
  static inline TrainOptions asked_;
  static constexpr RecurrentTrainer kPretends{
      .check = [](const TrainOptions&) {},
      .train =
          [](const Dataset& data, const Dataset&, const TrainOptions& options) {
            asked_ = options;
            asked_.on_progress = {};
            if (options.should_stop && options.should_stop()) return TrainResult{.model = {}, .interrupted = true};
            options.on_reading(256, 300);
            LoopProgress progress{.epoch = 1, .epochs = 1, .batch = 1, .batches = 1, .loss = 1, .epoch_end = true};
            progress.validation = Score{50, 1};
            options.on_progress(progress);
            Model model = chirps_model();
            model.classes = data.classes;
            return TrainResult{.model = std::move(model),
                               .metric = "accuracy",
                               .value = 50,
                               .epochs = 1,
                               .best_epoch = 1,
                               .curve = {{1, 50, 1}}};
          }};

  TrainRequest request() {
    TrainRequest request{.task = "chirps", .out = folder.path() / "new.safetensors", .limit = 20};
    request.trainer = []() -> const RecurrentTrainer& { return kPretends; };
    return request;
  }
  std::string refusal(const TrainRequest& request, ErrorKind kind = ErrorKind::kUsage) {
    return error_of([&] { train(request, heard); }, kind);
  }
};

TEST_F(TrainCall, WritesAModelItsCurveAndWhatItIsWorth) {
  TrainRequest wanted = request();
  wanted.options = {{"hidden", "8"}, {"cell", "gru"}, {"linear_before_reset", "false"}};
  wanted.command = "a test";
  const TrainReport report = train(wanted, heard);
  const auto& of_kind = std::get<SequenceTrainReport>(report.of_kind);
  EXPECT_EQ(asked_.hidden, 8u);
  EXPECT_EQ(asked_.cell, "gru");
  EXPECT_FALSE(asked_.linear_before_reset);
  EXPECT_EQ(of_kind.test.chosen.metric, "accuracy");
  EXPECT_EQ(of_kind.test.n, 20u);
  EXPECT_EQ(load(wanted.out).provenance.at("command"), "a test");
  EXPECT_EQ(of_kind.curve, folder.path() / "new.curve.svg");
  EXPECT_GT(std::filesystem::file_size(of_kind.curve), 500u);
  EXPECT_FALSE(std::filesystem::exists(wanted.out.string() + ".checkpoint"));
  EXPECT_EQ(heard.begun[0], "reading examples");
  EXPECT_EQ(heard.begun[1], "training batches");
}

TEST_F(TrainCall, TrainsMemoryNetworks) {
  TrainRequest wanted = request();
  wanted.task = "stories";
  wanted.limit = 0;
  wanted.data = stories;
  wanted.data.tasks = "1,2";
  wanted.options = {{"epochs", "2"}, {"linear_epochs", "1"}, {"embedding", "8"}};
  const TrainReport report = train(wanted, heard);
  const auto& of_kind = std::get<MemoryTrainReport>(report.of_kind);
  ASSERT_EQ(of_kind.networks.size(), 2u);
  EXPECT_EQ(of_kind.networks[1].label, "qa2");
  EXPECT_EQ(of_kind.embedding, 8u);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "new.qa1.safetensors"));
  EXPECT_EQ(heard.done, 6u);
}

TEST_F(TrainCall, AnInterruptionSaysHowToGoOn) {
  TrainRequest wanted = request();
  wanted.should_stop = [] { return true; };
  EXPECT_TRUE(contains(refusal(wanted, ErrorKind::kFailed), "the same command with --resume goes on from"));
}

TEST_F(TrainCall, RefusesWhatDoesNotSuit) {
  const auto with = [&](const std::map<std::string, std::string>& options, const std::string& task = "chirps") {
    TrainRequest wanted = request();
    wanted.options = options;
    wanted.task = task;
    return refusal(wanted);
  };
  EXPECT_TRUE(contains(with({{"hiden", "8"}}), "did you mean 'hidden'?"));
  EXPECT_TRUE(contains(with({{"hidden", "0"}}), "hidden is '0', expected a whole number from 1 to 65536"));
  EXPECT_TRUE(contains(with({{"dropout", "nan"}}), "dropout is 'nan', expected a number from 0 to 0.99"));
  EXPECT_TRUE(contains(with({{"cell", "gru"}, {"peephole", "true"}}), "--peephole belongs to cell lstm"));
  EXPECT_TRUE(contains(with({{"hops", "2"}}), "--hops belongs to memory networks"));
  EXPECT_TRUE(contains(with({{"embedding", "2"}}), "--embedding belongs to tasks of ids or words"));
  EXPECT_TRUE(
      contains(with({{"pooling", "mean"}}, "chirps_tags"), "--pooling belongs to tasks with a class a sequence"));
  EXPECT_TRUE(contains(with({{"hidden", "8"}}, "stories"), "--hidden belongs to recurrent cells"));
  TrainRequest integers = request();
  integers.scheme = "int8";
  EXPECT_TRUE(contains(refusal(integers), "train in float, then 'quaver quantize --scheme int8'"));
  TrainRequest recipe = request();
  recipe.recipe = "qmann";
  EXPECT_TRUE(contains(refusal(recipe), "--recipe belongs to memory networks"));
}

}  // namespace
}  // namespace quaver
