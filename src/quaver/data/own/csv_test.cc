#include "quaver/data/own/csv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quaver/core/text.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

CsvTable read(const std::string& text, const OwnDataOptions& options = {}) {
  LineReader lines("log.csv", text);
  return read_csv(lines, options);
}

Error read_error(const std::string& text, const OwnDataOptions& options = {}) {
  return expect_error(ErrorKind::kBadInput, [&] { read(text, options); });
}

std::vector<double> values_of(const CsvTable& table) {
  std::vector<double> values;
  for (std::size_t i = 0; i < table.values.size(); ++i)
    values.push_back(table.values[i] + table.origin[i % table.columns.size()]);
  return values;
}

TEST(OwnCsv, SeparatorsQuotesAndDates) {
  for (const std::string text : {"date,a,b\n2016-07-01 00:00:00,1,2\n2016-07-02 00:00:00,3,4\n",
                                 "\xef\xbb\xbf"
                                 "time;a;b\r\n12:30;1;2\r\n12:31; 3 ;+4\r\n\r\n",
                                 "\"when\"\t\"a\"\t\"b\"\n\"1/2/2020\"\t\"1\"\t2\n1/3/2020\t3\t4"}) {
    const CsvTable table = read(text);
    EXPECT_EQ(table.columns, (std::vector<std::string>{"a", "b"})) << text;
    EXPECT_EQ(values_of(table), (std::vector<double>{1, 2, 3, 4})) << text;
    ASSERT_EQ(table.notes.size(), 1u);
    EXPECT_NE(table.notes[0].find("it has dates"), std::string::npos);
  }
}

TEST(OwnCsv, WithoutNamesColumnsAreNumbered) {
  const CsvTable table = read("1,2\n3,4\n");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"column1", "column2"}));
  EXPECT_EQ(table.rows(), 2u);
}

// A clock's seconds have more digits than a float.
TEST(OwnCsv, LargeNumbersKeepTheirDigits) {
  EXPECT_EQ(values_of(read("t\n1700000000.25\n1700000001.5\n")), (std::vector<double>{1700000000.25, 1700000001.5}));
}

TEST(OwnCsv, MissingValuesAreTreatedAsAsked) {
  for (const std::string missing : {"", "NA", "NaN", "null", "?", "None"}) {
    const std::string text = "a,b\n1,2\n3," + missing + "\n5,6\n";
    EXPECT_TRUE(says(read_error(text), "log.csv:3: column 'b' is missing ('" + missing + "')"));
    EXPECT_EQ(values_of(read(text, {.missing = MissingValues::kHold})), (std::vector<double>{1, 2, 3, 2, 5, 6}));
    EXPECT_EQ(values_of(read(text, {.missing = MissingValues::kDrop})), (std::vector<double>{1, 2, 5, 6}));
  }
  EXPECT_TRUE(says(read_error("a,b\n1,\n", {.missing = MissingValues::kHold}), "missing in the first row"));
  EXPECT_TRUE(says(read_error("a,b\n1,\n"), "or train with --missing hold (the value before) or --missing drop"));
  // A model that was trained has chosen.
  EXPECT_FALSE(says(read_error("a,b\n1,\n", {.missing = MissingValues::kError}), "--missing"));
}

TEST(OwnCsv, WhatIsWrongIsNamedWithItsLine) {
  const std::pair<std::string, std::string> cases[] = {
      {"a,b\n1,2\n3,x\n", "log.csv:3: column 'b' has 'x', expected a number"},
      {"a,b\n1,x\n", "log.csv:2: column 'b' is text ('x'), expected numbers; remove the column, or make it the label"},
      {"a;b\n1;2\n3;0,1169\n", "log.csv:3: column 'b': '0,1169' looks like a decimal comma"},
      {"a;b\n1;-0,5\n", "log.csv:2: column 'b': '-0,5' looks like a decimal comma"},
      {"a,b\n1,2\n3\n", "log.csv:3: this row has 1 fields, expected 2"},
      {"a,b\n1,2\n3,4,5\n", "log.csv:3: this row has 3 fields, expected 2"},
      {"a,b\n1,2\n\n3,4\n", "log.csv:3: this line is empty"},
      {"a,a\n1,2\n", "log.csv:1: columns 1 and 2 are both named 'a'"},
      {"a,b\n", "log.csv:1: there are no rows"},
      {"\n\n", "the file has no line"},
      {"a,b\n1,\"2\n", "log.csv:2: field 2 has no closing quote"},
      {"a,b\n1,\"2\"3\n", "log.csv:2: field 2 goes on behind its closing quote"},
      {"date\n2020-01-01\n", "log.csv:2: there is no column of numbers"},
      {"a,b\n1,2\n1,1e999\n", "log.csv:3: column 'b' has '1e999', expected a number"},
      {"a,b\n1,2\n1,1e300\n", "log.csv:3: column 'b' has 1e+300, too far from the first row's 2"},
      {"a,b\n1,2\n1,\xff\n", "log.csv:3: the byte 255 at place 3"}};
  for (const auto& [text, message] : cases) EXPECT_TRUE(says(read_error(text), message));
  EXPECT_TRUE(
      says(read_error("a,b\n1,2\n", {.label = "c"}), "there is no column 'c' for the label; the columns are a, b"));
  EXPECT_TRUE(says(read_error("a,b\n1,\n", {.label = "b"}), "log.csv:2: the label 'b' is missing"));
  EXPECT_TRUE(says(read_error("a,b\n1,2\n3,4\n", {.max_memory = 8}), "log.csv:3: the rows up to here have 16 bytes"));
}

TEST(OwnCsv, BrokenRowsAreLeftOutAndCounted) {
  const CsvTable table = read("a,b\n1,2\n3\nx,4\n5,6\n", {.skip_broken = true});
  EXPECT_EQ(values_of(table), (std::vector<double>{1, 2, 5, 6}));
  ASSERT_EQ(table.notes.size(), 1u);
  EXPECT_EQ(table.notes[0],
            "left out: 2 of 4 rows cannot be read, the first: log.csv:3: this row has 1 fields, expected 2, one for "
            "each column");
}

class OwnCsvFile : public testing::Test {
 protected:
  OwnData open(const std::string& text, const OwnDataOptions& options = {},
               const std::optional<Pipeline>& trained = std::nullopt) {
    write_file(folder_.path() / "log.csv", text);
    return OwnData::open({.kind = "csv", .path = folder_.path() / "log.csv"}, options, trained);
  }
  // a counts the rows, b is their square root; the label changes every third row.
  static std::string rows(std::size_t count) {
    std::string text = "date,a,b,state\n";
    for (std::size_t i = 0; i < count; ++i)
      text += "2020-01-01," + std::to_string(i) + "," + std::to_string(std::sqrt(static_cast<double>(i))) + "," +
              (i % 3 == 0 ? "on" : "off") + "\n";
    return text;
  }
  static std::string without_state(std::string text) {
    for (const std::string word : {",state", ",on", ",off"})
      for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word)) text.erase(at, word.size());
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(OwnCsvFile, AForecastIsSplitInTimeAndInUnits) {
  const OwnData data = open(without_state(rows(1000)), {.targets = {"a", "b"}, .window = 10, .horizon = 3});
  EXPECT_EQ(data.pipeline().target, Target::kReals);
  EXPECT_EQ(data.pipeline().features, 2u);
  EXPECT_EQ(data.size("train"), 700u - 10 - 3 + 1);
  EXPECT_EQ(data.size("validation"), 100u - 3 + 1);
  EXPECT_EQ(data.size("test"), 200u - 3 + 1);
  for (const char* split : {"train", "validation", "test"}) expect_consistent(data.load(split));
  const Example first = data.read("test", 0);
  EXPECT_TRUE(first.name.ends_with("log.csv, rows 791 to 800")) << first.name;
  const std::vector<double> forecast = in_units(data.pipeline(), first.targets, first.origin);
  ASSERT_EQ(forecast.size(), 6u);
  EXPECT_EQ(first.input.values[2 * 9], 0.0f) << "the last row is what distances are from";
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_NEAR(forecast[2 * row], 800.0 + static_cast<double>(row), 1e-3);
    EXPECT_NEAR(forecast[2 * row + 1], std::sqrt(800.0 + static_cast<double>(row)), 1e-4);
  }
  EXPECT_EQ(notes_of(data),
            "skipped column 'date': it has dates\n"
            "split in time: rows 1 to 700 train, to 800 validation, to 1000 test\n"
            "columns are standardized by the mean and deviation of train\n");
  const Dataset train = data.load("train");
  EXPECT_EQ(feature_statistics(train).mean.size(), 2u);
  EXPECT_EQ(pipeline_from_map(to_map(data.pipeline())), data.pipeline());
}

TEST_F(OwnCsvFile, OtherRowsThanThoseOfTheModelAreWarnedOf) {
  const std::string table = without_state(rows(200));
  const OwnDataOptions options{.window = 10, .horizon = 3};
  const Pipeline trained = open(table, options).pipeline();
  EXPECT_TRUE(open(table, options, trained).warnings().empty());
  std::string other_ends = table;
  for (std::size_t at = 0; (at = other_ends.find('\n', at)) != std::string::npos; at += 2) other_ends.insert(at, "\r");
  EXPECT_TRUE(open("\xef\xbb\xbf" + other_ends, options, trained).warnings().empty());
  const std::vector<std::string> warnings = open(table + "2020-01-01,1,1\n", options, trained).warnings();
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("201 rows, there were 200"), std::string::npos) << warnings[0];
}

TEST_F(OwnCsvFile, OptionsThatSayNothingAreRefused) {
  const auto refusal = [&](const OwnDataOptions& options) {
    return expect_error(ErrorKind::kUsage, [&] { open(rows(90), options); });
  };
  EXPECT_TRUE(says(refusal({.label = "state", .horizon = 24}), "a label and a horizon"));
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage,
                                [&] {
                                  open(without_state(rows(90)), {.targets = {"a", "b", "a"}, .window = 4});
                                }),
                   "target 'a' is named twice"));
}

TEST_F(OwnCsvFile, RowsThatComeAreThoseOfAFile) {
  const std::vector<std::string> lines{"a,b", "1,2", "3,", "5,6", "7,8", "9,1", "2,4"};
  const std::string table = join(lines, "\n");
  for (const MissingValues missing : {MissingValues::kHold, MissingValues::kDrop}) {
    const Pipeline pipeline = open(table, {.targets = {"a"}, .window = 1, .horizon = 1, .missing = missing}).pipeline();
    const Sequence file = read_rows(pipeline, folder_.path() / "log.csv");
    RowStream stream(pipeline);
    std::vector<float> values;
    for (const std::string& line : lines)
      if (const auto row = stream.next(line, "here")) values.insert(values.end(), row->begin(), row->end());
    EXPECT_EQ(values, file.values);
    EXPECT_EQ(values.size(), missing == MissingValues::kHold ? 12u : 10u);
    EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { stream.next("7,x", "there"); }), "there: column 'b'"));
    EXPECT_TRUE(
        says(expect_error(ErrorKind::kBadInput, [&] { stream.next(std::string("7\0", 2), "there"); }), "control"));
  }
}

TEST_F(OwnCsvFile, ForecastsOfBeforeReadLevels) {
  const std::string table = without_state(rows(200));
  const OwnDataOptions options{.window = 10, .horizon = 3};
  auto map = to_map(open(table, options).pipeline());
  ASSERT_EQ(map.erase("table.distances"), 1u);
  const Pipeline before = pipeline_from_map(map);
  const OwnData data = open(table, options, before);
  EXPECT_EQ(data.pipeline(), before);
  const Example first = data.read("test", 0);
  EXPECT_TRUE(first.origin.empty());
  EXPECT_NE(first.input.values[2 * 9], 0.0f);
  EXPECT_NEAR(in_units(before, first.targets)[0], std::sqrt(160.0), 1e-4);

  map = to_map(open(rows(200), {.label = "state", .window = 10}).pipeline());
  map["table.distances"] = "true";
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { pipeline_from_map(map); }), "the table is no forecast"));
}

TEST_F(OwnCsvFile, TheLastColumnIsForecastByDefault) {
  const OwnData data = open(without_state(rows(500)));
  EXPECT_EQ(data.pipeline().table->targets, (std::vector<std::string>{"b"}));
  EXPECT_EQ(data.pipeline().table->window, 96u);
  EXPECT_EQ(data.load("test").outputs, 24u);
}

TEST_F(OwnCsvFile, LabelsAreAClassARow) {
  const OwnData data = open(rows(100), {.label = "state", .window = 30});
  EXPECT_EQ(data.pipeline().classes, (std::vector<std::string>{"off", "on"}));
  EXPECT_EQ(data.pipeline().target, Target::kTags);
  const Dataset train = data.load("train");
  expect_consistent(train);
  ASSERT_EQ(train.examples.size(), 3u);
  EXPECT_EQ(train.examples[2].input.steps, 10u);
  EXPECT_EQ(train.examples[1].labels[0], 1);  // row 31 is "on"
  EXPECT_EQ(train.step_count() + data.load("validation").step_count() + data.load("test").step_count(), 100u);
}

TEST_F(OwnCsvFile, APipelineThatWasTrainedDecides) {
  const OwnData first = open(rows(100), {.label = "state", .window = 30});
  const OwnData again = open(rows(50), {}, first.pipeline());
  EXPECT_EQ(again.pipeline(), first.pipeline());
  expect_consistent(again.load("test"));
  const auto error_of = [&](const std::string& text) {
    return expect_error(ErrorKind::kBadInput, [&] { open(text, {}, first.pipeline()); });
  };
  EXPECT_TRUE(says(error_of("a,b,state\n1,2,up\n"), "class 'up', expected one of off, on"));
  EXPECT_TRUE(says(error_of("a,state\n1,on\n"), "there is no column of numbers 'b', which the model reads"));
}

TEST_F(OwnCsvFile, WhatCannotBeLearnedIsNamed) {
  const auto error_of = [&](const std::string& text, const OwnDataOptions& options) {
    return expect_error(ErrorKind::kBadInput, [&] { open(text, options); });
  };
  EXPECT_TRUE(
      says(error_of(without_state(rows(50)), {}), "train has 35 rows, expected at least window + horizon = 120"));
  EXPECT_TRUE(
      says(error_of(without_state(rows(500)), {.targets = {"c"}}), "there is no column of numbers 'c' to forecast"));
  EXPECT_TRUE(says(error_of(rows(90) + "2020-01-01,1,2,broken\n", {.label = "state"}),
                   "class 'broken' has none of the rows of split 'train'"));
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage, [&] { open(rows(90), {.horizon = 0}); }), "a horizon of 0 rows"));
}

TEST(OwnCsvData, TransformerTemperatures) {
  const std::string file = "ett/ETTh1.csv.xz";
  const auto real = real_data(file);
  if (!real) GTEST_SKIP() << skip_text(file);
  const OwnData data = OwnData::open({.kind = "csv", .path = *real / file});
  EXPECT_EQ(data.pipeline().features, 7u);
  EXPECT_EQ(data.pipeline().table->targets, (std::vector<std::string>{"OT"}));
  EXPECT_EQ(data.size("test"), 17420u - 13936 - 24 + 1);
  const Dataset test = data.load("test");
  expect_consistent(test);
}

}  // namespace
}  // namespace quaver
