// 'quaver reproduce' from the outside, on generated stories: what it writes, that a killed run goes on to the same
// bytes, and what it refuses.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/built_programs.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

const std::string kWork =
    "reproduce qmann --quick --task stories --questions 40 --epochs 2 --threads 1 --save table --work finished";

class ReproduceTest : public testing::Test {
 protected:
  ReproduceTest() : folder_(fs::temp_directory_path() / ("quaver_reproduce_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ReproduceTest() override { fs::remove_all(folder_); }

  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  int run(const std::string& place, const std::string& arguments) const {
    fs::create_directories(folder_ / place);
    const std::string command = "cd " + (folder_ / place).string() + " && " + testing_support::kProgram + " " +
                                arguments + " >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::size_t finished(const std::string& place) const {
    std::error_code none_yet;
    std::size_t count = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / place / "finished", none_yet))
      if (entry.path().extension() == ".json") ++count;
    return count;
  }
  // Starts the work and kills it, as no signal handler could see, once some trainings are stored.
  void start_and_kill(const std::string& place) const {
    fs::create_directories(folder_ / place);
    const pid_t child = fork();
    if (child == 0) {
      if (chdir((folder_ / place).c_str()) != 0 || freopen("/dev/null", "w", stderr) == nullptr) _exit(9);
      execl("/bin/sh", "sh", "-c", (std::string("exec ") + testing_support::kProgram + " " + kWork).c_str(),
            static_cast<char*>(nullptr));
      _exit(9);
    }
    ASSERT_GT(child, 0);
    while (finished(place) < 5 && waitpid(child, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  fs::path folder_;
};

TEST_F(ReproduceTest, AKilledRunGoesOnToTheSameBytes) {
  ASSERT_EQ(run("whole", kWork), 0) << read("whole/err.txt");
  const nlohmann::json json = nlohmann::json::parse(read("whole/table.json"));
  EXPECT_EQ(json["paper"], "qmann");
  EXPECT_EQ(json["tasks"].size(), 3u);
  EXPECT_EQ(json["trainings"], json["trainings_planned"]);
  EXPECT_EQ(finished("whole"), json["trainings"].get<std::size_t>());
  for (const nlohmann::json& row : json["rows"]) {
    EXPECT_EQ(row["runs"].size(), 3u) << row["row"];
    EXPECT_TRUE(row["final"]["mean"].is_number()) << row["row"];
    // Addressing in fixed point: a histogram a hop, over all facts and test questions.
    if (row["scheme"].get<std::string>().starts_with("fixed")) {
      EXPECT_GT(row["energy"]["energy_gain_vs_f32"].get<double>(), 1.0) << row["row"];
      ASSERT_EQ(row["similarities"].size(), 3u) << row["row"];
      EXPECT_GT(row["similarities"][0]["count"].get<std::size_t>(), 100u) << row["row"];
    }
  }
  EXPECT_EQ(json["pairings"].size(), 5u);

  start_and_kill("killed");
  EXPECT_LT(finished("killed"), finished("whole")) << "it ended before it was killed: the test says nothing";
  EXPECT_EQ(run("killed", kWork), 0) << read("killed/err.txt");
  EXPECT_EQ(read("killed/table.json"), read("whole/table.json"));
  EXPECT_EQ(read("killed/table.md"), read("whole/table.md"));
  if (fs::exists(folder_ / "whole/table-errors.png")) {
    EXPECT_TRUE(fs::exists(folder_ / "whole/table-similarities.png"));
  }
}

TEST_F(ReproduceTest, ReportsWhatIsFinished) {
  const std::string few =
      "reproduce qmann --task stories --tasks 1 --questions 40 --epochs 1 --rows f32,qmann8 --work w ";
  ASSERT_EQ(run("part", few + "--seeds 1"), 0) << read("part/err.txt");
  ASSERT_EQ(run("part", few + "--seeds 2 --report-only --json"), 0) << read("part/err.txt");
  const nlohmann::json json = nlohmann::json::parse(read("part/out.txt"));
  EXPECT_EQ(json["trainings"], 2);
  EXPECT_EQ(json["trainings_planned"], 4);
  // A file that is none of ours is named, not guessed at.
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "part/w"))
    std::ofstream(entry.path()) << "{\"row\": 7}";
  EXPECT_EQ(run("part", few + "--seeds 1"), 3);
  EXPECT_NE(read("part/err.txt").find("remove it, and it is made again"), std::string::npos) << read("part/err.txt");
}

// Files of finished trainings are believed only where they are what that training could have left.
TEST_F(ReproduceTest, RunFilesAreCheckedAgainstNamesCountsAndRanges) {
  const std::string command =
      "reproduce qmann --task stories --tasks 1 --questions 40 --epochs 1 --rows f32,qmann8 --seeds 2 --work w";
  ASSERT_EQ(run("runs", command), 0) << read("runs/err.txt");
  ASSERT_EQ(run("runs", command + " --report-only"), 0) << read("runs/err.txt");
  fs::path f32, qmann8;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / "runs/w")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("f32.qa1.seed1.")) f32 = entry.path();
    if (name.starts_with("qmann8.qa1.seed1.")) qmann8 = entry.path();
  }
  const auto refused = [&](const fs::path& file, const std::function<void(nlohmann::json&)>& change,
                           const std::string& reason) {
    std::ifstream in(file);
    const nlohmann::json whole = nlohmann::json::parse(in);
    nlohmann::json changed = whole;
    change(changed);
    std::ofstream(file) << changed;
    for (const char* more : {"", " --report-only"}) {
      EXPECT_EQ(run("runs", command + more), 3) << reason;
      const std::string text = read("runs/err.txt");
      EXPECT_NE(text.find(file.filename().string()), std::string::npos) << text;
      EXPECT_NE(text.find(reason), std::string::npos) << text;
      EXPECT_NE(text.find("remove it, and it is made again"), std::string::npos) << text;
    }
    std::ofstream(file) << whole;
  };
  using Json = nlohmann::json;
  const auto of_hop = [](const char* key, const Json& value) {
    return [=](Json& json) { json["similarities"][1][key] = value; };
  };
  refused(
      f32, [](Json& json) { json["row"] = "qmann8"; }, "expected f32, 1 and 1");
  refused(
      f32, [](Json& json) { json["task"] = 2; }, "on task 2 with seed 1");
  refused(
      f32, [](Json& json) { json["seed"] = 2; }, "on task 1 with seed 2");
  refused(
      f32, [](Json& json) { json["seed"] = -1; }, "\"seed\" is not a whole number");
  for (const char* key : {"final_test", "kept_train", "kept_validation", "kept_test"})
    for (const double value : {-5.0, 100.5, 1e308})
      refused(
          f32, [&](Json& json) { json[key] = value; }, std::string("\"") + key + "\" is ");
  refused(
      f32, [](Json& json) { json["kept_epoch"] = 2; }, "\"kept_epoch\" is not a whole number of 0 to 1");
  refused(
      f32, [](Json& json) { json["similarities"] = {1}; }, "similarities of 1 hops, expected 0");
  refused(
      qmann8, [](Json& json) { json["similarities"].erase(2); }, "similarities of 2 hops, expected 3");
  refused(qmann8, of_hop("counts", std::vector<int>(100000, 1)), "has 100000 bins, expected 64");
  refused(qmann8, of_hop("counts", std::vector<int>(3, 1)), "has 3 bins, expected 64");
  refused(qmann8, of_hop("counts", std::vector<int>(64, 0)), "add up to 0");
  refused(qmann8, of_hop("counts", std::vector<int>(64, -1)), "does not fit");
  refused(qmann8, of_hop("counts", 7), "bins, expected 64");
  refused(qmann8, of_hop("count", 1), "expected one a fact and question");
  refused(qmann8, of_hop("saturated", 1'000'000'000), "\"saturated\" is not a whole number");
  refused(qmann8, of_hop("hop", 1), "similarities of hop 1, expected 2");
  refused(qmann8, of_hop("low", -1e9), "\"low\" is ");
  refused(qmann8, of_hop("largest", 1e300), "\"largest\" is ");
  refused(qmann8, of_hop("limit", nullptr), "not what 'quaver reproduce' left there");
  EXPECT_EQ(run("runs", command + " --report-only"), 0) << read("runs/err.txt");
  fs::remove(f32);
  fs::create_directory(f32);
  EXPECT_EQ(run("runs", command), 3) << read("runs/err.txt");
}

// A run file is a training that may have taken hours.
TEST_F(ReproduceTest, TheReportDoesNotReplaceARun) {
  const std::string command =
      "reproduce qmann --task stories --tasks 1 --questions 40 --epochs 1 --rows f32 --seeds 1 ";
  ASSERT_EQ(run("here", command + "--work w"), 0) << read("here/err.txt");
  const fs::path made = fs::directory_iterator(folder_ / "here/w")->path();
  const std::string before = read("here/w/" + made.filename().string());
  const auto refused = [&](const std::string& name, const std::string& more) {
    EXPECT_EQ(run("here", command + more + " --save " + name), 2) << name << more << read("here/err.txt");
    for (const char* word : {"--save", "--work", "would be lost"})
      EXPECT_NE(read("here/err.txt").find(word), std::string::npos) << word << read("here/err.txt");
  };
  fs::create_hard_link(made, folder_ / "here/link.json");
  for (const std::string& name : {"w/" + made.stem().string(), std::string("link")}) {
    refused(name, "--work w");
    refused(name, "--work w --report-only");
    refused(name, "--work w --seed 2");  // of another table
  }
  EXPECT_EQ(read("here/w/" + made.filename().string()), before);
  // Nor the place of one that is still to be made.
  fs::create_directories(folder_ / "here/new");
  refused("new/" + made.stem().string(), "--work new");
  EXPECT_TRUE(fs::is_empty(folder_ / "here/new"));
  EXPECT_EQ(run("here", command + "--work w --save w/table"), 0) << read("here/err.txt");
  // What gnuplot says of a column without figures.
  EXPECT_EQ(read("here/err.txt").find("Skipping"), std::string::npos) << read("here/err.txt");
  EXPECT_EQ(run("here", command + "--work w --save w/table"), 0) << read("here/err.txt");
}

TEST_F(ReproduceTest, TheSeedIsThatOfTheFirstTraining) {
  const std::string few =
      "reproduce qmann --task stories --tasks 1 --questions 40 --epochs 1 --rows f32 --work w --json ";
  const auto seeds = [&](const std::string& flags) {
    EXPECT_EQ(run("seeds", few + flags), 0) << read("seeds/err.txt");
    const nlohmann::json json = nlohmann::json::parse(read("seeds/out.txt"));
    std::vector<std::size_t> found{json["seed"].get<std::size_t>()};
    for (const nlohmann::json& entry : json["rows"][0]["runs"]) found.push_back(entry["seed"].get<std::size_t>());
    return found;
  };
  EXPECT_EQ(seeds("--seeds 1"), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(seeds("--seeds 2 --seed 7"), (std::vector<std::size_t>{7, 7, 8}));
  EXPECT_NE(nlohmann::json::parse(read("seeds/out.txt"))["command"].get<std::string>().find(" --seed 7"),
            std::string::npos);
  EXPECT_EQ(seeds("--seeds 2"), (std::vector<std::size_t>{1, 1, 2}));
}

TEST_F(ReproduceTest, RefusesWhatMakesNoSense) {
  const auto refused = [&](int code, const std::string& arguments, const std::string& part) {
    EXPECT_EQ(run("wrong", arguments), code) << arguments;
    EXPECT_NE(read("wrong/err.txt").find(part), std::string::npos) << arguments << ": " << read("wrong/err.txt");
  };
  refused(2, "reproduce", "paper");
  refused(2, "reproduce hitnet", "qmann");
  refused(2, "reproduce qmann --task digits", "babi");
  refused(2, "reproduce qmann --task stories --rows qman8", "did you mean 'qmann8'");
  refused(2, "reproduce qmann --task stories --seeds 0", "1 to 1,000");
  refused(2, "reproduce qmann --task stories --tasks 5", "5");
  refused(3, "reproduce qmann --data /nowhere", "--task stories");
  refused(1, "reproduce qmann --task stories --work /dev/null/w", "cannot be made");
}

}  // namespace
}  // namespace quaver
