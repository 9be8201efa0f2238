#include "quaver/core/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace quaver {
namespace {

TEST(Printable, ControlCharactersOfBothKindsAreReplaced) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\t\x7f"), "a?[2Jb???");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");  // CSI as one C1 character
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "?31m");  // and as a byte
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xb5"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xb5");
  EXPECT_EQ(printable(std::string(3, '\0')), "???");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, WhatIsNoUtf8IsReplacedByteByByte) {
  for (const std::string bad :
       {"\xff", "\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad.size();
    EXPECT_EQ(as_utf8("a" + bad + "b"), "a" + std::string(bad.size(), '?') + "b");
  }
  EXPECT_EQ(as_utf8("\x1b\n\xc3\xbc"), "\x1b\n\xc3\xbc");
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"));
}

TEST(Printable, LongTextsAreCutBetweenCharacters) {
  EXPECT_EQ(printable(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(printable(std::string(100000, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(printable("abc\xc3\xbc"
                      "def",
                      4),
            "abc...");
  EXPECT_EQ(printable("abc\xc3\xbc"
                      "def",
                      5),
            "abc\xc3\xbc...");
  EXPECT_EQ(printable(std::string(100, '\x80'), 10), "...");  // bytes that only continue: no character begins
  EXPECT_EQ(printable_ends(std::string(50, 'a') + std::string(50, 'z'), 50),
            std::string(50, 'a') + std::string(50, 'z'));
  EXPECT_EQ(printable_ends(std::string(500, 'a') + std::string(500, 'z'), 3), "aaa ... zzz");
  EXPECT_EQ(printable_ends("ab\xc3\xbc" + std::string(99, 'y') + "\xc3\xbcz", 3), "ab ... \xc3\xbcz");
  EXPECT_EQ(printable_ends("ab\xc3\xbc" + std::string(99, 'y') + "\xc3\xbcz", 2), "ab ... z");
}

TEST(Printable, LinesStay) { EXPECT_EQ(printable_lines("a\x1b\nb\r\n\xc2\x85"), "a?\nb?\n?"); }

}  // namespace
}  // namespace quaver
