#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kJsb = "polyphonic_music/JSB_Chorales.txt.xz", kNottingham = "polyphonic_music/Nottingham.txt.xz";

class Polyphonic : public testing::Test {
 protected:
  void write(const std::string& text) { write_xz(folder_.path() / kJsb, text); }
  Dataset load(const std::string& split) { return load_task("jsb", split, {.data_dir = folder_.path()}); }

  TemporaryFolder folder_;
};

std::vector<std::size_t> places_of(const auto& row_major, std::size_t row) {
  std::vector<std::size_t> places;
  for (std::size_t key = 0; key < 88; ++key)
    if (row_major[row * 88 + key] != 0) places.push_back(key);
  return places;
}

TEST_F(Polyphonic, EveryFrameIsToldFromTheOneBefore) {
  write("# comment\ntrain\t0,87;-;12\ntrain\t3\nvalid\t1;1\ntest\t2\n");
  const Dataset train = load("train"), validation = load("validation"), test = load("test");
  for (const Dataset* data : {&train, &validation, &test}) expect_well_formed(*data);
  ASSERT_EQ(train.examples.size(), 2u);
  EXPECT_EQ(validation.examples.size(), 1u);
  EXPECT_EQ(test.examples.size(), 1u);
  using Places = std::vector<std::size_t>;
  const Example& first = train.examples[0];
  ASSERT_EQ(first.input.steps, 3u);
  EXPECT_EQ(places_of(first.labels, 0), (Places{0, 87}));
  EXPECT_EQ(places_of(first.labels, 1), Places{});
  EXPECT_EQ(places_of(first.labels, 2), Places{12});
  EXPECT_EQ(places_of(first.input.values, 0), Places{});
  EXPECT_EQ(places_of(first.input.values, 1), (Places{0, 87}));
  EXPECT_EQ(places_of(first.input.values, 2), Places{});
  EXPECT_EQ(places_of(train.examples[1].input.values, 0), Places{});
}

TEST_F(Polyphonic, KeysHaveTheirNames) {
  const std::vector<std::string>& names = task_info("jsb").classes;
  ASSERT_EQ(names.size(), 88u);
  EXPECT_EQ(names[0], "A0");
  EXPECT_EQ(names[2], "B0");
  EXPECT_EQ(names[3], "C1");
  EXPECT_EQ(names[48], "A4");  // MIDI 69
  EXPECT_EQ(names[87], "C8");
}

TEST_F(Polyphonic, WrongLinesAreNamed) {
  const auto error_of = [&](const std::string& text) {
    write(text);
    return expect_error(ErrorKind::kBadInput, [&] { load("train"); });
  };
  EXPECT_TRUE(
      says(error_of("train\t1;2\ntrial\t1\n"), "txt.xz:2: the line begins with 'trial', expected train, valid"));
  EXPECT_TRUE(says(error_of("train\n"), "txt.xz:1: the line begins with 'train', expected train, valid or test and a"));
  for (const std::string key : {"88", "", "-1", "1.5", "x"})
    EXPECT_TRUE(says(error_of("train\t1;2," + key + "\n"), "txt.xz:1: frame 2 has the key '" + key + "', expected 0"));
  write("train\t1;2;3\n");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput,
                                [&] { load_task("jsb", "train", {.data_dir = folder_.path(), .max_memory = 99}); }),
                   "txt.xz:1: the pieces up to here have"));
}

void expect_counts(const std::string& task, const std::string& file,
                   const std::map<std::string, std::pair<std::size_t, std::size_t>>& pieces_and_frames) {
  const auto folder = real_data(file);
  if (!folder) GTEST_SKIP() << skip_text(file);
  for (const auto& [split, expected] : pieces_and_frames) {
    const Dataset data = load_task(task, split, {.data_dir = *folder});
    expect_well_formed(data);
    EXPECT_EQ(data.examples.size(), expected.first) << split;
    EXPECT_EQ(data.step_count(), expected.second) << split;
  }
}

TEST(PolyphonicData, JsbHasThePublishedCounts) {
  expect_counts("jsb", kJsb, {{"train", {229, 13807}}, {"validation", {76, 4602}}, {"test", {77, 4725}}});
}

TEST(PolyphonicData, NottinghamHasThePublishedCounts) {
  expect_counts("nottingham", kNottingham,
                {{"train", {694, 176561}}, {"validation", {173, 45513}}, {"test", {170, 44463}}});
}

}  // namespace
}  // namespace quaver
