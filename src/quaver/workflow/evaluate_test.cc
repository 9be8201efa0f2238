#include "quaver/workflow/evaluate.h"

#include <nlohmann/json.hpp>

#include "quaver/data/controls/controls.h"
#include "quaver/data/test_support.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/own_input.h"
#include "quaver/workflow/test_networks.h"

namespace quaver {
namespace {

using io_test::contains;
using io_test::error_of;

class EvaluateCall : public samples::Networks {
 protected:
  // Says one number a sequence, or a step, in place of the model.
  void save_forecaster(std::int64_t features, bool of_steps) {
    Model made;
    made.name = "forecaster";
    made.inputs = {{"input", {{features}, true, {}}}};
    samples::append(made, "cell", GruAttributes{.input_size = features, .hidden_size = 4}, "f32", {});
    if (!of_steps) samples::append(made, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
    samples::append(made, "forecast", DenseAttributes{.input_size = 4, .units = 1}, "f32", {});
    samples::fill_tensors(made, 7);
    made.outputs = {"forecast"};
    save(made, model);
  }
};

TEST_F(EvaluateCall, CountsWhatAModelNames) {
  const EvaluateReport report = evaluate({.model = model, .task = "chirps", .split = "validation", .limit = 20}, heard);
  const Evaluation& evaluation = std::get<SequenceEvaluateReport>(report.of_kind).evaluation;
  EXPECT_EQ(evaluation.n, 20u);
  EXPECT_EQ(report.scheme, "f32");
  EXPECT_EQ(report.split, "validation");
  EXPECT_EQ(heard.done, 20u);
}

TEST_F(EvaluateCall, MeasuresControlsBesideTheModel) {
  const EvaluateReport plain = evaluate({.model = model, .task = "chirps", .limit = 20}, heard);
  EXPECT_TRUE(std::get<SequenceEvaluateReport>(plain.of_kind).controls.empty());
  EXPECT_TRUE(to_json(plain).at("controls").empty());

  const EvaluateReport report =
      evaluate({.model = model, .task = "chirps", .metric = "macro_f1", .controls = true, .limit = 20}, heard);
  const std::vector<ControlScore>& found = std::get<SequenceEvaluateReport>(report.of_kind).controls;
  const auto load = [](const char* split) {
    Dataset data = load_task("chirps", split, {.limit = 20});
    data.metric = "macro_f1";
    return data;
  };
  const std::vector<Control> expected = controls(load("train"), load("validation"), load("test"));
  ASSERT_EQ(found.size(), expected.size());
  ASSERT_FALSE(found.empty());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].name, expected[i].name);
    EXPECT_EQ(found[i].value, expected[i].value);
    EXPECT_EQ(to_json(report).at("controls")[i].at("name"), found[i].name);
    EXPECT_EQ(to_json(report).at("controls")[i].at("value"), found[i].value.value());
    EXPECT_TRUE(contains(to_text(report), "control: " + found[i].name));
  }
}

// A column that repeats itself every 7 rows is linear in the 8 before.
TEST_F(EvaluateCall, ControlsOfATableForecastItsTargets) {
  std::string table = "load,heat\n";
  for (int row = 0; row < 400; ++row) table += std::to_string(row % 7) + "," + std::to_string(row) + "\n";
  const std::filesystem::path file = folder.path() / "t.csv";
  write_file(file, table);
  const DataSource data{.own = {.targets = {"load"}, .window = 8, .horizon = 1}};
  save_forecaster(2, false);
  Model forecaster = load(model);
  keep_pipeline(OwnData::open(*parse_data_spec("csv:" + file.string()), data.own).pipeline(), forecaster);
  save(forecaster, model);
  const EvaluateReport report = evaluate({.model = model, .task = "csv:" + file.string(), .controls = true}, heard);
  const std::vector<ControlScore>& found = std::get<SequenceEvaluateReport>(report.of_kind).controls;
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].name, "persistence");
  EXPECT_NEAR(found[0].value.value(), 1.5, 0.1);  // (6 * 1 + 36) / 7, of a variance of 4
  EXPECT_EQ(found[1].name, "ridge regression");
  EXPECT_NEAR(found[1].value.value(), 0, 1e-3);
  EXPECT_EQ(found[2].name, "ridge a column");
  EXPECT_NEAR(found[2].value.value(), 0, 1e-3);
}

TEST_F(EvaluateCall, JudgesForecastsOfNabByItsScore) {
  std::string quiet = "timestamp,value\n", broken = quiet;
  for (int row = 0; row < 200; ++row) {
    quiet += "t" + std::to_string(row) + "," + std::to_string(row % 2) + "\n";
    broken += "t" + std::to_string(row) + "," + (row == 100 ? "90" : std::to_string(row % 2)) + "\n";
  }
  write_archive(folder.path() / "nab/nab.tar.xz",
                {{"nab/data/a/broken.csv", broken},
                 {"nab/data/a/quiet.csv", quiet},
                 {"nab/labels/combined_windows.json", R"({"a/broken.csv": [["t100", "t110"]], "a/quiet.csv": []})"}});
  save_forecaster(1, true);
  EvaluateRequest request{.model = model, .task = "nab", .data = {.data_dir = folder.path()}};
  const auto others = [&] { return to_json(evaluate(request, heard)).at("others"); };
  EXPECT_DOUBLE_EQ(others().at("nab_score"), 100);
  EXPECT_EQ(others().at("nab_found_windows"), 1);
  EXPECT_TRUE(contains(to_text(evaluate(request, heard)), "nab_found_windows of 1"));
  request.controls = true;
  const EvaluateReport report = evaluate(request, heard);
  const nlohmann::ordered_json scores = to_json(report).at("controls");
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_EQ(scores[0].at("name"), "persistence");
  EXPECT_TRUE(scores[0].contains("value"));
  EXPECT_EQ(scores[0].at("others").at("nab_found_windows"), 1);
  EXPECT_EQ(scores[1].at("name"), "the value itself");
  EXPECT_FALSE(scores[1].contains("value"));
  EXPECT_DOUBLE_EQ(scores[1].at("others").at("nab_score"), 100);
  EXPECT_TRUE(contains(to_text(report), "control: the value itself"));
  request.split = "validation";
  EXPECT_FALSE(others().contains("nab_score"));
  EXPECT_FALSE(to_json(evaluate(request, heard)).at("controls").at(0).contains("others"));
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
