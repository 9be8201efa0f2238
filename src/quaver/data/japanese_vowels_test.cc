#include <gtest/gtest.h>

#include <map>
#include <string>

#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kPrefix = "japanese_vowels/JapaneseVowels_";

// A case of a speaker: 12 channels of `steps` values, the first of which is `number`.
std::string case_of(int speaker, int number, int steps) {
  std::string text;
  for (int channel = 0; channel < 12; ++channel) {
    for (int step = 0; step < steps; ++step)
      text += (step == 0 ? "" : ",") + std::to_string(step == 0 && channel == 0 ? number : channel - step);
    text += ':';
  }
  return text + std::to_string(speaker) + "\n";
}

const std::string kHeader = "@dimensions 12\n@classLabel true 1 2 3 4 5 6 7 8 9\n@data\n";

class JapaneseVowels : public testing::Test {
 protected:
  void SetUp() override {
    std::string train = kHeader, test = kHeader;
    for (int speaker = 1; speaker <= 9; ++speaker) {
      for (int number = 0; number < 10; ++number) train += case_of(speaker, number, 7 + number);
      test += case_of(speaker, 100, 9);
    }
    write_xz(folder_.path() / (kPrefix + "TRAIN.ts.xz"), train);
    write_xz(folder_.path() / (kPrefix + "TEST.ts.xz"), test);
  }
  Dataset load(const std::string& split, std::size_t limit = 0) {
    return load_task("japanese_vowels", split, {.data_dir = folder_.path(), .limit = limit});
  }

  TemporaryFolder folder_;
};

TEST_F(JapaneseVowels, ValidationHasEveryFifthTrainingCaseOfASpeaker) {
  const Dataset train = load("train"), validation = load("validation"), test = load("test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  EXPECT_EQ(train.examples.size(), 72u);
  EXPECT_EQ(test.examples.size(), 9u);
  ASSERT_EQ(validation.examples.size(), 18u);
  for (std::size_t i = 0; i < validation.examples.size(); ++i) {
    const Example& example = validation.examples[i];
    EXPECT_EQ(example.labels[0], static_cast<std::int32_t>(i / 2));
    EXPECT_EQ(example.input.values[0], i % 2 == 0 ? 4.0f : 9.0f);
    EXPECT_EQ(example.input.values[1 + 12], 0.0f);  // channel 1 at step 1
  }
  for (const Example& example : train.examples) EXPECT_NE(static_cast<int>(example.input.values[0]) % 5, 4);
  EXPECT_EQ(load("test", 3).examples, (std::vector<Example>{test.examples[0], test.examples[3], test.examples[6]}));
}

TEST_F(JapaneseVowels, OtherDataIsNamed) {
  write_xz(folder_.path() / (kPrefix + "TEST.ts.xz"), "@classLabel true a b\n@data\n1,2:a\n");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("test"); }),
                   "TEST.ts.xz: 1 channels and the classes a b, expected 12 channels and the speakers 1 2 3"));
  const Error error = expect_error(ErrorKind::kBadInput, [&] {
    load_task("japanese_vowels", "train", {.data_dir = folder_.path(), .max_memory = 1000});
  });
  EXPECT_TRUE(says(error, "TRAIN.ts.xz: its cases have"));
}

TEST(JapaneseVowelsData, CountsAreThePublishedOnes) {
  const std::string file = kPrefix + "TRAIN.ts.xz";
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  std::map<std::string, std::size_t> counts;
  for (const std::string split : {"train", "validation", "test"}) {
    const Dataset data = load_task("japanese_vowels", split, {.data_dir = *folder});
    expect_well_formed(data);
    counts[split] = data.examples.size();
    for (const Example& example : data.examples) {
      EXPECT_GE(example.input.steps, 7u);
      EXPECT_LE(example.input.steps, 29u);
    }
  }
  EXPECT_EQ(counts["train"], 216u);
  EXPECT_EQ(counts["validation"], 54u);
  EXPECT_EQ(counts["test"], 370u);
}

}  // namespace
}  // namespace quaver
