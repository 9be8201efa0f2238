#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "ett/ETTh1.csv.xz";
const std::string kHeader = "date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n";
constexpr std::size_t kTrain = 8640, kRows = 14400;

// Column k of row r is r * (k + 1), but the last one, which is 5 in all rows of train and 8 behind them.
std::string table(std::size_t rows) {
  std::string text = kHeader;
  for (std::size_t row = 0; row < rows; ++row) {
    text += "2016-07-01 00:00:00";
    for (std::size_t column = 0; column < 6; ++column) text += ',' + std::to_string(row * (column + 1));
    text += row < kTrain ? ",5\n" : ",8\n";
  }
  return text;
}

class Ett : public testing::Test {
 protected:
  Dataset load(const std::string& task, const std::string& split, std::size_t limit = 0) {
    return load_task(task, split, {.data_dir = folder_.path(), .limit = limit});
  }
  TemporaryFolder folder_;
};

TEST_F(Ett, TargetsStayInTheirPart) {
  write_xz(folder_.path() / kFile, table(kRows + 10));
  const Dataset train = load("ett", "train"), validation = load("ett", "validation"), test = load("ett", "test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  ASSERT_EQ(train.examples.size(), kTrain - 96 - 24 + 1);
  ASSERT_EQ(validation.examples.size(), 2880u - 24 + 1);
  ASSERT_EQ(test.examples.size(), 2880u - 24 + 1);
  EXPECT_EQ(train.examples.front().name, "rows 1 to 96");
  EXPECT_EQ(train.examples.back().name, "rows 8521 to 8616");
  EXPECT_EQ(validation.examples.front().name, "rows 8545 to 8640");
  EXPECT_EQ(test.examples.back().name, "rows 14281 to 14376");
  // A constant column has deviation 1.
  for (const float value : train.examples.back().targets) ASSERT_EQ(value, 0.0f);
  for (const float value : validation.examples.front().targets) ASSERT_EQ(value, 3.0f);
  EXPECT_EQ(validation.examples[1].origin, std::vector<float>(24, 3.0f));
  for (const float value : validation.examples[1].targets) ASSERT_EQ(value, 0.0f);
  EXPECT_EQ(load("ett", "test", 2).examples, (std::vector<Example>{test.examples[0], test.examples[1428]}));
}

TEST_F(Ett, ValuesAreDistancesInDeviationsOfTrain) {
  write_xz(folder_.path() / kFile, table(kRows));
  const Dataset data = load("ett_all", "validation", 1);
  expect_well_formed(data);
  const Example& example = data.examples[0];
  // The deviation of 0 ... n - 1 is sqrt((n^2 - 1) / 12).
  const double deviation = std::sqrt((double{kTrain} * kTrain - 1) / 12), mean = (double{kTrain} - 1) / 2;
  const double last = static_cast<double>(kTrain) - 1;
  for (std::size_t column = 0; column < 6; ++column) {
    EXPECT_NEAR(example.origin[column], (last - mean) / deviation, 1e-5);
    for (std::size_t step = 0; step < 96; ++step) {
      const double row = static_cast<double>(kTrain - 96 + step);
      ASSERT_NEAR(example.input.values[step * 7 + column], (row - last) / deviation, 1e-5);
    }
    for (std::size_t step = 0; step < 24; ++step) {
      const double row = static_cast<double>(kTrain + step);
      ASSERT_NEAR(example.targets[step * 7 + column], (row - last) / deviation, 1e-5);
    }
  }
  EXPECT_EQ(example.targets[6], 3.0f);
}

TEST_F(Ett, OtherTablesAreNamed) {
  write_xz(folder_.path() / kFile, table(kRows - 1));
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("ett", "train"); }),
                   "csv.xz: 14399 rows of the columns HUFL HULL MUFL MULL LUFL LULL OT, expected at least 14400"));
  write_xz(folder_.path() / kFile, "date,a,b\n2016-07-01,1,2\n");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("ett_all", "train"); }), "1 rows of the columns a b"));
  write_xz(folder_.path() / kFile, kHeader + "2016-07-01,1,2,3,,5,6,7\n");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("ett", "train"); }), "column 'MULL' is missing"));
}

TEST(EttData, CountsAreThePublishedOnes) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  const std::map<std::string, std::size_t> counts{{"train", 8521}, {"validation", 2857}, {"test", 2857}};
  for (const auto& [split, count] : counts) {
    const Dataset data = load_task("ett", split, {.data_dir = *folder});
    expect_well_formed(data);
    EXPECT_EQ(data.examples.size(), count);
  }
}

}  // namespace
}  // namespace quaver
