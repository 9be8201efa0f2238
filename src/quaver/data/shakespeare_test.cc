#include <gtest/gtest.h>

#include <map>
#include <string>

#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "text/tinyshakespeare.txt.xz";

class Shakespeare : public testing::Test {
 protected:
  Dataset load(const std::string& split, std::size_t limit = 0) {
    return load_task("shakespeare", split, {.data_dir = folder_.path(), .limit = limit});
  }
  TemporaryFolder folder_;
};

// What a split reads, and the character behind it.
std::string text_of(const Dataset& data) {
  std::string text;
  for (const Example& example : data.examples)
    for (const std::int32_t id : example.input.ids) text += data.classes[static_cast<std::size_t>(id)];
  return text + data.classes[static_cast<std::size_t>(data.examples.back().labels.back())];
}

TEST_F(Shakespeare, EachCharacterIsToldFromThoseBefore) {
  std::string text;
  while (text.size() < 4000) text += "BRUTUS:\nAy, gentle Cassius; 3 & 4? No.\n";
  for (std::size_t at = 0; (at = text.find('4', at)) != std::string::npos;) text[at] = '3';
  text.resize(4000);
  text.back() = '\n';
  write_xz(folder_.path() / kFile, text);
  const Dataset train = load("train"), validation = load("validation"), test = load("test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  EXPECT_EQ(text_of(train), text.substr(0, 3600));
  EXPECT_EQ(text_of(validation), text.substr(3600, 200));
  EXPECT_EQ(text_of(test), text.substr(3800));
  const Example& first = train.examples[0];
  ASSERT_EQ(first.input.steps, 128u);
  for (std::size_t step = 0; step + 1 < 128; ++step) EXPECT_EQ(first.labels[step], first.input.ids[step + 1]);
  EXPECT_EQ(load("train", 2).examples[1], train.examples[14]);
}

TEST_F(Shakespeare, OtherCharactersAreNamed) {
  write_xz(folder_.path() / kFile, "To be\nor #\n");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { load("train"); }), "xz:2: the character '#' is none of"));
}

TEST(ShakespeareData, CountsAreThePublishedOnes) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  std::size_t characters = 0;
  for (const std::string split : {"train", "validation", "test"}) {
    const Dataset data = load_task("shakespeare", split, {.data_dir = *folder});
    expect_well_formed(data);
    characters += data.step_count() + 1;  // the last one is a label alone
  }
  EXPECT_EQ(characters, 1115394u);
}

}  // namespace
}  // namespace quaver
