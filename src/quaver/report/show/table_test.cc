#include "quaver/report/show/table.h"

#include <gtest/gtest.h>

#include <limits>

#include "quaver/report/show/progress.h"

namespace quaver {
namespace {

TEST(Table, AlignsNamesLeftAndNumbersRight) {
  Table table({{"name", Align::kLeft}, {"us/step"}, {"note", Align::kLeft}});
  table.add_row({"lstm", "1.5", "fast"});
  table.add_row({"a longer name", "12.25", ""});
  EXPECT_EQ(table.text(),
            "name           us/step  note\n"
            "lstm               1.5  fast\n"
            "a longer name    12.25\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"a", Align::kLeft}, {"b"}});
  table.add_row({"\xc3\xa9t\xc3\xa9", "1"});
  EXPECT_EQ(table.text(), "a    b\n\xc3\xa9t\xc3\xa9  1\n");
}

TEST(Table, WritesNumbersForPeople) {
  EXPECT_EQ(fixed_text(3.14159, 2), "3.14");
  EXPECT_EQ(fixed_text(std::numeric_limits<double>::infinity(), 2), "-");
  EXPECT_EQ(significant_text(0.00031415, 3), "0.000314");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(120000), "117.2 KiB");
  EXPECT_EQ(seconds_text(0.84), "0.8 s");
  EXPECT_EQ(seconds_text(185), "3 min 05 s");
  EXPECT_EQ(seconds_text(7380), "2 h 03 min");
}

TEST(Progress, TellsRateAndTimeLeft) {
  EXPECT_EQ((ProgressLine{.label = "calibrating", .unit = "sequences", .done = 64, .total = 256, .seconds = 2}.text()),
            "calibrating 64/256 sequences  32/s  6.0 s left");
  EXPECT_EQ((ProgressLine{.label = "training",
                          .unit = "batches",
                          .note = "loss 0.5",
                          .done = 12,
                          .total = 24,
                          .seconds = 3,
                          .bar = true}
                 .text()),
            "training [############............] 12/24 batches  4/s  3.0 s left  loss 0.5");
  EXPECT_EQ((ProgressLine{.label = "reading", .unit = "files", .done = 3}.text()), "reading 3 files");
}

TEST(Progress, WorkOfAnEarlierRunIsNoPartOfTheRate) {
  EXPECT_EQ(
      (ProgressLine{.label = "training", .unit = "batches", .done = 60, .done_before = 50, .total = 100, .seconds = 10}
           .text()),
      "training 60/100 batches  1/s  40 s left");
}

}  // namespace
}  // namespace quaver
