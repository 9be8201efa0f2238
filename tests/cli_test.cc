// The built program from the outside: exit codes, what stands on standard output and what on standard error, and that
// a failure leaves nothing half-written. Models are made here from random weights; training has tests of its own.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/data/tasks.h"
#include "quaver/io/container/safetensors.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "quaver/npz/npz.h"
#include "quaver/quantize/quantize.h"
#include "support/built_programs.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFeatures = 4, kScores = 3, kSteps = 9, kBatch = 5;

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

std::vector<float> random_values(std::size_t count, std::uint64_t seed = 3) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

// features -> GRU -> last -> scores.
Model float_model(std::int64_t features, std::int64_t scores, bool tagger = false) {
  Model model;
  model.name = "small";
  model.inputs = {{"input", {{features}, true, {}}}};
  samples::append(model, "gru0", GruAttributes{.input_size = features, .hidden_size = 6}, "f32", {});
  if (!tagger) samples::append(model, "pool", PoolAttributes{Pooling::kLast}, "f32", {});
  samples::append(model, "scores", DenseAttributes{.input_size = 6, .units = scores}, "f32", {});
  samples::fill_tensors(model, 5);
  model.outputs = {"scores"};
  return model;
}

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    folder_ = fs::temp_directory_path() / ("quaver_cli_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    save(float_model(kFeatures, kScores), path("float.safetensors"));
    write_x("x.npz", {kBatch, kSteps, kFeatures});
  }
  ~CliTest() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name) const { return folder_ / name; }

  // Runs "quaver ARGUMENTS" in the folder, through a shell: redirections and limits may stand around it.
  Outcome run(const std::string& arguments, const std::string& before = "") const {
    const fs::path out = path("stdout.txt"), err = path("stderr.txt");
    const std::string command = "cd " + folder_.string() + " && { " + before + testing_support::kProgram + " " +
                                arguments + "; } >" + out.string() + " 2>" + err.string();
    const int status = std::system(command.c_str());
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, file_text(out), file_text(err)};
    fs::remove(out);
    fs::remove(err);
    return outcome;
  }
  nlohmann::json run_json(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --json");
    EXPECT_EQ(outcome.exit_code, 0) << arguments << '\n' << outcome.err;
    nlohmann::json json = nlohmann::json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << arguments << '\n' << outcome.out;
    return json;
  }
  // Fails with this code, one line on standard error that holds every word, nothing on standard output.
  void expect_failure(int exit_code, const std::string& arguments, const std::vector<std::string>& words,
                      const std::string& before = "") const {
    const Outcome outcome = run(arguments, before);
    EXPECT_EQ(outcome.exit_code, exit_code) << arguments << '\n' << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_TRUE(outcome.err.starts_with("quaver: error: ")) << arguments << '\n' << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << arguments << '\n' << outcome.err;
    for (const std::string& word : words)
      EXPECT_NE(outcome.err.find(word), std::string::npos) << arguments << ": no '" << word << "' in\n" << outcome.err;
  }

  void write_x(const std::string& name, const std::vector<std::int64_t>& shape, std::uint64_t seed = 3) const {
    write_npz(path(name),
              {{"x", NpzArray::from<float>(shape, random_values(static_cast<std::size_t>(count_of(shape)), seed))}});
  }
  void quantize_small() const {
    ASSERT_EQ(run("quantize float.safetensors --calib x.npz -o int8.safetensors").exit_code, 0);
  }
  std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

  fs::path folder_;
};

const std::vector<std::string> kVerbs{"train",   "quantize", "eval",  "run", "compare",
                                      "inspect", "convert",  "bench", "demo"};

TEST_F(CliTest, EveryVerbHelps) {
  EXPECT_EQ(run("--help").exit_code, 0);
  for (const std::string& verb : kVerbs) {
    const Outcome outcome = run(verb + " --help");
    EXPECT_EQ(outcome.exit_code, 0) << verb;
    for (const char* flag : {"--json", "--threads", "--help"})
      EXPECT_NE(outcome.out.find(flag), std::string::npos) << verb << ' ' << flag;
  }
  EXPECT_NE(run("--version").out.find("quaver "), std::string::npos);
}

// ---- what the verbs print ------------------------------------------------------------------------------------------

TEST_F(CliTest, JsonHoldsTheKeysThatProgramsReadOn) {
  const auto expect_keys = [](const nlohmann::json& json, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) EXPECT_TRUE(json.contains(key)) << key;
  };
  const auto quantized = run_json("quantize float.safetensors --scheme int8 --calib x.npz -o int8.safetensors");
  expect_keys(quantized, {"model", "scheme", "bytes", "float_bytes", "warnings"});

  const auto inspected = run_json("inspect int8.safetensors");
  expect_keys(inspected, {"bytes", "weights_bytes", "state_bytes", "macs", "float_ops", "scheme", "layers", "energy_pj",
                          "energy_gain_vs_f32"});
  EXPECT_EQ(inspected["float_ops"], 0);
  EXPECT_EQ(inspected["scheme"], "int8");
  EXPECT_EQ(inspected["bytes"], fs::file_size(path("int8.safetensors")));

  expect_failure(3, "compare int8.safetensors float.safetensors --input x.npz", {"expected the float one first"});
  const auto compared = run_json("compare float.safetensors int8.safetensors --input x.npz");
  expect_keys(compared, {"outputs", "layers"});
  for (const char* list : {"outputs", "layers"})
    for (const auto& point : compared[list]) expect_keys(point, {"name", "max_abs", "rmse", "sqnr_db", "saturated"});

  const auto benched = run_json("bench int8.safetensors --repetitions 3");
  expect_keys(benched, {"results"});
  ASSERT_FALSE(benched["results"].empty());
  expect_keys(benched["results"][0],
              {"cell", "hidden", "input", "batch", "steps", "scheme", "path", "threads", "us_per_step", "gmacs_per_s",
               "bytes_per_step", "peer", "version", "cpu", "level", "roofline_share", "read_share"});
  expect_keys(benched, {"cpu", "roofline", "ratios", "load_ms"});

  const auto features = static_cast<std::int64_t>(task_info("chirps").features);
  save(float_model(features, static_cast<std::int64_t>(task_info("chirps").classes.size())),
       path("chirps.safetensors"));
  const auto evaluated = run_json("eval chirps.safetensors chirps --limit 20");
  expect_keys(evaluated, {"task", "split", "metric", "value", "n", "seconds"});
  EXPECT_EQ(evaluated["n"], 20);
  EXPECT_EQ(evaluated["split"], "test");
}

TEST_F(CliTest, QuantizeSaysWhatTheOutputsLost) {
  const auto quantized = run_json("quantize float.safetensors --calib x.npz -o int8.safetensors");
  ASSERT_EQ(quantized["outputs"].size(), 1u);
  EXPECT_EQ(quantized["outputs"][0]["name"], "scores");
  EXPECT_GT(quantized["outputs"][0]["sqnr_db"], 20);
  EXPECT_EQ(quantized["measured_sequences"], kBatch);
  const std::string said = run_json("inspect int8.safetensors")["provenance"]["calibration_sqnr"];
  EXPECT_TRUE(said.starts_with("scores ")) << said;
  EXPECT_NE(run("quantize float.safetensors --calib x.npz -o int8.safetensors").out.find(said), std::string::npos);
}

TEST_F(CliTest, StrictWritesNothingWhenThereIsAWarning) {
  const Outcome outcome =
      run("quantize float.safetensors --calib x.npz --ignore gru0 --allow-float --strict -o out.safetensors --json");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_FALSE(fs::exists(path("out.safetensors")));
  const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << outcome.out;
  ASSERT_FALSE(json["warnings"].empty());
  const auto& warning = json["warnings"][0];
  EXPECT_EQ(warning["code"], "float_island");
  EXPECT_EQ(warning["node"], "gru0");
  for (const char* key : {"point", "value", "limit", "text"}) EXPECT_TRUE(warning.contains(key)) << key;
  EXPECT_NE(outcome.err.find("warning: " + warning["text"].get<std::string>()), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--strict: "), std::string::npos) << outcome.err;
  EXPECT_EQ(run("quantize float.safetensors --calib x.npz --strict -o out.safetensors").exit_code, 0);
  EXPECT_TRUE(fs::exists(path("out.safetensors")));
}

TEST_F(CliTest, TablesAreForPeople) {
  quantize_small();
  EXPECT_NE(run("inspect int8.safetensors").out.find("float_ops: 0"), std::string::npos);
  const Outcome compared = run("compare float.safetensors int8.safetensors --input x.npz");
  for (const char* word : {"gru0.pre_z", "scores", "last hidden", "SQNR dB"})
    EXPECT_NE(compared.out.find(word), std::string::npos) << word;
  EXPECT_NE(run("bench --cell lstm --hidden 8 --repetitions 3 --all-paths").out.find("scalar"), std::string::npos);
}

TEST_F(CliTest, BenchRowsFollowTheFlags) {
  const auto shapes = [](const nlohmann::json& benched) {
    std::vector<std::string> texts;
    for (const auto& row : benched["results"])
      texts.push_back(row["cell"].get<std::string>() +
                      (row["reset"].is_null() ? "" : " " + row["reset"].get<std::string>()) + " " +
                      row["input"].dump() + " " + row["hidden"].dump() + " " + row["batch"].dump() + " " +
                      row["streams"].dump() + " " + row["steps"].dump());
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(shapes(run_json(
                "bench --cell lstm,gru --reset after,before --hidden 5 --input-size 0 --steps 1,3 --repetitions 1")),
            (Texts{"lstm 5 5 1 1 1", "lstm 5 5 1 1 3", "gru after 5 5 1 1 1", "gru after 5 5 1 1 3",
                   "gru before 5 5 1 1 1", "gru before 5 5 1 1 3"}));
  EXPECT_EQ(shapes(run_json("bench --cell lstm --hidden 4 --batch 1,2 --streams 1,3 --input-size 7 --repetitions 1")),
            (Texts{"lstm 7 4 1 1 1", "lstm 7 4 2 1 1", "lstm 7 4 1 3 1"}));
  EXPECT_EQ(shapes(run_json("bench --preset silero --repetitions 1")), (Texts{"lstm 128 128 1 1 1"}));
  EXPECT_EQ(shapes(run_json("bench --preset deepbench-device,dtln --repetitions 1")).size(), 3u + 3u);
  const auto frames = [](const nlohmann::json& benched) {
    std::vector<std::string> texts;
    for (const auto& row : benched["results"])
      if (row["peer"].is_null())
        texts.push_back(row["scheme"].get<std::string>() + " " + row["frames"].get<std::string>());
    return texts;
  };
  const std::string small = "bench --cell gru --reset before --hidden 4 --repetitions 1 ";
  EXPECT_EQ(frames(run_json(small)), (Texts{"int8 real"}));
  EXPECT_EQ(frames(run_json(small + "--frames codes,real --scheme f32,int8")),
            (Texts{"f32 real", "int8 codes", "int8 real"}));
  EXPECT_EQ(frames(run_json(small + "--peer onednn")), (Texts{"int8 real", "int8 codes"}));
  EXPECT_EQ(frames(run_json(small + "--peer onednn --frames real")), (Texts{"int8 real"}));
  const auto row = run_json("bench --cell gru --hidden 9 --repetitions 2 --pin")["results"][0];
  EXPECT_EQ(row["repetitions"], 2);
  EXPECT_GT(row["roofline_share"], 0);
  EXPECT_GT(row["read_share"], 0);
  EXPECT_LE(row["first_quartile_us"], row["third_quartile_us"]);
}

TEST_F(CliTest, BenchComparesWithWhatIsThere) {
  const Outcome outcome =
      run("bench --cell lstm --hidden 8 --repetitions 3 --peers --peer-python ./no_python --save kept --json");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* peer : {"onnxruntime", "litert", "torch"})
    EXPECT_NE(outcome.err.find(std::string("no rows of ") + peer), std::string::npos) << outcome.err;
  const auto kept = nlohmann::json::parse(file_text(path("kept.json")));
  EXPECT_EQ(kept["results"].size(), nlohmann::json::parse(outcome.out)["results"].size());
  EXPECT_NE(file_text(path("kept.md")).find("us/step"), std::string::npos);
  for (const auto& ratio : kept["ratios"]) {
    EXPECT_EQ(ratio["peer"], "onednn");
    EXPECT_EQ(ratio["frames"], ratio["peer_scheme"] == "f32" ? "real" : "codes");  // like with like
    EXPECT_GT(ratio["ratio"], 0);
  }
}

TEST_F(CliTest, BenchDraws) {
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  const Outcome outcome =
      run("bench --cell gru --hidden 8,300 --reset before --repetitions 3 --peer onednn --plot drawn.svg");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(file_text(path("drawn.svg")).find("</svg>"), std::string::npos);
}

// In float too, whose weights are bytes that a step reads; under names that gnuplot would read otherwise.
TEST_F(CliTest, BenchDrawsModelsOfAnySize) {
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  quantize_small();
  for (const std::string model : {"float.safetensors", "int8.safetensors"}) {
    const auto timed = run_json("bench " + model + " --repetitions 2 --plot \"it's \\\"drawn.svg\"");
    EXPECT_GT(timed["results"][0]["bytes_per_step"], 0) << model;
    EXPECT_NE(file_text(path("it's \"drawn.svg")).find("</svg>"), std::string::npos) << model;
    fs::remove(path("it's \"drawn.svg"));
  }
  Model weightless;
  weightless.inputs = {{"input", {{4}, true, {}}}};
  samples::append(weightless, "pool", PoolAttributes{}, "f32", {});
  weightless.outputs = {"pool"};
  save(weightless, path("weightless.safetensors"));
  expect_failure(3, "bench weightless.safetensors --plot drawn.svg", {"weightless.safetensors", "weights", "--plot"});
  EXPECT_EQ(run_json("bench weightless.safetensors --repetitions 2")["results"][0]["bytes_per_step"], 0);
  expect_failure(2, "bench float.safetensors --steps 65536 --batch 65536", {"frames"});
}

TEST_F(CliTest, TaggersAreJudgedAStep) {
  const TaskInfo& task = task_info("chirps_tags");
  save(float_model(static_cast<std::int64_t>(task.features), static_cast<std::int64_t>(task.classes.size()), true),
       path("tagger.safetensors"));
  const auto evaluated = run_json("eval tagger.safetensors chirps_tags --limit 1");
  EXPECT_EQ(evaluated["n"], evaluated["steps"]);
  EXPECT_GT(evaluated["n"], 1);
}

TEST_F(CliTest, FourBitWeightsTakeHalfTheBytes) {
  const auto features = static_cast<std::int64_t>(task_info("chirps").features);
  save(float_model(features, 10), path("chirps.safetensors"));
  for (const std::string scheme : {"int8", "int4"}) {
    run_json("quantize chirps.safetensors --scheme " + scheme + " --calib chirps:validation --calib-limit 7 -o " +
             scheme + ".safetensors");
  }
  const auto eight = run_json("inspect int8.safetensors"), four = run_json("inspect int4.safetensors");
  EXPECT_EQ(four["scheme"], "int4");
  EXPECT_EQ(four["float_ops"], 0);
  EXPECT_LT(four["weights_bytes"], eight["weights_bytes"]);
  const auto compared = run_json("compare chirps.safetensors int4.safetensors --input chirps --limit 2");
  EXPECT_FALSE(compared["layers"].empty());
}

TEST_F(CliTest, CalibratesOnATaskAndKeepsTheReport) {
  const auto features = static_cast<std::int64_t>(task_info("chirps").features);
  save(float_model(features, 10), path("chirps.safetensors"));
  const auto quantized = run_json(
      "quantize chirps.safetensors --scheme int8_per_tensor --calib chirps:validation --calib-limit 7 "
      "--calib-method percentile --percentile 99.9 --calib-report report.json -o out.safetensors");
  EXPECT_EQ(quantized["sequences"], 7);
  EXPECT_EQ(quantized["input"], "chirps:validation");
  const auto report = nlohmann::json::parse(file_text(path("report.json")));
  EXPECT_EQ(report["method"], "percentile");
  bool found = false;
  for (const auto& point : report["points"]) {
    if (point["name"] != "gru0.state") continue;
    found = true;
    EXPECT_GT(point["step_max_abs"].size(), 1u);
  }
  EXPECT_TRUE(found);
}

TEST_F(CliTest, ConvertsPyTorchWeights) {
  const std::vector<float> w = random_values(12 * 4), r = random_values(12 * 3), b = random_values(12);
  const auto entry = [](const std::vector<float>& values, std::vector<std::int64_t> shape) {
    return SafetensorsEntry{NumberType::kF32, std::move(shape), std::as_bytes(std::span(values))};
  };
  std::map<std::string, SafetensorsEntry> entries{{"lstm.weight_ih_l0", entry(w, {12, 4})},
                                                  {"lstm.weight_hh_l0", entry(r, {12, 3})},
                                                  {"lstm.bias_ih_l0", entry(b, {12})},
                                                  {"lstm.bias_hh_l0", entry(b, {12})}};
  const auto write = [&](const std::string& name) {
    write_file_atomically(path(name), [&](const ByteSink& sink) { write_safetensors(entries, {}, sink); });
  };
  write("torch.safetensors");
  const auto converted = run_json("convert torch.safetensors -o model.safetensors");
  EXPECT_EQ(converted["nodes"][0]["kind"], "lstm");
  EXPECT_EQ(run_json("inspect model.safetensors")["macs"], 12 * 7);

  // A file of Quaver is written anew, as it is; flags on PyTorch's names have nothing to say.
  run_json("convert model.safetensors -o again.safetensors");
  EXPECT_EQ(file_text(path("again.safetensors")), file_text(path("model.safetensors")));
  expect_failure(2, "convert model.safetensors -o again.safetensors --head mean", {"--head", "is a file of Quaver"});
  expect_failure(3, "convert model.onnx -o out.safetensors", {".onnx", "not supported yet in this version"});
  expect_failure(2, "convert torch.safetensors -o out.tflite", {".tflite", "not supported yet in this version"});
  expect_failure(2, "convert torch.safetensors -o out.safetensors --head median", {"median"});
  expect_failure(3, "convert missing.safetensors -o out.safetensors", {"missing.safetensors"});

  std::vector<float> bad = w;
  bad[17] = std::numeric_limits<float>::quiet_NaN();
  entries["lstm.weight_ih_l0"] = entry(bad, {12, 4});
  write("nan.safetensors");
  expect_failure(3, "convert nan.safetensors -o out.safetensors", {"nan.safetensors", "lstm0.W", "nan"});
  bad[17] = -std::numeric_limits<float>::infinity();
  write("infinity.safetensors");
  expect_failure(3, "convert infinity.safetensors -o out.safetensors", {"infinity.safetensors", "lstm0.W", "inf"});
  EXPECT_FALSE(fs::exists(path("out.safetensors")));
}

// ---- run -----------------------------------------------------------------------------------------------------------

TEST_F(CliTest, RunWritesEveryOutputAndStreamsTheSameBits) {
  quantize_small();
  for (const char* model : {"float", "int8"}) {
    const std::string run_model = std::string("run ") + model + ".safetensors --input x.npz ";
    ASSERT_EQ(run(run_model + "-o whole.npz").exit_code, 0);
    ASSERT_EQ(run(run_model + "--stream -o stream.npz").exit_code, 0);
    const Npz whole = read_npz(path("whole.npz")), stream = read_npz(path("stream.npz"));
    EXPECT_EQ(whole.at("y").shape, (std::vector<std::int64_t>{kBatch, kScores}));
    EXPECT_EQ(whole.at("y"), whole.at("scores"));
    EXPECT_EQ(whole.at("y"), stream.at("y"));
    EXPECT_EQ(stream.at("y_stream").shape, (std::vector<std::int64_t>{kBatch, kSteps, kScores}));
  }
}

TEST_F(CliTest, RunTakesOneSequenceWithoutABatch) {
  write_x("one.npz", {kSteps, kFeatures});
  ASSERT_EQ(run("run float.safetensors --input one.npz -o y.npz").exit_code, 0);
  EXPECT_EQ(read_npz(path("y.npz")).at("y").shape, std::vector<std::int64_t>{kScores});
}

TEST_F(CliTest, RunGoesOnFromASavedState) {
  quantize_small();
  const std::vector<float> values = random_values(static_cast<std::size_t>(2 * kSteps * kFeatures));
  const auto write = [&](const std::string& name, std::int64_t begin, std::int64_t steps) {
    const auto part = std::span(values).subspan(static_cast<std::size_t>(begin * kFeatures),
                                                static_cast<std::size_t>(steps * kFeatures));
    write_npz(path(name), {{"x", NpzArray::from<float>({1, steps, kFeatures}, part)}});
  };
  write("whole.npz", 0, 2 * kSteps);
  write("first.npz", 0, kSteps - 2);
  write("rest.npz", kSteps - 2, kSteps + 2);
  for (const char* model : {"float", "int8"}) {
    const std::string run_model = std::string("run ") + model + ".safetensors ";
    ASSERT_EQ(run(run_model + "--input whole.npz -o whole_y.npz --save-state whole_state.npz").exit_code, 0);
    ASSERT_EQ(run(run_model + "--input first.npz -o first_y.npz --save-state state.npz").exit_code, 0);
    const Outcome rest =
        run(run_model + "--input rest.npz --state state.npz --save-state end.npz --stream -o rest_y.npz");
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    EXPECT_EQ(read_npz(path("rest_y.npz")).at("y"), read_npz(path("whole_y.npz")).at("y")) << model;
    EXPECT_EQ(read_npz(path("end.npz")), read_npz(path("whole_state.npz"))) << model;
    EXPECT_TRUE(read_npz(path("end.npz")).contains("state/gru0.h"));
  }
  // The int8 model's state is at end.npz now: not the float model's.
  expect_failure(3, "run float.safetensors --input rest.npz --state end.npz -o y.npz", {"end.npz", "another model"});
  expect_failure(3, "run int8.safetensors --input x.npz --state end.npz -o y.npz", {"state/gru0.h", "1x6", "5x6"});
  expect_failure(3, "run int8.safetensors --input rest.npz --state x.npz -o y.npz", {"'x'", "no part of a state"});
  Npz state = read_npz(path("end.npz"));
  state.erase("state/gru0.h");
  write_npz(path("lacking.npz"), state);
  expect_failure(3, "run int8.safetensors --input rest.npz --state lacking.npz -o y.npz", {"gru0.h"});
  EXPECT_FALSE(fs::exists(path("y.npz")));
}

TEST_F(CliTest, RefusesToStreamAModelThatLooksAhead) {
  Model model = float_model(kFeatures, kScores);
  model.nodes.clear();
  model.tensors.clear();
  samples::append(model, "both",
                  GruAttributes{.input_size = kFeatures, .hidden_size = 6, .direction = Direction::kBidirectional},
                  "f32", {});
  samples::fill_tensors(model, 5);
  model.outputs = {"both"};
  save(model, path("both.safetensors"));
  EXPECT_EQ(run("run both.safetensors --input x.npz -o y.npz").exit_code, 0);
  expect_failure(3, "run both.safetensors --input x.npz --stream -o z.npz", {"both"});
}

// ---- stories -------------------------------------------------------------------------------------------------------

TEST_F(CliTest, TrainsAndEvaluatesMemoryNetworks) {
  const auto trained = run_json("train stories --tasks 1 --questions 300 --epochs 20 --hops 2 -o memory.safetensors");
  for (const char* key : {"task", "metric", "value", "epochs", "seconds", "model", "n", "results"})
    EXPECT_TRUE(trained.contains(key)) << key;
  EXPECT_EQ(trained["metric"], "error");
  EXPECT_EQ(trained["epochs"], 40) << "20 of the linear start";
  EXPECT_LT(trained["value"], 60);
  EXPECT_EQ(listing(), (std::vector<std::string>{"float.safetensors", "memory.safetensors", "x.npz"}));
  const auto evaluated = run_json("eval memory.safetensors stories --tasks 1 --questions 300");
  EXPECT_EQ(evaluated["value"], trained["value"]);
  EXPECT_EQ(evaluated["n"], 300);

  const auto several = run_json("train stories --tasks 1,9 --questions 50 --epochs 1 --repeats 2 -o m.safetensors");
  EXPECT_EQ(several["results"][1]["model"], "m.qa9.safetensors");
  EXPECT_TRUE(fs::exists(path("m.qa1.safetensors")) && fs::exists(path("m.qa9.safetensors")));
  const auto joint =
      run_json("train stories --tasks joint --questions 20 --epochs 1 --linear-epochs 0 -o joint.safetensors");
  EXPECT_EQ(joint["results"].size(), 7u);

  const auto fixed = run_json(
      "train stories --tasks 1 --questions 50 --epochs 2 --scheme qmann8 --integer-bits 3 --keep early-stopped "
      "-o qmann.safetensors");
  EXPECT_EQ(fixed["scheme"], "fixed n=8 iwl=3 hamming hop-formats");
  EXPECT_EQ(run_json("eval qmann.safetensors stories --tasks 1 --questions 50")["value"], fixed["value"]);

  // Words that training never saw are said and count as absent.
  const Outcome other = run("eval memory.safetensors stories --tasks 19 --questions 20");
  EXPECT_EQ(other.exit_code, 0);
  EXPECT_NE(other.err.find("words were never seen"), std::string::npos) << other.err;
}

TEST_F(CliTest, StoriesThatCannotBeReadAreNamedByLine) {
  fs::create_directories(path("data/babi/tasks_1-20_v1-2/en"));
  write_text(path("data/babi/tasks_1-20_v1-2/en/qa1_one_train.txt"), "1 Mary moved.\n2 Where?\t\t1\n");
  expect_failure(3, "train babi --set en --data data -o m.safetensors", {"qa1_one_train.txt:2", "without an answer"});
  expect_failure(3, "train babi --data nowhere -o m.safetensors", {"babi_v1-2_en-10k.tar.xz", "--data", "QUAVER_DATA"});
  expect_failure(2, "train babi --tasks 21 -o m.safetensors", {"21"});
  expect_failure(2, "train babi --cifg -o m.safetensors", {"--cifg", "memory network"});
  expect_failure(2, "train babi --cell lstm -o m.safetensors", {"lstm", "memn2n"});
  expect_failure(2, "train chirps --tasks 1 -o m.safetensors", {"--tasks", "chirps"});
  expect_failure(2, "train chirps --hops 2 -o m.safetensors", {"chirps", "memory network"});
  expect_failure(2, "train stories --scheme int4 -o m.safetensors", {"int4", "int8", "qmann8"});
  expect_failure(2, "train stories --bits 4 -o m.safetensors", {"f32", "fixed8"});
  expect_failure(2, "train stories --scheme fixed8 --integer-bits 8 -o m.safetensors", {"integer bits", "0 to 7"});
  expect_failure(2, "train stories --hops 7 -o m.safetensors", {"hops", "7"});
  expect_failure(3, "eval float.safetensors stories", {"float.safetensors", "not a memory network"});
  EXPECT_EQ(listing(), (std::vector<std::string>{"data", "float.safetensors", "x.npz"}));
}

// ---- bad command lines ---------------------------------------------------------------------------------------------

TEST_F(CliTest, WrongCommandLinesExitWithTwo) {
  expect_failure(2, "", {"--help"});
  expect_failure(2, "evil", {"'evil'", "'eval'", "train"});
  expect_failure(2, "inspect", {"model"});
  expect_failure(2, "inspect float.safetensors --loud", {"--loud"});
  expect_failure(2, "inspect float.safetensors --threads many", {"--threads"});
  expect_failure(2, "quantize float.safetensors --calib x.npz -o out.bin", {"out.bin", ".safetensors"});
  expect_failure(2, "bench float.safetensors --cell gru", {"--cell"});
  expect_failure(2, "bench --preset dtln --hidden 12", {"--preset", "--hidden"});
  expect_failure(2, "bench float.safetensors --preset dtln", {"--preset"});
  for (const char* hidden : {"0", "-3", "many", "1000000", "64,0"})
    expect_failure(2, std::string("bench --hidden ") + hidden, {"--hidden"});
  expect_failure(2, "bench --steps 0", {"--steps"});
  expect_failure(2, "bench --streams 0", {"--streams"});
  expect_failure(2, "bench --plot drawing.gif", {"drawing.gif", ".svg"});
  expect_failure(2, "train chirps --hidden -5 -o out.safetensors", {"--hidden"});
}

TEST_F(CliTest, UnknownNamesAreListed) {
  expect_failure(2, "quantize float.safetensors --scheme int9 --calib x.npz -o out.safetensors",
                 {"'int9'", "int8_per_tensor"});
  expect_failure(2, "quantize float.safetensors --calib x.npz --override scores=int9 -o out.safetensors", {"'int9'"});
  expect_failure(2, "quantize float.safetensors --calib x.npz --override scores -o out.safetensors", {"REGEX=SCHEME"});
  expect_failure(2, "quantize float.safetensors --calib x.npz --ignore nothing --allow-float -o out.safetensors",
                 {"'nothing'", "gru0"});
  expect_failure(2, "quantize float.safetensors --calib x.npz --ignore '(' --allow-float -o out.safetensors", {"'('"});
  expect_failure(2, "quantize float.safetensors --calib x.npz --calib-method best -o out.safetensors",
                 {"'best'", "minmax"});
  expect_failure(2, "quantize float.safetensors --calib chirp -o out.safetensors", {"'chirp'", "chirps"});
  expect_failure(2, "bench --scheme int9", {"'int9'", "int8"});
  expect_failure(2, "bench --frames imaginary", {"'imaginary'", "codes"});
  expect_failure(2, "bench --cell lstn", {"'lstn'", "lstm"});
  expect_failure(2, "bench --preset deepbench",
                 {"'deepbench'", "deepbench-device", "deepbench-server", "rnnt", "grid"});
  expect_failure(2, "bench --cell gru --reset never", {"'never'", "before"});
  expect_failure(2, "bench --peer tensorrt", {"'tensorrt'", "onnxruntime"});
  expect_failure(2, "eval float.safetensors digit", {"'digit'", "digits"});
  expect_failure(2, "eval float.safetensors chirps --split tset", {"'tset'", "test"});
  expect_failure(2, "train chirp -o out.safetensors", {"'chirp'", "chirps"});
  expect_failure(2, "train chirps --cell convlstm -o out.safetensors", {"'convlstm'", "lstm, gru, rnn)"});
  expect_failure(2, "train chirps --scheme int8 -o out.safetensors", {"train in float", "quaver quantize"});
  expect_failure(2, "train chirps --direction sideways -o out.safetensors", {"sideways", "bidirectional"});
  EXPECT_FALSE(fs::exists(path("out.safetensors")));
}

// ---- bad data ------------------------------------------------------------------------------------------------------

TEST_F(CliTest, InputArraysAreCheckedByNameAndNumber) {
  const std::string run_it = "run float.safetensors --input bad.npz -o y.npz";
  const auto expect_bad = [&](const Npz& arrays, const std::vector<std::string>& words) {
    write_npz(path("bad.npz"), arrays);
    expect_failure(3, run_it, words);
  };
  const std::vector<float> values = random_values(static_cast<std::size_t>(kSteps * kFeatures));
  const std::vector<double> doubles(values.begin(), values.end());
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(kSteps), 1);
  const auto x = [&](std::vector<std::int64_t> shape, const std::vector<float>& of) {
    return Npz{{"x", NpzArray::from<float>(std::move(shape), of)}};
  };
  expect_bad({{"x", NpzArray::from<double>({1, kSteps, kFeatures}, doubles)}}, {"'x'", "float64", "float32"});
  expect_bad({{"x", NpzArray::from<std::int32_t>({1, kSteps, 1}, ids)}}, {"'x'", "int32", "float32"});
  expect_bad(x({1, kFeatures, kSteps}, values), {"'x'", "1x4x9", "[batch, time, 4]"});
  expect_bad(x({kSteps * kFeatures}, values), {"'x'", "36", "[time, 4]"});
  expect_bad(x({1, 1, kSteps, kFeatures}, values), {"'x'", "1x1x9x4"});
  expect_bad({{"z", NpzArray::from<float>({1, kSteps, kFeatures}, values)}}, {"'x'", "z"});
  expect_bad({{"ids", NpzArray::from<std::int32_t>({1, kSteps}, ids)}}, {"'x'", "ids"});
  expect_bad(x({0, kSteps, kFeatures}, {}), {"'x'", "0x9x4"});
  expect_bad(x({1, 0, kFeatures}, {}), {"'x'", "1x0x4", "empty"});
  std::vector<float> bad = values;
  bad[13] = std::numeric_limits<float>::quiet_NaN();
  expect_bad(x({1, kSteps, kFeatures}, bad), {"'x'", "nan", "[0, 3, 1]"});
  bad[13] = std::numeric_limits<float>::infinity();
  expect_bad(x({1, kSteps, kFeatures}, bad), {"'x'", "inf", "[0, 3, 1]"});
  write_text(path("bad.npz"), "no zip at all");
  expect_failure(3, run_it, {"bad.npz"});
  fs::remove(path("bad.npz"));
  expect_failure(3, run_it, {"bad.npz"});
  EXPECT_FALSE(fs::exists(path("y.npz")));
}

TEST_F(CliTest, IdsAreCheckedAgainstTheVocabulary) {
  save(samples::integer_tagger(), path("tagger.safetensors"));
  const auto write_ids = [&](std::vector<std::int32_t> ids) {
    const auto steps = static_cast<std::int64_t>(ids.size());
    write_npz(path("ids.npz"), {{"ids", NpzArray::from<std::int32_t>({1, steps}, ids)}});
  };
  write_ids({0, 5, 3});
  EXPECT_EQ(run("run tagger.safetensors --input ids.npz -o y.npz").exit_code, 0);
  const Npz y = read_npz(path("y.npz"));
  EXPECT_EQ(y.at("softmax").shape, (std::vector<std::int64_t>{1, 3, 3}));
  EXPECT_EQ(y.at("tags").type, NumberType::kI32);
  write_ids({0, 6, 3});
  for (const std::string stream : {"", " --stream"})
    expect_failure(3, "run tagger.safetensors --input ids.npz -o z.npz" + stream, {"6", "vocabulary"});
  expect_failure(3, "run tagger.safetensors --input x.npz -o z.npz", {"'ids'", "x"});
  expect_failure(3, "eval tagger.safetensors chirps", {"ids", "features"});
}

TEST_F(CliTest, CalibrationNeedsDataAndSaysWhatItSaw) {
  write_npz(path("none.npz"), {{"x", NpzArray::from<float>({0, kSteps, kFeatures}, std::vector<float>{})}});
  expect_failure(3, "quantize float.safetensors --calib none.npz -o out.safetensors", {"0x9x4"});
  std::vector<float> bad = random_values(static_cast<std::size_t>(kSteps * kFeatures));
  bad[5] = std::numeric_limits<float>::quiet_NaN();
  write_npz(path("nan.npz"), {{"x", NpzArray::from<float>({1, kSteps, kFeatures}, bad)}});
  expect_failure(3, "quantize float.safetensors --calib nan.npz -o out.safetensors", {"'x'", "nan"});
  expect_failure(3, "quantize float.safetensors --calib chirps -o out.safetensors", {"4 features"});
  quantize_small();
  expect_failure(3, "quantize int8.safetensors --calib x.npz -o out.safetensors", {"int8", "float model"});
  const std::vector<float> zeros(static_cast<std::size_t>(kSteps * kFeatures), 0.0f);
  write_npz(path("zeros.npz"), {{"x", NpzArray::from<float>({1, kSteps, kFeatures}, zeros)}});
  expect_failure(3, "quantize float.safetensors --calib zeros.npz -o out.safetensors", {"'gru0.input'", "0"});
  EXPECT_FALSE(fs::exists(path("out.safetensors")));
}

TEST_F(CliTest, AModelOfOtherSizesIsRefusedWithBoth) {
  const std::string features = std::to_string(task_info("chirps").features);
  expect_failure(3, "eval float.safetensors chirps", {"4 features", features + " features"});
  save(float_model(kFeatures + 1, kScores), path("other.safetensors"));
  expect_failure(3, "compare float.safetensors other.safetensors --input x.npz", {"4 features", "5"});
  save(float_model(static_cast<std::int64_t>(task_info("chirps").features), 10, true), path("steps.safetensors"));
  expect_failure(3, "eval steps.safetensors chirps --limit 3", {"scores", "labels"});
}

#ifndef QUAVER_SANITIZED  // a sanitizer needs all of the address space
// Stacks of 256 MiB in 700 MB of address space: a few threads start, then none. Every verb ends, and says so.
TEST_F(CliTest, ThreadsThatCannotBeStartedAreAFailure) {
  save(float_model(static_cast<std::int64_t>(task_info("chirps").features), 10), path("chirps.safetensors"));
  for (const char* arguments :
       {"eval chirps.safetensors chirps --limit 5", "run float.safetensors --input x.npz -o y.npz",
        "train stories --tasks all --questions 20 --epochs 1 -o s.safetensors",
        "reproduce qmann --quick --task stories --questions 20 --epochs 1 --work w"}) {
    const Outcome outcome =
        run(std::string(arguments) + " --threads 64", "ulimit -s 262144 && ulimit -v 700000 && timeout 60 ");
    EXPECT_EQ(outcome.exit_code, 1) << arguments;
    for (const char* part : {"error: could not start ", "try fewer: --threads N"})
      EXPECT_NE(outcome.err.find(part), std::string::npos) << arguments << '\n' << outcome.err;
  }
}
#endif

TEST_F(CliTest, DamagedModelFilesAreRefused) {
  const std::string bytes = file_text(path("float.safetensors"));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    write_text(path("bad.safetensors"), bytes.substr(0, size));
    expect_failure(3, "inspect bad.safetensors", {"bad.safetensors"});
  }
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 3, bytes.size() - 5}) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    write_text(path("bad.safetensors"), flipped);
    expect_failure(3, "eval bad.safetensors chirps", {"bad.safetensors"});
  }
  std::string newer = bytes;
  const std::string version = "\"version\":\"4\"";
  const std::size_t at = newer.find(version);
  ASSERT_NE(at, std::string::npos);
  newer.replace(at, version.size(), "\"version\":\"7\"");
  write_text(path("bad.safetensors"), newer);
  expect_failure(3, "run bad.safetensors --input x.npz -o y.npz", {"version 7", "update"});
  expect_failure(3, "inspect x.npz", {"x.npz"});
  expect_failure(3, "inspect missing.safetensors", {"missing.safetensors"});
  expect_failure(3, "inspect .", {"."});
}

// ---- failing writes ------------------------------------------------------------------------------------------------

TEST_F(CliTest, AFolderThatTakesNoFilesIsAFailure) {
  write_text(path("file.txt"), "");
  const auto before = listing();
  for (const std::string folder : {"file.txt", "missing", "/proc"}) {
    expect_failure(1, "quantize float.safetensors --calib x.npz -o " + folder + "/out.safetensors", {folder});
    expect_failure(1, "run float.safetensors --input x.npz -o " + folder + "/y.npz", {folder});
    expect_failure(1, "train chirps --limit 5 --epochs 1 --hidden 4 -o " + folder + "/out.safetensors", {folder});
  }
  expect_failure(1, "run float.safetensors --input x.npz -o y.npz --save-state missing/state.npz", {"missing"});
  fs::remove(path("y.npz"));
  EXPECT_EQ(listing(), before);
}

TEST_F(CliTest, AFullDiskLeavesTheOldFileAndNothingElse) {
  quantize_small();
  write_text(path("old.npz"), "the old file");
  write_x("large.npz", {200, kSteps, kFeatures});
  const auto before = listing();
  const std::string old_model = file_text(path("int8.safetensors"));
  const std::string small_files_only = "ulimit -f 1; ";  // 512 or 1024 bytes, then writing fails as on a full disk
  expect_failure(1, "quantize float.safetensors --calib x.npz -o int8.safetensors", {"int8.safetensors"},
                 small_files_only);
  expect_failure(1, "run float.safetensors --input large.npz -o old.npz", {"old.npz"}, small_files_only);
  EXPECT_EQ(listing(), before);
  EXPECT_EQ(file_text(path("int8.safetensors")), old_model);
  EXPECT_EQ(file_text(path("old.npz")), "the old file");
  const Outcome outcome = run("inspect float.safetensors > /dev/full");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome.err;
}

// ---- training ------------------------------------------------------------------------------------------------------

#ifdef QUAVER_HAVE_TORCH

const std::string kTinyTraining = "train chirps --cell gru --hidden 8 --limit 60 --batch 10 --threads 1 --seed 3 ";

// Before any of it is taken: by the flags alone, then with the sizes of the data.
TEST_F(CliTest, TrainingThatNoMemoryHoldsIsRefused) {
  for (const std::string sizes : {"--hidden 65536", "--cell gru --hidden 4096 --layers 64", "--cell rnn --hidden 40000",
                                  "--hidden 65536 --projection 65536", "--hidden 8 --max-memory 1K"})
    expect_failure(2, "train chirps -o t.safetensors " + sizes, {"bytes", "units", "--max-memory"});
  expect_failure(2, "train chirps --limit 20 -o t.safetensors --cell rnn --hidden 1 --max-memory 8K",
                 {"batches of 20", "8192 bytes", "--max-memory"});
}

TEST_F(CliTest, TrainsAModelThatTheOtherVerbsTake) {
  const auto trained = run_json(kTinyTraining + "--epochs 2 -o gru.safetensors");
  for (const char* key : {"metric", "value", "epochs", "seconds", "model"}) EXPECT_TRUE(trained.contains(key)) << key;
  EXPECT_EQ(trained["epochs"], 2);
  EXPECT_FALSE(fs::exists(path("gru.safetensors.checkpoint")));
  const auto evaluated = run_json("eval gru.safetensors chirps --limit 60");
  EXPECT_DOUBLE_EQ(evaluated["value"], trained["value"]);
  run_json("quantize gru.safetensors --calib chirps --calib-limit 20 -o int8.safetensors");
  EXPECT_EQ(run_json("inspect int8.safetensors")["float_ops"], 0);
}

TEST_F(CliTest, CtrlCLeavesACheckpointThatResumesToTheSameBits) {
  const std::string arguments = kTinyTraining + "--epochs 40 -o ";
  ASSERT_EQ(run(arguments + "whole.safetensors").exit_code, 0);
  const Outcome stopped =
      run(arguments +
          "part.safetensors & pid=$!; while [ ! -e part.safetensors.checkpoint ] && kill -0 $pid; do "
          "sleep 0.02; done; kill -INT $pid; wait $pid");
  if (stopped.exit_code == 0) GTEST_SKIP() << "training ended before the signal came";
  EXPECT_EQ(stopped.exit_code, 1) << stopped.err;
  EXPECT_NE(stopped.err.find("--resume"), std::string::npos) << stopped.err;
  EXPECT_FALSE(fs::exists(path("part.safetensors")));
  ASSERT_TRUE(fs::exists(path("part.safetensors.checkpoint")));
  expect_failure(2, kTinyTraining + "--epochs 40 --layers 2 --resume -o part.safetensors", {"layers"});

  const Outcome resumed = run(arguments + "part.safetensors --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  Model whole = load(path("whole.safetensors")), part = load(path("part.safetensors"));
  EXPECT_TRUE(whole.tensors == part.tensors);
  EXPECT_EQ(fingerprint(whole), fingerprint(part));
}

// Two of them, as a terminal that closes and its shell send.
TEST_F(CliTest, AClosingTerminalLeavesACheckpoint) {
  const Outcome stopped =
      run(kTinyTraining +
          "--epochs 40 -o hung.safetensors & pid=$!; while [ ! -e hung.safetensors.checkpoint ] && kill -0 $pid; do "
          "sleep 0.02; done; kill -HUP $pid; kill -HUP $pid; wait $pid");
  if (stopped.exit_code == 0) GTEST_SKIP() << "training ended before the signal came";
  EXPECT_EQ(stopped.exit_code, 1) << stopped.err;
  EXPECT_NE(stopped.err.find("--resume"), std::string::npos) << stopped.err;
  EXPECT_TRUE(fs::exists(path("hung.safetensors.checkpoint")));
}

TEST_F(CliTest, ResumingNeedsACheckpoint) {
  expect_failure(3, kTinyTraining + "--epochs 2 --resume -o new.safetensors", {"new.safetensors.checkpoint"});
}

#else

TEST_F(CliTest, WithoutLibtorchTrainingSaysHowToGetIt) {
  expect_failure(1, "train chirps -o out.safetensors", {"libtorch-dev"});
  expect_failure(1, "demo", {"libtorch-dev"});
}

#endif

}  // namespace
}  // namespace quaver
