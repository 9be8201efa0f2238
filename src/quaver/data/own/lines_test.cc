#include "quaver/data/own/lines.h"

#include <gtest/gtest.h>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

std::vector<std::string> all_lines(LineReader lines) {
  std::vector<std::string> all;
  while (const auto line = lines.next()) all.emplace_back(*line);
  return all;
}

Error error_of(const std::string& bytes) {
  return expect_error(ErrorKind::kBadInput, [&] { all_lines(LineReader("text", bytes)); });
}

TEST(Lines, EndsAndMarksAreNoPartOfALine) {
  using Expected = std::vector<std::string>;
  EXPECT_EQ(all_lines(LineReader("text", "a\nb\n")), (Expected{"a", "b"}));
  EXPECT_EQ(all_lines(LineReader("text", "a\r\n\r\nb")), (Expected{"a", "", "b"}));
  EXPECT_EQ(all_lines(LineReader("text",
                                 "\xef\xbb\xbf"
                                 "a\tb\n")),
            (Expected{"a\tb"}));
  EXPECT_EQ(all_lines(LineReader("text", "\n")), (Expected{""}));
}

TEST(Lines, LinesMayBeLongerThanABlock) {
  std::string text;
  std::vector<std::string> expected;
  for (std::size_t length = 1; length < 2'000'000; length *= 3) {
    expected.emplace_back(length, 'x');
    text += expected.back() + '\n';
  }
  const TemporaryFolder folder;
  write_file(folder.path() / "a.txt", text);
  std::uint64_t told = 0;
  EXPECT_EQ(all_lines(LineReader(folder.path() / "a.txt",
                                 [&](std::uint64_t done, std::uint64_t total) {
                                   EXPECT_LE(done, total);
                                   EXPECT_GT(done, told);
                                   told = done;
                                 })),
            expected);
  EXPECT_GT(told, 0u);
}

TEST(Lines, WhatIsNoTextIsNamed) {
  EXPECT_TRUE(says(error_of("a\nb\xff\n"), "text:2: the byte 255 at place 2, expected text in UTF-8"));
  EXPECT_TRUE(says(error_of(std::string("a\0b", 3)), "text:1: the control character 0 at place 2"));
  EXPECT_TRUE(says(error_of("\xff\xfe"
                            "a"),
                   "text:1: the file is UTF-16, expected UTF-8"));
  EXPECT_TRUE(says(error_of(""), "text: the file is empty"));
  EXPECT_EQ(all_lines(LineReader("text", "gr\xc3\xbc\xc3\x9f")).size(), 1u);
}

TEST(Lines, BlankLinesAreNamedExceptAtTheEnd) {
  LineReader good("text", "a\n\n \n");
  EXPECT_EQ(good.next_filled(), "a");
  EXPECT_EQ(good.next_filled(), std::nullopt);
  LineReader bad("text", "a\n\nb\n");
  EXPECT_EQ(bad.next_filled(), "a");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { bad.next_filled(); }), "text:2: this line is empty"));
}

TEST(Lines, DamagedAndMissingFilesAreNamed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.xz";
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { LineReader{path}; }), "a.xz"));
  write_archive(path, {{"x", std::string(1000, 'x')}});
  const std::string bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { all_lines(LineReader(path)); }), "a.xz"));
  write_file(path, "");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { LineReader{path}; }), "the file is empty"));
}

TEST(Lines, NumbersAreFiniteAndWhole) {
  EXPECT_EQ(number_of("1.5e3"), 1500.0);
  EXPECT_EQ(number_of("+2"), 2.0);
  for (const char* other : {"", "x", "1x", " 1", "nan", "inf", "1e999", "1,5", "--1"})
    EXPECT_EQ(number_of(other), std::nullopt) << other;
}

}  // namespace
}  // namespace quaver
