// A program that only runs an int8 model of 128 units (examples/footprint.cc), from the outside: its memory at the
// peak, and that no step calls the system. Its time to get ready is printed, not judged: machines are busy.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "quaver/bench/random_model.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/sample_models.h"
#include "support/built_programs.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

constexpr long kPeakKib = 16 * 1024;

class FootprintTest : public testing::Test {
 protected:
  FootprintTest() {
    fs::create_directories(folder_);
    save(random_model({.cell = "lstm", .input = 40, .hidden = 128}), folder_ / "model.safetensors");
  }
  ~FootprintTest() override { fs::remove_all(folder_); }

  bool run(const std::string& before, int steps, const char* model = "model.safetensors") const {
    const std::string command = before + " " + testing_support::kFootprint + " " + (folder_ / model).string() + " " +
                                std::to_string(steps) + " > " + (folder_ / "out").string() + " 2> /dev/null";
    const int status = std::system(command.c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  // System calls of the program; -1 when they cannot be traced here.
  long calls(int steps) const {
    if (!run("strace -f -o " + (folder_ / "calls").string(), steps)) return -1;
    std::ifstream in(folder_ / "calls");
    long lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    return lines;
  }

  fs::path folder_ = fs::temp_directory_path() / ("quaver_footprint_" + std::to_string(getpid()));
};

TEST_F(FootprintTest, OfHidden128StaysBelow16MiB) {
  ASSERT_TRUE(run("", 1000));
  std::ifstream out(folder_ / "out");
  std::string name;
  double ready_ms = 0;
  long peak_kib = 0;
  ASSERT_TRUE(out >> name >> ready_ms >> name >> peak_kib);
  RecordProperty("ready_ms", std::to_string(ready_ms));
  std::printf("ready in %.3f ms, %ld KiB at the peak\n", ready_ms, peak_kib);
#ifndef QUAVER_SANITIZED  // sanitizers keep books of their own
  EXPECT_LT(peak_kib, kPeakKib);
#endif
}

// A file is read into one buffer, whose slices are the model's tensors: while a session packs them both are there, and
// nothing else of their size is; behind it the weights alone. (Weights of four bits are unpacked on the way.)
TEST_F(FootprintTest, LoadingHoldsTheFileOnce) {
#ifdef QUAVER_SANITIZED
  GTEST_SKIP() << "sanitizers keep books of their own";
#endif
  constexpr std::int64_t kSize = 2048;  // 32 MiB of int8
  constexpr long kSpareKib = 2 * 1024;
  // Packed beside the codes of W and R: a bias and a multiplier with its shift for each of 4 kSize rows.
  constexpr long kRowsKib = 2 * 4 * kSize * (4 + 4 + 4) / 1024;
  Model model;
  model.scheme = "int8";
  const Format i8{NumberType::kI8, 0.02f, -5};
  model.inputs = {{"input", {{kSize}, true, i8}}};
  samples::append(model, "lstm", LstmAttributes{.input_size = kSize, .hidden_size = kSize}, "int8", i8);
  samples::fill_tensors(model, 1);
  model.tensors["input.scale"] = Tensor::from<float>({kSize}, std::vector<float>(kSize, 1.0f));
  model.outputs = {"lstm"};
  save(model, folder_ / "large.safetensors");
  const auto file_kib = static_cast<long>(fs::file_size(folder_ / "large.safetensors") / 1024);
  ASSERT_GE(file_kib, 32 * 1024);
  ASSERT_TRUE(run("", 1, "large.safetensors"));
  std::ifstream out(folder_ / "out");
  std::string name;
  double ready_ms = 0;
  long peak_kib = 0, weights_kib = 0, loading_peak_kib = 0, loaded_kib = 0, program_kib = 0;
  ASSERT_TRUE(out >> name >> ready_ms >> name >> peak_kib >> name >> weights_kib >> name >> loading_peak_kib >> name >>
              loaded_kib >> name >> program_kib);
  std::printf(
      "of %ld KiB file and %ld KiB packed weights: %ld KiB at the peak of loading, %ld KiB behind it; of either "
      "%ld KiB are pages of the program that loading has run\n",
      file_kib, weights_kib, loading_peak_kib, loaded_kib, program_kib);
  EXPECT_LE(loading_peak_kib, file_kib + weights_kib + kRowsKib + kSpareKib);
  EXPECT_LE(loaded_kib, weights_kib + kRowsKib + kSpareKib);
}

TEST_F(FootprintTest, AStepCallsTheSystemForNothing) {
  const long few = calls(10);
  if (few < 0) GTEST_SKIP() << "strace is not installed or may not trace";
  EXPECT_GT(few, 0);
  EXPECT_EQ(calls(10'010), few) << "10,000 more steps, and the system was called for something";
}

}  // namespace
}  // namespace quaver
