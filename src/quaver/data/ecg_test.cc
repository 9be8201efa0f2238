#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "ecg/mitdb_100_101_203.tar.xz";
constexpr std::size_t kSamples = 10000;

struct Mark {
  std::size_t sample = 0;
  unsigned code = 1;
};

std::string word(std::size_t value) { return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8 & 0xff)}; }

// Marks with a text behind the first, and a setting; far ones with the step of 32 bits.
std::string annotations(const std::vector<Mark>& marks) {
  std::string bytes = word(28 << 10) + word(63 << 10 | 3) + std::string("(N\0\0", 4) + word(60 << 10 | 5);
  std::size_t before = 0;
  for (const auto& [sample, code] : marks) {
    std::size_t step = sample - before;
    if (step > 1023) {
      bytes += word(59 << 10) + word(step >> 16) + word(step & 0xffff);
      step = 0;
    }
    bytes += word(code << 10 | step);
    before = sample;
  }
  return bytes + word(0);
}

using Signal = std::array<std::vector<int>, 2>;  // units of each lead

std::string packed(const Signal& signal) {
  std::string bytes;
  for (std::size_t n = 0; n < signal[0].size(); ++n) {
    const int a = signal[0][n] & 0xfff, b = signal[1][n] & 0xfff;
    bytes += {static_cast<char>(a & 0xff), static_cast<char>(a >> 8 | b >> 8 << 4), static_cast<char>(b & 0xff)};
  }
  return bytes;
}

std::string header(const Signal& signal) {
  std::string text = "7 2 360 " + std::to_string(signal[0].size()) + "\n";
  for (const std::vector<int>& lead : signal) {
    int sum = 0;
    for (const int value : lead) sum += value;
    text += "7.dat 212 200 11 1024 " + std::to_string(lead[0]) + " " +
            std::to_string(static_cast<std::int16_t>(sum & 0xffff)) + " 0 MLII\n";
  }
  return text + "# 69 M\n";
}

// Lead 1 rises by a unit every ten samples, lead 2 is -1000 but for one sample of 1224.
Signal signal_with(std::size_t peak) {
  Signal signal{std::vector<int>(kSamples), std::vector<int>(kSamples, -1000)};
  for (std::size_t n = 0; n < kSamples; ++n) signal[0][n] = static_cast<int>(n / 10);
  signal[1][peak] = 1224;
  return signal;
}

class Ecg : public testing::Test {
 protected:
  void SetUp() override {
    // Parts end at samples 6000, 7000 and 10000; a sequence is 301 samples before its mark to 180 behind it.
    const std::vector<Mark> marks{{300, 1},  {301, 1},  {2000, 5}, {2500, 14}, {3000, 13}, {5819, 8}, {5820, 1},
                                  {6301, 6}, {6500, 4}, {7500, 2}, {8000, 34}, {9819, 10}, {9820, 1}};
    const Signal signal = signal_with(2000);
    files_ = {{"mitdb/7.hea", header(signal)}, {"mitdb/7.dat", packed(signal)}, {"mitdb/7.atr", annotations(marks)}};
  }
  Dataset load(const std::string& split, std::size_t limit = 0) {
    write_archive(folder_.path() / kFile, files_);
    return load_task("ecg", split, {.data_dir = folder_.path(), .limit = limit});
  }
  Error error_with(const std::string& name, const std::string& bytes) {
    files_[name] = bytes;
    return expect_error(ErrorKind::kBadInput, [&] { load("train"); });
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> files_;
};

std::vector<std::string> names_and_classes(const Dataset& data) {
  std::vector<std::string> texts;
  for (const Example& example : data.examples)
    texts.push_back(example.name + " " + data.classes[static_cast<std::size_t>(example.labels[0])]);
  return texts;
}

TEST_F(Ecg, BeatsAreOfThePartThatTheirSequenceIsIn) {
  using Texts = std::vector<std::string>;
  const Dataset train = load("train"), validation = load("validation"), test = load("test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  EXPECT_EQ(names_and_classes(train),
            (Texts{"record 7 sample 301 N", "record 7 sample 2000 V", "record 7 sample 5819 S"}));
  EXPECT_EQ(names_and_classes(validation), (Texts{"record 7 sample 6301 V", "record 7 sample 6500 S"}));
  EXPECT_EQ(names_and_classes(test),
            (Texts{"record 7 sample 7500 N", "record 7 sample 8000 N", "record 7 sample 9819 V"}));
  EXPECT_EQ(load("train", 1).examples, std::vector<Example>{train.examples[0]});
}

TEST_F(Ecg, StepsAreMeansOfSixSamplesInMillivolts) {
  const Sequence input = load("train").examples.at(1).input;
  ASSERT_EQ(input.steps, 120u);
  // Lead 1: step k is the mean of n / 10 over samples 1699 + 4 k to 1704 + 4 k.
  std::vector<double> lead;
  double mean = 0;
  for (std::size_t step = 0; step < 120; ++step) {
    std::size_t units = 0;
    for (std::size_t n = 1699 + 4 * step; n < 1705 + 4 * step; ++n) units += n / 10;
    lead.push_back(static_cast<double>(units) / 6 / 200);
    mean += lead.back() / 120;
  }
  for (std::size_t step = 0; step < 120; ++step) ASSERT_NEAR(input.values[step * 2], lead[step] - mean, 1e-6) << step;
  // Lead 2: 2224 units more at sample 2000, in the steps that begin at samples 1995 and 1999.
  const double peak = 2224.0 / 200 / 6;
  for (std::size_t step = 0; step < 120; ++step)
    ASSERT_NEAR(input.values[step * 2 + 1], (step == 74 || step == 75 ? peak : 0) - 2 * peak / 120, 1e-6) << step;
}

TEST_F(Ecg, DamageIsNamed) {
  const std::map<std::string, std::string> good = files_;
  EXPECT_TRUE(
      says(error_with("mitdb/7.hea", "7 1 360 10000\n"), "mitdb/7.hea: its first line is not that of a record"));
  files_ = good;
  EXPECT_TRUE(says(error_with("mitdb/7.hea", "7 2 360 10000\n7.dat 16 200 11 1024 0 0 0 I\n"), "the line of a lead"));
  files_ = good;
  EXPECT_TRUE(says(error_with("mitdb/7.dat", good.at("mitdb/7.dat").substr(3)),
                   "mitdb/7.dat: 29997 bytes, expected 3 for each of 10000 samples"));
  std::string bytes = good.at("mitdb/7.dat");
  bytes[0] = 1;
  EXPECT_TRUE(says(error_with("mitdb/7.dat", bytes), "lead 1 begins with 1, its header says 0"));
  bytes[0] = 0;
  bytes[300] = static_cast<char>(bytes[300] + 1);
  EXPECT_TRUE(says(error_with("mitdb/7.dat", bytes), "lead 1 has the checksum"));
  files_ = good;
  const std::string atr = good.at("mitdb/7.atr");
  EXPECT_TRUE(says(error_with("mitdb/7.atr", atr.substr(0, atr.size() - 2)), "end before their end mark"));
  EXPECT_TRUE(says(error_with("mitdb/7.atr", annotations({{kSamples, 1}})), "a mark at sample 10000, expected 0 to"));
  files_ = good;
  files_.erase("mitdb/7.dat");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("test"); }), "mitdb/7.dat: the archive has no such"));
}

TEST(EcgData, CountsAreOfTheRecords) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  std::map<std::string, std::array<std::size_t, 3>> counts;
  for (const std::string split : {"train", "validation", "test"}) {
    const Dataset data = load_task("ecg", split, {.data_dir = *folder});
    expect_well_formed(data);
    for (const Example& example : data.examples) ++counts[split][static_cast<std::size_t>(example.labels[0])];
  }
  // Of 6628 N, 38 S and 446 V in the annotations; the others cross the border of a part or the end of a record.
  using Counts = std::array<std::size_t, 3>;
  EXPECT_EQ(counts["train"], (Counts{4025, 19, 285}));
  EXPECT_EQ(counts["validation"], (Counts{627, 8, 54}));
  EXPECT_EQ(counts["test"], (Counts{1961, 11, 106}));
}

}  // namespace
}  // namespace quaver
