#include "quaver/data/nab.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "nab/nab.tar.xz", kWindows = "nab/labels/combined_windows.json";

std::string time_of(std::size_t row) {
  const std::string minute = std::to_string(row % 60), hour = std::to_string(row / 60);
  return "2014-04-10 " + std::string(2 - hour.size(), '0') + hour + ":" + std::string(2 - minute.size(), '0') + minute +
         ":00";
}

// Row r has r in `a`, and 7 in `b`, 100 from row 50 on.
class Nab : public testing::Test {
 protected:
  void SetUp() override {
    std::string a = "timestamp,value\n", b = a;
    for (std::size_t row = 0; row < 1000; ++row) a += time_of(row) + "," + std::to_string(row) + "\n";
    for (std::size_t row = 0; row < 80; ++row) b += time_of(row) + (row < 50 ? ",7\n" : ",100.0\n");
    files_ = {{"nab/data/real/b.csv", b},
              {"nab/data/art/a.csv", a},
              {"nab/data/README.md", "text"},
              {kWindows, R"({"art/a.csv": [["2014-04-10 05:00:00.000000", "2014-04-10 05:09:00.000000"],
                                           ["2014-04-10 10:00:00.000000", "2014-04-10 10:00:00.000000"]],
                             "real/b.csv": [], "real/other.csv": []})"}};
  }
  Dataset load(const std::string& split, std::size_t limit = 0) {
    write_archive(folder_.path() / kFile, files_);
    return load_task("nab", split, {.data_dir = folder_.path(), .limit = limit});
  }
  Error error_with(const std::string& name, const std::string& text) {
    std::map<std::string, std::string> files = files_;
    files[name] = text;
    write_archive(folder_.path() / kFile, files);
    return expect_error(ErrorKind::kBadInput, [&] { load_task("nab", "train", {.data_dir = folder_.path()}); });
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> files_;
};

TEST_F(Nab, EveryRowIsForecastOnceFromThoseBefore) {
  const Dataset train = load("train"), validation = load("validation"), test = load("test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  // Probations are 150 and 12 rows, four fifths of them 120 and 9.
  ASSERT_EQ(train.examples.size(), 2u);
  EXPECT_EQ(train.examples[0].name, "art/a.csv, rows 2 to 120");
  EXPECT_EQ(train.examples[1].name, "real/b.csv, rows 2 to 9");
  EXPECT_EQ(validation.examples[0].name, "art/a.csv, rows 121 to 150");
  ASSERT_EQ(test.examples.size(), 2u);
  EXPECT_EQ(test.examples[0].name, "art/a.csv, rows 151 to 1000");
  const double deviation = std::sqrt((150.0 * 150 - 1) / 12);
  for (std::size_t step = 0; step < 850; ++step) {
    const double value = (static_cast<double>(150 + step) - 74.5) / deviation;
    ASSERT_NEAR(test.examples[0].targets[step], value, 1e-5);
    ASSERT_NEAR(test.examples[0].input.values[step], value - 1 / deviation, 1e-5);
  }
  // A constant probation has deviation 1.
  EXPECT_EQ(test.examples[1].targets[0], 0.0f);
  EXPECT_EQ(test.examples[1].targets.back(), 93.0f);
  EXPECT_EQ(load("test", 1).examples, std::vector<Example>{test.examples[0]});
}

TEST_F(Nab, SequencesToLearnFromAreShort) {
  std::string text = "timestamp,value\n";
  for (int row = 0; row < 8000; ++row) text += "t" + std::to_string(row) + "," + std::to_string(row % 9) + "\n";
  files_["nab/data/real/b.csv"] = text;
  const Dataset train = load("train");
  ASSERT_EQ(train.examples.size(), 6u);  // rows 1 to 599 of a probation of 750, which is the longest
  EXPECT_EQ(train.examples[1].input.steps, 128u);
  EXPECT_EQ(train.examples[5].name, "real/b.csv, rows 514 to 600");
}

TEST_F(Nab, SeriesOfTestHaveTheirWindows) {
  load("test");
  const std::vector<NabSeries> series = nab_series({.data_dir = folder_.path()});
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].name, "art/a.csv");
  EXPECT_EQ(series[0].rows, 1000u);
  EXPECT_EQ(series[0].probation, 150u);
  EXPECT_EQ(series[0].windows, (std::vector<NabWindow>{{300, 309}, {600, 600}}));
  EXPECT_EQ(series[1].probation, 12u);
  EXPECT_EQ(series[1].windows, std::vector<NabWindow>{});
  EXPECT_EQ(nab_series({.data_dir = folder_.path(), .limit = 1}).size(), 1u);
}

TEST_F(Nab, WrongFilesAreNamed) {
  const std::string b = "nab/data/real/b.csv";
  EXPECT_TRUE(says(error_with(b, "time,value\n"), b + ":1: the first line is not 'timestamp,value'"));
  EXPECT_TRUE(
      says(error_with(b, "timestamp,value\nt,1\nt,x\n"), b + ":3: the line is 't,x', expected a time, a comma"));
  EXPECT_TRUE(says(error_with(b, "timestamp,value\nt,1,2\n"), b + ":2: the line is 't,1,2'"));
  EXPECT_TRUE(says(error_with(b, "timestamp,value\nt,1\n"), b + ": 1 rows, expected at least 14"));
  EXPECT_TRUE(says(error_with(kWindows, "["), "combined_windows.json: there is no such file, or it is no JSON object"));
  EXPECT_TRUE(says(error_with(kWindows, R"({"art/a.csv": []})"), "no entry for 'real/b.csv'"));
  for (const std::string windows :
       {"1", "[1]", "[[]]", R"([["x", "x"]])", R"([[1, 2]])", R"([["2014-04-10 00:00:00", "2014-04-10 00:01:00"]])",
        R"([["2014-04-10 01:00:00", "2014-04-10 00:50:00"]])"})
    EXPECT_TRUE(says(error_with(kWindows, R"({"art/a.csv": [], "real/b.csv": )" + windows + "}"),
                     "the windows of 'real/b.csv' are not a list of rising pairs"))
        << windows;
}

TEST(NabData, CountsAreOfTheSeries) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  std::size_t rows = 0, windows = 0, probation = 0;
  const std::vector<NabSeries> all = nab_series({.data_dir = *folder});
  for (const NabSeries& series : all) {
    rows += series.rows;
    windows += series.windows.size();
    probation += series.probation;
  }
  EXPECT_EQ(all.size(), 45u);
  EXPECT_EQ(rows, 285013u);  // five files have no line end behind their last row
  EXPECT_EQ(windows, 84u);
  std::size_t forecasts = 0;
  for (const std::string split : {"train", "validation", "test"}) {
    const Dataset data = load_task("nab", split, {.data_dir = *folder});
    expect_well_formed(data);
    forecasts += data.step_count();
    if (split == "test") {
      EXPECT_EQ(data.step_count(), rows - probation);
    }
  }
  EXPECT_EQ(forecasts, rows - all.size());
}

}  // namespace
}  // namespace quaver
