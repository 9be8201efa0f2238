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
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

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
    const std::string command =
        "cd " + (folder_ / place).string() + " && " QUAVER_PROGRAM " " + arguments + " >out.txt 2>err.txt";
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
      execl("/bin/sh", "sh", "-c", ("exec " QUAVER_PROGRAM " " + kWork).c_str(), static_cast<char*>(nullptr));
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

TEST_F(ReproduceTest, RefusesWhatMakesNoSense) {
  const auto refused = [&](int code, const std::string& arguments, const std::string& part) {
    EXPECT_EQ(run("wrong", arguments), code) << arguments;
    EXPECT_NE(read("wrong/err.txt").find(part), std::string::npos) << arguments << ": " << read("wrong/err.txt");
  };
  refused(2, "reproduce", "paper");
  refused(2, "reproduce hitnet", "qmann");
  refused(2, "reproduce qmann --task digits", "babi");
  refused(2, "reproduce qmann --task stories --rows qman8", "did you mean 'qmann8'");
  refused(2, "reproduce qmann --task stories --seeds 0", "at least 1");
  refused(2, "reproduce qmann --task stories --tasks 5", "5");
  refused(3, "reproduce qmann --data /nowhere", "--task stories");
  refused(1, "reproduce qmann --task stories --work /dev/null/w", "cannot be made");
}

}  // namespace
}  // namespace quaver
