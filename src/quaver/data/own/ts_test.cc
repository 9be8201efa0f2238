#include "quaver/data/own/ts.h"

#include <gtest/gtest.h>

#include "quaver/data/own/own_data.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kHeader = "# a comment\n@problemName Toy\n@dimensions 2\n@classLabel true up down\n@data\n";

TsFile parse(const std::string& text) {
  LineReader lines("toy.ts", text);
  return parse_ts(lines);
}

Error parse_error(const std::string& text) {
  return expect_error(ErrorKind::kBadInput, [&] { parse(text); });
}

TEST(OwnTs, CasesHaveStepsOfAllChannels) {
  const TsFile file = parse(kHeader + "1,2,3:4,5,6:down\r\n7:8.5:up\n");
  EXPECT_EQ(file.channels, 2u);
  EXPECT_EQ(file.classes, (std::vector<std::string>{"up", "down"}));
  ASSERT_EQ(file.examples.size(), 2u);
  const Example expected{
      .name = "toy.ts:6", .input = {.steps = 3, .features = 2, .values = {1, 4, 2, 5, 3, 6}}, .labels = {1}};
  EXPECT_EQ(file.examples[0], expected);
  EXPECT_EQ(file.examples[1].input.values, (std::vector<float>{7, 8.5f}));
  parse("@equalLength false\n@seriesLength 9\n" + kHeader + "1:2:up\n1,2:3,4:up");
}

TEST(OwnTs, WhatIsWrongIsNamedWithItsLine) {
  const std::pair<std::string, std::string> cases[] = {
      {kHeader + "1,?,3:4,5,6:up", "toy.ts:6: channel 1, step 2 is missing ('?')"},
      {kHeader + "1,x,3:4,5,6:up", "toy.ts:6: channel 1, step 2 is 'x', expected a finite number"},
      {kHeader + "1,1e60,3:4,5,6:up", "is '1e60', expected a finite number"},
      {kHeader + "1,2:4,5,6:up", "toy.ts:6: channel 2 has 3 steps, channel 1 has 2"},
      {kHeader + "1,2:up", "toy.ts:6: this case has 1 channels, expected 2"},
      {kHeader + "up", "toy.ts:6: this case has no channel"},
      {kHeader + "1:2:left", "toy.ts:6: class 'left', expected one of up, down"},
      {kHeader, "toy.ts:5: there are no cases behind @data"},
      {"@univariate true\n1:up", "toy.ts:2: '1:up' stands before @data"},
      {"@univariate true\n", "the file ends before @data"},
      {"@data\n1:up", "toy.ts:1: @data comes before '@classLabel true ...'"},
      {"@classLabel true\n", "names no class"},
      {"@classLabel true a b a\n", "names 'a' twice"},
      {"@dimensions -1\n", "@dimensions '-1', expected 1 or more"},
      {"@timeStamps true\n", "cases with time stamps are not read"},
      {"@univariate true\n" + kHeader + "1:2:up", "toy.ts:4: @dimensions 2, but @univariate is true"},
      {"@univariate false\n@classLabel true up\n@data\n1:up", "toy.ts:4: this case has 1 channel, expected more"},
      {"@equalLength true\n" + kHeader + "1:2:up\n1,2:3,4:up", "toy.ts:8: this case has 2 steps, the first has 1"},
      {"@equalLength true\n@seriesLength 2\n" + kHeader + "1:2:up",
       "toy.ts:8: this case has 1 steps, expected the 2 of @seriesLength"},
      {"@seriesLength 0\n", "@seriesLength '0', expected 1 or more"}};
  for (const auto& [text, message] : cases) EXPECT_TRUE(says(parse_error(text), message));
}

class OwnTsFolder : public testing::Test {
 protected:
  OwnData open() const { return OwnData::open({.kind = "ts", .path = folder_.path()}); }
  void write(const std::string& part, const std::string& text) {
    write_file(folder_.path() / ("Toy_" + part + ".ts"), text);
  }
  Error error_of() const {
    return expect_error(ErrorKind::kBadInput, [&] { open(); });
  }
  TemporaryFolder folder_;
};

std::string cases(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += std::to_string(i) + ",1:2,3:" + (i % 2 == 0 ? "up" : "down") + "\n";
  return text;
}

TEST_F(OwnTsFolder, ValidationIsDrawnFromTrain) {
  write("TRAIN", kHeader + cases(40));
  write("TEST", kHeader + cases(10));
  const OwnData data = open();
  EXPECT_EQ(notes_of(data), "split by file\nvalidation is 10 % of train, drawn by seed 1\n");
  EXPECT_EQ(data.size("train"), 36u);
  EXPECT_EQ(data.size("validation"), 4u);
  for (const char* split : {"train", "validation", "test"}) expect_consistent(data.load(split));
}

TEST_F(OwnTsFolder, RealTargetsAreStandardizedByTrain) {
  const std::string header = "@univariate true\n@targetLabel true\n@data\n";
  std::string train;
  for (int i = 0; i < 20; ++i) train += "1,2:" + std::to_string(100 + 10 * i) + "\n";
  write("TRAIN", header + train);
  write("TEST", header + "1,2:150\n");
  const OwnData data = open();
  const Dataset test = data.load("test");
  EXPECT_EQ(test.target, Target::kReals);
  EXPECT_EQ(test.outputs, 1u);
  expect_consistent(test);
  EXPECT_NEAR(in_units(data.pipeline(), test.examples[0].targets)[0], 150, 1e-4);
  double sum = 0;
  for (const Example& example : data.load("train").examples) sum += example.targets[0];
  EXPECT_NEAR(sum, 0, 1e-4);
  EXPECT_EQ(pipeline_from_map(to_map(data.pipeline())), data.pipeline());
}

TEST_F(OwnTsFolder, FilesThatDoNotBelongTogetherAreNamed) {
  EXPECT_TRUE(says(error_of(), "there is no NAME_TRAIN.ts in the folder"));
  write("TRAIN", kHeader + cases(40));
  write("TEST", "@dimensions 2\n@classLabel true up left\n@data\n1:2:left\n");
  EXPECT_TRUE(says(error_of(), "Toy_TEST.ts:4: class 'left', expected one of up, down"));
  write("TEST", "@dimensions 1\n@classLabel true up down\n@data\n1:up\n");
  EXPECT_TRUE(says(error_of(), "Toy_TEST.ts: 1 channels, expected 2"));
  write("TEST", "@dimensions 2\n@targetLabel true\n@data\n1:2:3\n");
  EXPECT_TRUE(says(error_of(), "its targets are real numbers, expected classes"));
  write_file(folder_.path() / "Other_TRAIN.ts", kHeader + cases(40));
  EXPECT_TRUE(says(error_of(), "Other_TRAIN.ts and Toy_TRAIN.ts are both a TRAIN file"));
}

TEST(OwnTsData, JapaneseVowels) {
  const auto real = real_data("japanese_vowels/JapaneseVowels_TRAIN.ts.xz");
  if (!real) GTEST_SKIP() << skip_text("japanese_vowels/JapaneseVowels_TRAIN.ts.xz");
  const OwnData data = OwnData::open({.kind = "ts", .path = *real / "japanese_vowels"});
  EXPECT_EQ(data.pipeline().features, 12u);
  EXPECT_EQ(data.pipeline().classes.size(), 9u);
  EXPECT_EQ(data.size("train"), 243u);
  EXPECT_EQ(data.size("validation"), 27u);
  const Dataset test = data.load("test");
  EXPECT_EQ(test.examples.size(), 370u);
  expect_consistent(test);
}

}  // namespace
}  // namespace quaver
