#include <gtest/gtest.h>

#include "quaver/data/own/own_data.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

class OwnLm : public testing::Test {
 protected:
  OwnData open(const std::string& text, const OwnDataOptions& options = {},
               const std::optional<Pipeline>& trained = std::nullopt) {
    write_file(folder_.path() / "a.txt", text);
    return OwnData::open({.kind = "lm", .path = folder_.path() / "a.txt"}, options, trained);
  }
  static std::string text() {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "one two\n\n";
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(OwnLm, EachTokenIsFollowedByTheNext) {
  const OwnData data = open(text());
  EXPECT_EQ(data.pipeline().vocabulary, 8u);  // unknown, o, line's end, e, n, t, w, blank
  EXPECT_EQ(data.pipeline().classes, data.pipeline().tokens->tokens);
  EXPECT_EQ(notes_of(data), "split in order: 90 % train, 5 % validation, 5 % test of 900 tokens\n");
  std::string again;
  for (const char* split : {"train", "validation", "test"}) {
    const Dataset set = data.load(split);
    expect_consistent(set);
    for (const Example& example : set.examples) {
      for (std::size_t step = 0; step < example.input.steps; ++step) {
        again += data.pipeline().classes[static_cast<std::size_t>(example.input.ids[step])];
        if (step + 1 == example.input.steps) continue;
        EXPECT_EQ(example.labels[step], example.input.ids[step + 1]);
      }
    }
    again += data.pipeline().classes[static_cast<std::size_t>(set.examples.back().labels.back())];
  }
  EXPECT_EQ(again, text());
  EXPECT_EQ(data.read("train", 0).input.steps, 128u);
  EXPECT_EQ(pipeline_from_map(to_map(data.pipeline())), data.pipeline());
}

TEST_F(OwnLm, WordsAndSmallVocabularies) {
  const OwnData words = open(text(), {.window = 7, .tokens = TokenUnit::kBlankSeparated});
  EXPECT_EQ(words.pipeline().classes, (std::vector<std::string>{"", "\n", "one", "two"}));
  EXPECT_EQ(words.read("train", 0).input.steps, 7u);
  const OwnData few = open(text(), {.tokens = TokenUnit::kBlankSeparated, .vocabulary = 2});
  EXPECT_NE(notes_of(few).find("200 of 400 tokens are not in the vocabulary of 2"), std::string::npos) << notes_of(few);
  expect_consistent(few.load("train"));
}

TEST_F(OwnLm, APipelineThatWasTrainedDecides) {
  const Pipeline trained = open(text()).pipeline();
  const OwnData data = open(text() + "x", {}, trained);
  EXPECT_EQ(data.pipeline(), trained);
  EXPECT_NE(notes_of(data).find("1 of 902 tokens are not in the vocabulary"), std::string::npos) << notes_of(data);
}

TEST_F(OwnLm, WhatIsWrongIsNamedWithItsLine) {
  const auto error_of = [&](const std::string& content, const OwnDataOptions& options = {}) {
    return expect_error(ErrorKind::kBadInput, [&] { open(content, options); });
  };
  EXPECT_TRUE(says(error_of(""), "a.txt: the file is empty"));
  EXPECT_TRUE(says(error_of("short\n"), "a.txt: the text has too few tokens"));
  EXPECT_TRUE(says(error_of(text() + "\xff\n"), "a.txt:201: the byte 255 at place 1"));
  EXPECT_TRUE(says(error_of(text(), {.max_memory = 1000}), "a.txt:55: the tokens up to here have"));
}

TEST(OwnLmData, Shakespeare) {
  const std::string file = "text/tinyshakespeare.txt.xz";
  const auto real = real_data(file);
  if (!real) GTEST_SKIP() << skip_text(file);
  const OwnData data = OwnData::open({.kind = "lm", .path = *real / file});
  EXPECT_NE(notes_of(data).find("of 1115394 tokens"), std::string::npos) << notes_of(data);
  EXPECT_EQ(data.pipeline().vocabulary, 66u);
  expect_consistent(data.load("test"));
}

}  // namespace
}  // namespace quaver
