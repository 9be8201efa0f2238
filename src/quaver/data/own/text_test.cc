#include "quaver/data/own/text.h"

#include <gtest/gtest.h>

#include "quaver/data/own/tokens.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

std::vector<std::string> tokens_of(std::string_view text, TokenUnit unit) {
  std::vector<std::string> tokens;
  for_each_token(text, unit, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

TEST(Tokens, UnitsPartTextDifferently) {
  using Expected = std::vector<std::string>;
  EXPECT_EQ(tokens_of("Don't go, <unk> 3\xc3\xbc!", TokenUnit::kWord),
            (Expected{"don't", "go", ",", "<", "unk", ">", "3\xc3\xbc", "!"}));
  EXPECT_EQ(tokens_of("Don't go, <unk>\nA ", TokenUnit::kBlankSeparated),
            (Expected{"Don't", "go,", "<unk>", "\n", "A"}));
  EXPECT_EQ(tokens_of("\xc3\xbc A", TokenUnit::kCharacter), (Expected{"\xc3\xbc", " ", "A"}));
}

TEST(Tokens, TheMostFrequentHaveTheFirstIds) {
  TokenCounts counts;
  count_tokens("b a c b a d b", TokenUnit::kWord, counts);
  EXPECT_EQ(frequent_tokens(counts, 100), (std::vector<std::string>{"", "b", "a", "c", "d"}));
  EXPECT_EQ(frequent_tokens(counts, 3), (std::vector<std::string>{"", "b", "a"}));
  const Tokenizer tokenizer({.unit = TokenUnit::kWord, .tokens = frequent_tokens(counts, 3)});
  EXPECT_EQ(tokenizer.ids("A b, c"), (std::vector<std::int32_t>{2, 1, 0, 0}));
}

class OwnText : public testing::Test {
 protected:
  OwnData open(const std::string& text, const OwnDataOptions& options = {},
               const std::optional<Pipeline>& trained = std::nullopt) {
    write_file(folder_.path() / "a.tsv", text);
    return OwnData::open({.kind = "text", .path = folder_.path() / "a.tsv"}, options, trained);
  }
  Error error_of(const std::string& text, const OwnDataOptions& options = {}) {
    return expect_error(ErrorKind::kBadInput, [&] { open(text, options); });
  }
  static std::string lines(std::size_t count, const std::string& end = "\n") {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += (i % 2 == 0 ? "what a good film number " : "a bad film ") + std::to_string(i) + "\t" +
              (i % 2 == 0 ? "good" : "bad") + end;
    return text;
  }
  TemporaryFolder folder_;
};

TEST_F(OwnText, LinesAreSplitBySeed) {
  const OwnData data = open(lines(40));
  EXPECT_EQ(notes_of(data), "split by seed 1: 80 % train, 10 % validation, 10 % test\n");
  EXPECT_EQ(data.pipeline().classes, (std::vector<std::string>{"bad", "good"}));
  EXPECT_EQ(data.pipeline().tokens->tokens[2], "film");
  EXPECT_EQ(data.size("train"), 32u);
  for (const char* split : {"train", "validation", "test"}) expect_consistent(data.load(split));
  EXPECT_EQ(read_text(data.pipeline(), "A film nobody knows").ids.size(), 4u);
  EXPECT_EQ(pipeline_from_map(to_map(data.pipeline())), data.pipeline());
  EXPECT_EQ(open(lines(40, "\r\n")).load("train").examples, data.load("train").examples);
}

TEST_F(OwnText, AColumnOfPartsIsKept) {
  const OwnData data = open(lines(20, "\ttrain\n") + lines(6, "\ttest\n"));
  EXPECT_EQ(notes_of(data), "split by column\nvalidation is 10 % of train, drawn by seed 1\n");
  EXPECT_EQ(data.size("train"), 18u);
  EXPECT_EQ(data.size("test"), 6u);
}

TEST_F(OwnText, APipelineThatWasTrainedDecides) {
  const Pipeline trained = open(lines(40)).pipeline();
  EXPECT_EQ(open(lines(3, "\ttest\n"), {}, trained).pipeline(), trained);
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { open("a film\tdull\ttest\n", {}, trained); }),
                   "a.tsv:1: class 'dull', expected one of bad, good"));
}

TEST_F(OwnText, WhatIsWrongIsNamedWithItsLine) {
  const std::pair<std::string, std::string> cases[] = {
      {"a film\n", "a.tsv:41: this line has no tab, expected text, a tab and a label: 'a film'"},
      {"a\tb\tc\td\n", "a.tsv:41: this line has 3 tabs"},
      {" \tgood\n", "a.tsv:41: there is no text before the tab"},
      {"a film\t\n", "a.tsv:41: there is no label behind the tab"},
      {"a film\tgood\ttrial\n", "a.tsv:41: part 'trial', expected train, validation or test"},
      {"a film\tgood\ttrain\n", "a.tsv:41: this line has 3 fields, line 1 has 2, expected as many"},
      {"a film\xff\tgood\n", "a.tsv:41: the byte 255 at place 7"},
      {"\na film\tgood\n", "a.tsv:41: this line is empty"},
      {"a film\tfair\n", "class 'fair': 1 of the texts, expected at least 3"}};
  for (const auto& [line, message] : cases) EXPECT_TRUE(says(error_of(lines(40) + line), message));
  EXPECT_TRUE(says(error_of(""), "a.tsv: the file is empty"));
  EXPECT_TRUE(says(error_of("\n"), "there is no text in the file"));
  EXPECT_TRUE(says(error_of("a\tb\ttest\n"), "no line is of part 'train'"));
  EXPECT_TRUE(says(error_of(lines(40), {.max_memory = 1000}), "the texts up to here have"));
}

TEST_F(OwnText, BrokenLinesAreLeftOutAndCounted) {
  const OwnData data = open(lines(40) + "a film\n", {.skip_broken = true});
  EXPECT_NE(notes_of(data).find("left out: 1 of 41 lines cannot be read, the first: "), std::string::npos);
  EXPECT_EQ(data.size("train"), 32u);
}

}  // namespace
}  // namespace quaver
