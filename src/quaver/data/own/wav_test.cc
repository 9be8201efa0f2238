#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <set>

#include "quaver/data/archive.h"
#include "quaver/data/own/own_data.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const char* const kSplits[] = {"train", "validation", "test"};

class OwnWav : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& bytes) { write_file(folder_.path() / path, bytes); }
  // Twenty recordings of two classes by five speakers.
  void write_classes() {
    for (const std::string name : {"high", "low"})
      for (int i = 0; i < 10; ++i)
        write(name + "/speaker" + std::to_string(i % 5) + "_" + std::to_string(i) + ".wav",
              wav(tone(2000, name == "low" ? 300 : 1500)));
  }
  void write_part(const std::string& part, int each) {
    for (const std::string name : {"high", "low"})
      for (int i = 0; i < each; ++i)
        write(part + "/" + name + "/" + part + std::to_string(i) + ".wav", wav(tone(2000, 300)));
  }
  OwnData open(const OwnDataOptions& options = {}) const {
    return OwnData::open({.kind = "wav", .path = folder_.path()}, options);
  }
  Error error_of(const OwnDataOptions& options = {}, ErrorKind kind = ErrorKind::kBadInput) const {
    return expect_error(kind, [&] { open(options); });
  }
  std::string path(const std::string& below) const { return (folder_.path() / below).string(); }

  TemporaryFolder folder_;
};

TEST_F(OwnWav, AFolderAClassIsSplitBySeed) {
  write_classes();
  const OwnData data = open();
  EXPECT_EQ(data.pipeline().classes, (std::vector<std::string>{"high", "low"}));
  EXPECT_EQ(data.pipeline().sound, LogMelOptions{});
  EXPECT_EQ(notes_of(data), "split by seed 1: 80 % train, 10 % validation, 10 % test\n");
  std::set<std::string> names;
  const std::map<std::string, std::size_t> sizes{{"train", 16}, {"validation", 2}, {"test", 2}};
  for (const auto& [split, size] : sizes) {
    const Dataset set = data.load(split);
    expect_consistent(set);
    EXPECT_EQ(set.examples.size(), size);
    for (const Example& example : set.examples) {
      EXPECT_TRUE(names.insert(example.name).second) << example.name;
      EXPECT_EQ(example.labels[0], example.name.starts_with("high/") ? 0 : 1);
    }
  }
  EXPECT_EQ(open().load("test").examples, data.load("test").examples);
}

TEST_F(OwnWav, FeaturesAreThoseOfDigits) {
  write_classes();
  std::vector<float> samples;
  for (const std::int16_t code : tone(2000, 300)) samples.push_back(static_cast<float>(code) / 32768.0f);
  Pipeline pipeline = open().pipeline();
  EXPECT_TRUE(pipeline.same_level);
  const Sequence levelled = read_recording(pipeline, path("low/speaker0_0.wav"));
  pipeline.same_level = false;
  Sequence frames = log_mel(samples);
  EXPECT_EQ(read_recording(pipeline, path("low/speaker0_0.wav")), frames);
  without_level(frames.values);
  EXPECT_EQ(levelled, frames);
  double sum = 0;
  for (const float value : frames.values) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(frames.values.size()), 0, 1e-6);
}

TEST_F(OwnWav, GroupsAreNeverInTwoSplits) {
  write_classes();
  const OwnData data = open({.seed = 3, .group = "(speaker[0-9])_"});
  std::map<std::string, std::set<std::string>> splits;
  for (const char* split : kSplits)
    for (const Example& example : data.load(split).examples)
      splits[example.name.substr(example.name.find('/') + 1, 8)].insert(split);
  ASSERT_EQ(splits.size(), 5u);
  for (const auto& [group, in] : splits) EXPECT_EQ(in.size(), 1u) << group;
  EXPECT_TRUE(says(error_of({.group = "ann"}), "the group 'ann' matches nothing in 'high/speaker0_0.wav'"));
  EXPECT_TRUE(says(error_of({.group = "("}, ErrorKind::kUsage), "is no regular expression"));
}

TEST_F(OwnWav, AModelFindsInTestWhatItHasNotLearned) {
  write_classes();
  const OwnData first = open({.seed = 3, .group = "(speaker[0-9])_"});
  const OwnData again = OwnData::open({.kind = "wav", .path = folder_.path()}, {}, first.pipeline());
  EXPECT_EQ(again.load("test").examples, first.load("test").examples);
}

TEST_F(OwnWav, FoldersOfSplitsAreKept) {
  write_part("train", 5);
  write_part("validation", 2);
  write_part("test", 3);
  const OwnData data = open();
  EXPECT_EQ(notes_of(data), "split by folder\n");
  EXPECT_EQ(data.size("train"), 10u);
  EXPECT_EQ(data.size("validation"), 4u);
  EXPECT_EQ(data.size("test"), 6u);
  EXPECT_TRUE(says(error_of({.group = "[0-9]+.wav"}), "group '0.wav' is in two splits, with "));
}

TEST_F(OwnWav, ValidationIsDrawnFromTrainWhereItHasNoFolder) {
  write_part("train", 10);
  write_part("test", 3);
  const OwnData data = open();
  EXPECT_EQ(notes_of(data), "split by folder\nvalidation is 10 % of train, drawn by seed 1\n");
  EXPECT_EQ(data.size("train"), 18u);
  EXPECT_EQ(data.size("validation"), 2u);
}

TEST_F(OwnWav, ASplitWithoutDataIsAnError) {
  write_part("train", 10);
  const OwnData data = open();
  EXPECT_TRUE(
      says(expect_error(ErrorKind::kBadInput, [&] { data.load("test"); }), "there are no examples of split 'test'"));
}

TEST_F(OwnWav, OtherFormsAreConvertedAndCounted) {
  write_classes();
  write("low/a.wav", wav(tone(8000, 300, 44100), {.rate = 44100}));
  write("low/b.WAV", wav(tone(4000, 300), {.channels = 2}));
  write("low/c.wav", wav(tone(2000, 300), {.bits = 8}));
  write("low/notes.txt", "no sound");
  const OwnData data = open();
  EXPECT_EQ(data.pipeline().sound, LogMelOptions{});
  const std::string notes = notes_of(data);
  EXPECT_NE(notes.find("resampled from 44100 to 8000 Hz: 1 of 23 recordings"), std::string::npos) << notes;
  EXPECT_NE(notes.find("mixed down to one channel: 1 of 23 recordings"), std::string::npos) << notes;
  EXPECT_NE(notes.find("not read: 1 files that are no .wav, the first: low/notes.txt"), std::string::npos) << notes;
  for (const char* split : kSplits) expect_consistent(data.load(split));
}

TEST_F(OwnWav, TheRateIsThatOfTrain) {
  write_classes();
  const OwnData drawn = open();
  for (const char* split : {"validation", "test"})
    for (const Example& example : drawn.load(split).examples)
      write(example.name, wav(tone(8000, 300, 16000), {.rate = 16000}));
  EXPECT_EQ(open().pipeline(), drawn.pipeline());
  // More recordings are judged than there are to learn from.
  for (const std::string part : {"train", "test"})
    for (const std::string name : {"high", "low"})
      for (int i = 0; i < (part == "train" ? 5 : 9); ++i)
        write("parts/" + part + "/" + name + "/" + std::to_string(i) + ".wav",
              part == "train" ? wav(tone(2000, 300)) : wav(tone(8000, 300, 16000), {.rate = 16000}));
  EXPECT_EQ(OwnData::open({.kind = "wav", .path = folder_.path() / "parts"}).pipeline().sound, sound_options(8000));
}

TEST_F(OwnWav, TheRateCanBeChosen) {
  write_classes();
  const OwnData data = open({.sample_rate = 16000});
  EXPECT_EQ(data.pipeline().sound, sound_options(16000));
  EXPECT_EQ(data.pipeline().sound->window, 400u);
  expect_consistent(data.load("test"));
  EXPECT_TRUE(says(error_of({.sample_rate = 10}, ErrorKind::kUsage), "sample rate 10 Hz, expected 1000 to 192000"));
}

TEST_F(OwnWav, EveryRateHasFeatures) {
  for (const int rate : {1000, 4000, 8000, 11025, 16000, 22050, 44100, 192000}) {
    const LogMelOptions options = sound_options(rate);
    const std::vector<float> samples(options.window, 0.5f);
    EXPECT_EQ(log_mel(samples, options).steps, 1u) << rate;
  }
}

TEST_F(OwnWav, BrokenRecordingsAreNamedOrLeftOut) {
  const std::map<std::string, std::pair<std::string, std::string>> cases{
      {"empty.wav", {"", "not a readable wav file"}},
      {"text.wav", {"no sound at all", "not a readable wav file"}},
      {"cut.wav", {wav(tone(2000, 300)).substr(0, 1000), "is it cut off?"}},
      {"short.wav", {wav(tone(100, 300)), "100 samples at 8000 Hz, expected at least one frame of 25 ms"}}};
  write_classes();
  for (const auto& [name, content] : cases) {
    write("low/" + name, content.first);
    const Error error = error_of();
    EXPECT_TRUE(says(error, path("low/" + name)));
    EXPECT_TRUE(says(error, content.second));
    std::filesystem::remove(path("low/" + name));
  }
  for (const auto& [name, content] : cases) write("low/" + name, content.first);
  const OwnData data = open({.skip_broken = true});
  EXPECT_NE(notes_of(data).find("left out: 4 of 24 recordings cannot be read, the first: "), std::string::npos)
      << notes_of(data);
  EXPECT_EQ(data.size("train") + data.size("validation") + data.size("test"), 20u);
}

TEST_F(OwnWav, AFolderOfBrokenRecordingsIsAnError) {
  write("low/a.wav", "nothing");
  EXPECT_TRUE(says(error_of({.skip_broken = true}), "1 of 1 recordings cannot be read"));
}

TEST_F(OwnWav, FoldersOfAnotherFormAreNamed) {
  EXPECT_TRUE(says(error_of(), "there is no .wav file in it; expected CLASS/*.wav"));
  write("a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "a.wav: this recording has no class; expected it in a folder"));
  std::filesystem::remove(path("a.wav"));
  write_part("train", 5);
  write("other/high/a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "lies beside the folders of the splits"));
  std::filesystem::remove_all(folder_.path());
  EXPECT_TRUE(says(error_of(), "there is no such folder"));
}

TEST_F(OwnWav, ClassesWithTooFewRecordingsAreNamed) {
  write_classes();
  write("rare/a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "class 'rare': 1 of the recordings, expected at least 3"));
  std::filesystem::remove_all(path("rare"));
  std::filesystem::remove_all(path("low"));
  EXPECT_TRUE(says(error_of(), "all recordings are of class 'high', expected two classes at least"));
}

TEST_F(OwnWav, AClassThatTrainLacksIsNamed) {
  write_part("train", 5);
  write("test/middle/a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "a.wav: class 'middle', expected one of high, low"));
}

TEST_F(OwnWav, NamesGoIntoFiles) {
  write_classes();
  write("lo\nw/a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "has control characters: rename it"));
  std::filesystem::remove_all(path("lo\nw"));
  write("\xff/a.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of(), "no UTF-8"));
}

TEST_F(OwnWav, APipelineThatWasTrainedDecides) {
  write_classes();
  const Pipeline trained = pipeline_from_map(to_map(open({.sample_rate = 16000}).pipeline()));
  std::filesystem::remove_all(path("high"));
  const OwnData data = OwnData::open({.kind = "wav", .path = folder_.path()}, {}, trained);
  EXPECT_EQ(data.pipeline(), trained);
  EXPECT_EQ(data.load("test").examples.at(0).labels.at(0), 1);
  write("other/a.wav", wav(tone(2000, 300)));
  const auto open_trained = [&] { OwnData::open({.kind = "wav", .path = folder_.path()}, {}, trained); };
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, open_trained), "class 'other', expected one of high, low"));
}

TEST_F(OwnWav, ALimitSpreadsAndMemoryIsBounded) {
  write_classes();
  std::vector<std::uint64_t> told;
  const OwnData data = open({.limit = 3, .progress = [&told](std::uint64_t done, std::uint64_t total) {
                               EXPECT_LE(done, total);
                               told.push_back(total);
                             }});
  EXPECT_EQ(told, std::vector<std::uint64_t>(20, 20));
  EXPECT_EQ(data.size("train"), 3u);
  EXPECT_EQ(data.load("train").examples[1], data.read("train", 1));
  const OwnData small = open({.max_memory = 9000});
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { small.load("train"); }), "3 of the 16 examples"));
  EXPECT_TRUE(says(error_of({.max_memory = 5000}), "its samples have 8000 bytes"));
}

TEST_F(OwnWav, OtherRecordingsThanThoseOfTheModelAreWarnedOf) {
  write_classes();
  const Pipeline trained = open().pipeline();
  EXPECT_EQ(trained.drawn_from, 20u);
  const auto warnings = [&](const std::optional<Pipeline>& pipeline) {
    return OwnData::open({.kind = "wav", .path = folder_.path()}, {}, pipeline).warnings();
  };
  EXPECT_TRUE(warnings(std::nullopt).empty());
  EXPECT_TRUE(warnings(trained).empty());
  std::filesystem::rename(path("low/speaker0_0.wav"), path("low/speaker9_0.wav"));
  ASSERT_EQ(warnings(trained).size(), 1u);
  EXPECT_NE(warnings(trained)[0].find("20 recordings, not the same ones"), std::string::npos) << warnings(trained)[0];
  write("low/one_more.wav", wav(tone(2000, 300)));
  EXPECT_NE(warnings(trained)[0].find("21 recordings, there were 20; the split is drawn anew, so that 'test' may hold"),
            std::string::npos)
      << warnings(trained)[0];
  Pipeline older = trained;
  older.drawn_from = older.drawn_hash = 0;
  EXPECT_TRUE(warnings(older).empty());
}

TEST_F(OwnWav, FoldersOfPartsAreNotDrawn) {
  for (const char* part : kSplits) write_part(part, 3);
  const Pipeline trained = open().pipeline();
  EXPECT_EQ(trained.drawn_from, 0u);
  write("train/low/more.wav", wav(tone(2000, 300)));
  EXPECT_TRUE(OwnData::open({.kind = "wav", .path = folder_.path()}, {}, trained).warnings().empty());
}

TEST_F(OwnWav, LinksToFoldersAreNotFollowed) {
  write_classes();
  std::filesystem::create_directory_symlink(folder_.path(), folder_.path() / "low" / "circle");
  std::filesystem::create_directory_symlink(folder_.path() / "high", folder_.path() / "more");
  std::filesystem::create_symlink(folder_.path() / "low" / "speaker0_0.wav", folder_.path() / "high" / "linked.wav");
  const OwnData data = open();
  EXPECT_EQ(notes_of(data),
            "not followed: 2 links to folders, the first: low/circle\n"
            "split by seed 1: 80 % train, 10 % validation, 10 % test\n");
  EXPECT_EQ(data.size("train") + data.size("validation") + data.size("test"), 21u);
}

TEST_F(OwnWav, WhatIsNoFileIsBroken) {
  write_classes();
  std::filesystem::create_symlink("nowhere.wav", folder_.path() / "low" / "dangling.wav");
  EXPECT_TRUE(says(error_of(), "dangling.wav"));
  ASSERT_EQ(::mkfifo((folder_.path() / "low" / "pipe.wav").c_str(), 0600), 0);
  EXPECT_NE(notes_of(open({.skip_broken = true})).find("left out: 2 of 22 recordings"), std::string::npos);
}

TEST_F(OwnWav, ASampleThatIsNoNumberIsBroken) {
  write_classes();
  // 32-bit floats, the last of which is none.
  std::string samples;
  for (int i = 0; i < 2000; ++i) samples += std::string(4, '\0');
  samples.replace(samples.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));
  const auto number = [](std::uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> 8 * i & 0xff));
    return text;
  };
  write("low/none.wav", "RIFF" + number(36 + 8000, 4) + "WAVEfmt " + number(16, 4) + number(3, 2) + number(1, 2) +
                            number(8000, 4) + number(32000, 4) + number(4, 2) + number(32, 2) + "data" +
                            number(8000, 4) + samples);
  EXPECT_TRUE(says(error_of(), "none.wav: sample 1999 is nan"));
  EXPECT_NE(notes_of(open({.skip_broken = true})).find("left out: 1 of 21 recordings"), std::string::npos);
}

// A pattern that would go back for ever ends, and others find what they found.
TEST_F(OwnWav, GroupsAreFoundInTheTimeOfTheirLength) {
  write_classes();
  const std::string long_name = "low/" + std::string(200, 'a') + ".wav";
  write(long_name, wav(tone(2000, 300)));
  EXPECT_TRUE(says(error_of({.group = "(a+)+_s"}), "matches nothing"));
  EXPECT_TRUE(says(error_of({.group = std::string(257, 'a')}, ErrorKind::kUsage), "257 bytes, expected at most 256"));
  std::filesystem::remove(folder_.path() / long_name);
  for (const char* group :
       {"speaker[0-9]", "^[^/]*/([a-z]+[0-9])_", "r(\\d)_", "(speaker0|speaker[1-4])", "/(.*)_", "/(.*?)_", "e(.+?)_"})
    EXPECT_NE(notes_of(open({.group = group})).find("whole groups"), std::string::npos) << group;
}

// The published recordings as a user would keep them: a folder for each digit, speakers apart.
TEST(OwnWavData, SpokenDigitsAsAFolder) {
  const std::string file = "fsdd/fsdd_recordings.tar.xz";
  const auto real = real_data(file);
  if (!real) GTEST_SKIP() << skip_text(file);
  const TemporaryFolder folder;
  read_archive(*real / file, {.largest_file = 1 << 24,
                              .wants = [](const std::string& name) { return name.ends_with(".wav"); },
                              .take =
                                  [&](const std::string& name, const std::string& bytes) {
                                    const std::string stem = std::filesystem::path(name).filename().string();
                                    write_file(folder.path() / stem.substr(0, 1) / stem, bytes);
                                  }});
  const OwnData data = OwnData::open({.kind = "wav", .path = folder.path()}, {.group = "_([a-z]+)_"});
  EXPECT_EQ(data.pipeline().classes.size(), 10u);
  EXPECT_EQ(data.pipeline().sound, LogMelOptions{});
  EXPECT_EQ(data.size("train"), 2000u);
  EXPECT_EQ(data.size("validation"), 500u);
  const Dataset test = data.load("test");
  EXPECT_EQ(test.examples.size(), 500u);
  expect_consistent(test);
}

}  // namespace
}  // namespace quaver
