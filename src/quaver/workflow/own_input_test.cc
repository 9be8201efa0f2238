#include "quaver/workflow/own_input.h"

#include <fstream>

#include "quaver/data/stories.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/npz/npz.h"
#include "quaver/workflow/evaluate.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class OwnInput : public samples::Networks {
 protected:
  // Sequences of the features that the model reads, five of each of ten classes.
  std::string spec() const {
    const auto features = static_cast<std::int64_t>(task_info("chirps").features);
    std::vector<float> values(static_cast<std::size_t>(50 * 4 * features));
    std::vector<std::int32_t> labels(50);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) / 7;
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 10);
    const std::filesystem::path path = folder.path() / "own.npz";
    write_npz(path, {{"x", NpzArray::from<float>({50, 4, features}, values)},
                     {"y", NpzArray::from<std::int32_t>({50}, labels)}});
    return "npz:" + path.string();
  }
};

TEST_F(OwnInput, AModelIsJudgedByIt) {
  const EvaluateReport report = evaluate({.model = model, .task = spec()}, heard);
  EXPECT_EQ(std::get<SequenceEvaluateReport>(report.of_kind).evaluation.n, 10u);
}

TEST_F(OwnInput, AModelIsCalibratedOnIt) {
  const QuantizeReport report = quantize({.in = model, .out = out, .calib = spec()}, heard);
  EXPECT_EQ(std::get<SequenceQuantizeReport>(report.of_kind).sequences, 30u);
  EXPECT_TRUE(contains(report.input, "own.npz (train)"));
}

TEST_F(OwnInput, AModelKeepsItsPipeline) {
  const OwnData data = open_own_data(spec(), {}, 0, std::nullopt, heard);
  Model trained = chirps_model();
  EXPECT_EQ(pipeline_of(trained, {}), std::nullopt);
  keep_pipeline(data.pipeline(), trained);
  save(trained, model);
  EXPECT_EQ(pipeline_of(load(model), model), data.pipeline());
  quantize({.in = model, .out = out, .calib = spec()}, heard);
  EXPECT_EQ(pipeline_of(load(out), out), data.pipeline());
}

TEST_F(OwnInput, OtherDataThanTheModelsIsWarnedOf) {
  Model trained = chirps_model();
  const auto warning_of = [&](const std::string& task) {
    save(trained, model);
    heard.warnings.clear();
    evaluate({.model = model, .task = task}, heard);
    return heard.warnings.empty() ? std::string() : heard.warnings.front();
  };
  trained.task = "chirps";
  EXPECT_TRUE(contains(warning_of(spec()), "learned from task chirps, and 'npz:"));
  EXPECT_EQ(warning_of("chirps"), "");
  keep_pipeline(open_own_data(spec(), {}, 0, std::nullopt, heard).pipeline(), trained);
  trained.task = spec();
  EXPECT_EQ(warning_of(spec()), "");
  EXPECT_TRUE(contains(warning_of("chirps"), "learned from npz:"));
  trained.provenance["pipeline.drawn_from"] = "49";
  EXPECT_TRUE(contains(warning_of(spec()), "not the data that the model learned from: 50 sequences, there were 49"));
  EXPECT_TRUE(contains(
      error_of([&] { evaluate({.model = model, .task = spec(), .data = {.data_seed = 2}}, heard); }, ErrorKind::kUsage),
      "--data-seed belongs to training"));
  trained.provenance["pipeline.features"] = "x";
  EXPECT_TRUE(contains(error_of([&] { warning_of(spec()); }), model.string() + ": pipeline: 'features' is 'x'"));
}

TEST_F(OwnInput, FieldsThatMeanNothingAreRefused) {
  const auto refusal = [&](const std::string& task, const DataSource& data, ErrorKind kind = ErrorKind::kUsage) {
    return error_of([&] { evaluate({.model = model, .task = task, .data = data}, heard); }, kind);
  };
  DataSource grouped, skipping;
  grouped.own.group = "x";
  skipping.own.skip_broken = true;
  EXPECT_TRUE(contains(refusal("chirps", grouped), "--group belongs to recordings (wav:FOLDER)"));
  EXPECT_TRUE(contains(refusal(spec(), grouped), "--group belongs to recordings (wav:FOLDER)"));
  EXPECT_TRUE(contains(refusal("chirps", skipping), "--skip-broken belongs to data of one's own"));
  EXPECT_TRUE(contains(refusal(spec(), stories), "--questions belongs to generated stories"));
  EXPECT_TRUE(contains(refusal("npz:none.npz", {}, ErrorKind::kBadInput), "none.npz"));
}

TEST_F(OwnInput, StoriesOfOnesOwnAreAskedAndCalibratedOn) {
  const std::filesystem::path kitchen = folder.path() / "kitchen";
  std::filesystem::create_directory(kitchen);
  std::ofstream(kitchen / "qa1_kitchen_train.txt") << generate_stories(1, 40, 1);
  std::ofstream(kitchen / "qa1_kitchen_test.txt") << generate_stories(1, 25, 2);
  const std::string spec = "babi:" + kitchen.string();
  const auto questions = [&](const std::string& split) {
    const EvaluateReport report = evaluate({.model = network, .task = spec, .split = split}, heard);
    return std::get<MemoryEvaluateReport>(report.of_kind).questions;
  };
  EXPECT_EQ(questions("test"), 25u);
  EXPECT_EQ(questions("validation"), 4u);
  quantize({.in = network, .out = out, .calib = spec, .calib_split = "validation"}, heard);
  EXPECT_TRUE(std::filesystem::exists(out));

  const auto refusal = [&](const DataSource& data) {
    return error_of([&] { evaluate({.model = network, .task = spec, .data = data}, heard); }, ErrorKind::kUsage);
  };
  DataSource skipping;
  skipping.own.skip_broken = true;
  EXPECT_TRUE(contains(refusal(skipping), "--skip-broken belongs to recordings, tables and texts"));
  EXPECT_TRUE(contains(refusal({.set = "en"}), "--set belongs to task babi"));
  EXPECT_TRUE(contains(refusal({.questions = 9}), "--questions belongs to generated stories"));
  EXPECT_TRUE(contains(refusal({.data_seed = 9}), "--data-seed belongs to splits that are drawn"));
  EXPECT_TRUE(contains(refusal({.tasks = "2"}), "there is no task 2; the tasks are 1"));
  EXPECT_TRUE(contains(error_of([&] { evaluate({.model = model, .task = spec}, heard); }, ErrorKind::kBadInput),
                       "not a memory network"));
  EXPECT_TRUE(contains(
      error_of([&] { quantize({.in = network, .out = out, .calib = "stories", .calib_split = "test"}, heard); },
               ErrorKind::kUsage),
      "--calib-split belongs to data of one's own (KIND:PATH)"));
}

}  // namespace
}  // namespace quaver
