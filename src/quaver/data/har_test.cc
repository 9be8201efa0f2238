#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <sstream>

#include "quaver/core/random.h"
#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "har/hapt_raw.tar.xz";
using Files = std::map<std::string, std::string>;

std::string acc_name(const std::string& key) { return "hapt_raw/RawData/acc_" + key + ".txt"; }
std::string gyro_name(const std::string& key) { return "hapt_raw/RawData/gyro_" + key + ".txt"; }
const std::string kLabels = "hapt_raw/RawData/labels.txt";

// Numbers on a grid of 1/64, which text and float both hold exactly.
std::string table(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  std::ostringstream out;
  for (std::size_t n = 0; n < rows; ++n) {
    for (int axis = 0; axis < 3; ++axis) out << static_cast<double>(random.between(-128, 128)) / 64 << ' ';
    out << '\n';
  }
  return out.str();
}

// Users 1 (training), 2 (test) and 7 (validation) with a recording of 400 samples each.
Files small_set() {
  Files files{{kLabels,
               "1 1 1 1 128\n"     // one window
               "1 1 7 129 300\n"   // a transition: not used
               "1 1 6 201 392\n"   // two windows: from 201 and from 265
               "2 2 4 10 136\n"    // 127 samples: none
               "2 2 5 11 400\n"    // from 11, 75, 139, 203 and 267
               "3 7 2 1 400\n"}};  // from 1, 65, 129, 193 and 257
  std::uint64_t seed = 1;
  for (const std::string key : {"exp01_user01", "exp02_user02", "exp03_user07"}) {
    files[acc_name(key)] = table(400, seed++);
    files[gyro_name(key)] = table(400, seed++);
  }
  return files;
}

class Har : public testing::Test {
 protected:
  void write(const Files& files) { write_archive(folder_.path() / kFile, files); }
  Dataset load(const std::string& split, std::size_t limit = 0) {
    return load_task("har", split, {.data_dir = folder_.path(), .limit = limit});
  }
  // The error of loading `split` after `name` of the small set was replaced.
  Error error_with(const std::string& name, const std::string& text, const std::string& split = "train") {
    Files files = small_set();
    files[name] = text;
    write(files);
    return expect_error(ErrorKind::kBadInput, [&] { load(split); });
  }

  TemporaryFolder folder_;
};

TEST_F(Har, CutsSegmentsOfTheBasicActivitiesIntoWindows) {
  write(small_set());
  const Dataset train = load("train"), test = load("test"), validation = load("validation");
  for (const Dataset* data : {&train, &test, &validation}) {
    expect_well_formed(*data);
    for (const Example& example : data->examples) EXPECT_EQ(example.input.steps, 128u);
  }
  ASSERT_EQ(train.examples.size(), 3u);
  EXPECT_EQ(train.examples[0].name, "experiment 1 user 1 sample 1");
  EXPECT_EQ(train.examples[1].name, "experiment 1 user 1 sample 201");
  EXPECT_EQ(train.examples[2].name, "experiment 1 user 1 sample 265");
  EXPECT_EQ(train.classes[static_cast<std::size_t>(train.examples[0].labels[0])], "walking");
  EXPECT_EQ(train.classes[static_cast<std::size_t>(train.examples[1].labels[0])], "laying");
  EXPECT_EQ(test.examples.size(), 5u);
  EXPECT_EQ(test.classes[static_cast<std::size_t>(test.examples[0].labels[0])], "standing");
  EXPECT_EQ(validation.examples.size(), 5u);
  EXPECT_EQ(load("test", 2).examples, (std::vector<Example>{test.examples[0], test.examples[2]}));
}

TEST_F(Har, FeaturesAreBodyRotationAndTotal) {
  const Files files = small_set();
  write(files);
  std::istringstream acc(files.at(acc_name("exp01_user01"))), gyro(files.at(gyro_name("exp01_user01")));
  const Example example = load("train").examples.at(1);  // starts at sample 201
  const double share = 1 - std::exp(-2 * std::numbers::pi * 0.3 / 50);
  double gravity[3];
  for (std::size_t n = 0; n < 328; ++n) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      double total, rotation;
      ASSERT_TRUE(acc >> total);
      ASSERT_TRUE(gyro >> rotation);
      gravity[axis] = n == 0 ? total : gravity[axis] + share * (total - gravity[axis]);
      if (n < 200) continue;
      const float* step = example.input.values.data() + (n - 200) * 9;
      ASSERT_FLOAT_EQ(step[axis], static_cast<float>(total - gravity[axis])) << n;
      ASSERT_EQ(step[3 + axis], static_cast<float>(rotation)) << n;
      ASSERT_EQ(step[6 + axis], static_cast<float>(total)) << n;
    }
  }
}

// Streamable: what comes later changes nothing before it.
TEST_F(Har, FeaturesOnlySeeThePast) {
  Files files = small_set();
  write(files);
  const Dataset before = load("validation");
  std::string& text = files[acc_name("exp03_user07")];
  std::size_t cut = 0;
  for (int line = 0; line < 300; ++line) cut = text.find('\n', cut) + 1;
  text = text.substr(0, cut) + table(100, 99);
  write(files);
  const Dataset after = load("validation");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(before.examples[i], after.examples[i]);  // end at samples 128, 192, 256
  EXPECT_NE(before.examples[4], after.examples[4]);                                      // ends at sample 384
}

TEST_F(Har, PhoneAtRestHasNoBodyAcceleration) {
  std::string still;
  for (int n = 0; n < 400; ++n) still += "0.25 -0.5 0.75\n";
  Files files = small_set();
  files[acc_name("exp03_user07")] = still;
  write(files);
  for (const Example& example : load("validation").examples) {
    for (std::size_t n = 0; n < 128; ++n) {
      for (std::size_t axis = 0; axis < 3; ++axis) ASSERT_EQ(example.input.values[n * 9 + axis], 0.0f);
    }
  }
}

TEST_F(Har, OtherSplitsAreNotParsed) {
  Files files = small_set();
  files[acc_name("exp01_user01")] = "garbage";
  write(files);
  EXPECT_EQ(load("test").examples.size(), 5u);
}

TEST_F(Har, WrongLinesAreNamed) {
  const std::string acc = acc_name("exp01_user01");
  EXPECT_TRUE(says(error_with(acc, "1 2 3\n1 2\n"), acc + ": line 2 has 2 columns, expected 3"));
  EXPECT_TRUE(says(error_with(acc, "1 2 3 4\n"), acc + ": line 1 is '1 2 3 4', expected 3 numbers"));
  for (const std::string value : {"nan", "inf", "-inf", "x", "1e99", "1,5", "0x1p3"}) {
    EXPECT_TRUE(says(error_with(acc, "1 2 3\n\n1 " + value + " 3\n"), acc + ": line 3 is '1 " + value + " 3'"));
  }
}

TEST_F(Har, WrongLabelsAreNamed) {
  for (const std::string line : {"1 1 1 0 128", "1 1 1 5 4", "1 1 0 1 128", "1 1 13 1 128"}) {
    EXPECT_TRUE(says(error_with(kLabels, line), "expected 1 <= first <= last and an activity from 1 to 12"));
  }
  EXPECT_TRUE(says(error_with(kLabels, "1 1 1 1"), "labels.txt: line 1 has 4 columns, expected 5"));
  EXPECT_TRUE(says(error_with(kLabels, "1 1 1 1 128.5"), "labels.txt: line 1 is '1 1 1 1 128.5', expected 5 numbers"));
  EXPECT_TRUE(says(error_with(kLabels, "1 1 1 1 99999999999"), "labels.txt: line 1 is '1 1 1 1 99999999999'"));
}

TEST_F(Har, PartsThatDoNotFitAreNamed) {
  EXPECT_TRUE(says(error_with(kLabels, "1 1 1 300 401"),
                   "a segment up to sample 401 of experiment 1 of user 1, but its recording has 400 samples"));
  EXPECT_TRUE(says(error_with(kLabels, "9 1 1 1 128"), "of experiment 9 of user 1, but its recording has 0 samples"));
  EXPECT_TRUE(says(error_with(gyro_name("exp01_user01"), table(399, 1)),
                   "experiment 1 of user 1 has 400 samples of the accelerometer and 399 of the gyroscope"));
  Files files = small_set();
  files.erase(kLabels);
  write(files);
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("test"); }), "no labels.txt in it"));
}

TEST_F(Har, SplitWithoutWindowsIsAnError) {
  EXPECT_TRUE(
      says(error_with(kLabels, "1 1 1 1 128\n", "test"), "task 'har': its data has no examples of split 'test'"));
}

TEST(HarData, CountsAreThePublishedOnes) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  std::map<std::string, std::size_t> counts;
  std::map<std::string, std::set<std::int32_t>> activities;
  for (const std::string split : {"train", "validation", "test"}) {
    const Dataset data = load_task("har", split, {.data_dir = *folder});
    expect_well_formed(data);
    counts[split] = data.examples.size();
    for (const Example& example : data.examples) activities[split].insert(example.labels[0]);
    EXPECT_EQ(activities[split].size(), 6u) << split;
  }
  EXPECT_EQ(counts["test"], 2996u);
  EXPECT_EQ(counts["train"] + counts["validation"], 7415u);
  EXPECT_EQ(counts["validation"], 1065u);
}

}  // namespace
}  // namespace quaver
