// program.h - the built program from the outside: a folder of its own, exit code, standard output and error.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/built_programs.h"

namespace quaver::testing_support {

struct Outcome {
  int exit_code = -1;
  std::string out, err;
};

class ProgramTest : public ::testing::Test {
 protected:
  explicit ProgramTest(const std::string& name)
      : folder_(std::filesystem::temp_directory_path() / (name + '_' + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ProgramTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // "quaver ARGUMENTS" in the folder, through a shell, with nothing on standard input.
  Outcome run(const std::string& arguments) const {
    const std::string command =
        "cd " + folder_.string() + " && " + kProgram + " " + arguments + " </dev/null >.stdout 2>.stderr";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(".stdout"), read(".stderr")};
  }
  // The exit code of a shell's commands in the folder; "$quaver" is the program.
  int shell(const std::string& commands) const {
    const std::string command = "cd " + folder_.string() + " && quaver=" + kProgram + " && { " + commands + "; }";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  nlohmann::json run_json(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --json");
    EXPECT_EQ(outcome.exit_code, 0) << arguments << '\n' << outcome.err;
    nlohmann::json json = nlohmann::json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << arguments << '\n' << outcome.out;
    return json;
  }
  // Fails with this code and one last line that holds every word; nothing on standard output.
  void expect_failure(int exit_code, const std::string& arguments, const std::vector<std::string>& words) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << arguments << '\n' << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_TRUE(outcome.err.starts_with("quaver: error: ")) << arguments << '\n' << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << arguments << '\n' << outcome.err;
    for (const std::string& word : words)
      EXPECT_NE(outcome.err.find(word), std::string::npos) << arguments << ": no '" << word << "' in\n" << outcome.err;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace quaver::testing_support
