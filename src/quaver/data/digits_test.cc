#include <gtest/gtest.h>

#include <map>
#include <set>

#include "quaver/data/features.h"
#include "quaver/data/tasks.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

const std::string kFile = "fsdd/fsdd_recordings.tar.xz";

// Two speakers say two digits; their recordings have the indices 0, 4 (test), 5, 9 (validation), 10, 49 (training).
std::map<std::string, std::string> small_set() {
  std::map<std::string, std::string> files{{"recordings/README.txt", "not a recording"}};
  for (const int digit : {3, 7}) {
    for (const std::string speaker : {"ann", "bob_b"}) {
      for (const int index : {0, 4, 5, 9, 10, 49}) {
        files["recordings/" + std::to_string(digit) + "_" + speaker + "_" + std::to_string(index) + ".wav"] =
            wav(tone(1000, 200 + 100 * digit + 10 * index));
      }
    }
  }
  return files;
}

class Digits : public testing::Test {
 protected:
  Dataset load(const std::string& split, std::size_t limit = 0) {
    return load_task("digits", split, {.data_dir = folder_.path(), .limit = limit});
  }
  void write(const std::map<std::string, std::string>& files) { write_archive(folder_.path() / kFile, files); }
  Error load_error(const std::string& split) {
    return expect_error(ErrorKind::kBadInput, [&] { load(split); });
  }

  TemporaryFolder folder_;
};

TEST_F(Digits, SplitsByIndexInAFixedOrder) {
  write(small_set());
  const std::map<std::string, std::vector<std::string>> expected{
      {"test", {"3_ann_0", "3_ann_4", "3_bob_b_0", "3_bob_b_4", "7_ann_0", "7_ann_4", "7_bob_b_0", "7_bob_b_4"}},
      {"validation", {"3_ann_5", "3_ann_9", "3_bob_b_5", "3_bob_b_9", "7_ann_5", "7_ann_9", "7_bob_b_5", "7_bob_b_9"}},
      {"train",
       {"3_ann_10", "3_ann_49", "3_bob_b_10", "3_bob_b_49", "7_ann_10", "7_ann_49", "7_bob_b_10", "7_bob_b_49"}}};
  for (const auto& [split, names] : expected) {
    const Dataset data = load(split);
    expect_well_formed(data);
    ASSERT_EQ(data.examples.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(data.examples[i].name, "recordings/" + names[i] + ".wav");
      EXPECT_EQ(data.classes[static_cast<std::size_t>(data.examples[i].labels[0])], i < 4 ? "three" : "seven");
    }
  }
}

TEST_F(Digits, FramesAreTheFrontEndOfTheSamples) {
  const std::vector<std::int16_t> codes = tone(1000, 440);
  write({{"recordings/0_ann_0.wav", wav(codes)}});
  std::vector<float> samples;
  for (const std::int16_t code : codes) samples.push_back(static_cast<float>(code) / 32768.0f);
  EXPECT_EQ(load("test").examples.at(0).input, log_mel(samples));
}

TEST_F(Digits, LimitSpreadsOverTheSplit) {
  write(small_set());
  const Dataset data = load("test", 2);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].name, "recordings/3_ann_0.wav");
  EXPECT_EQ(data.examples[1].name, "recordings/7_ann_0.wav");
}

// A split decodes its own files only: one that cannot be decoded harms no other split.
TEST_F(Digits, OtherSplitsAreNotDecoded) {
  auto files = small_set();
  files["recordings/3_ann_10.wav"] = "no sound at all";
  write(files);
  EXPECT_EQ(load("test").examples.size(), 8u);
  EXPECT_TRUE(says(load_error("train"), "recordings/3_ann_10.wav: not a readable wav file"));
}

TEST_F(Digits, WrongSoundFormatIsNamed) {
  const struct {
    WavForm form;
    std::string found;
  } cases[] = {{{.rate = 16000}, "16000 Hz, 1 channel, 16-bit PCM"},
               {{.channels = 2}, "8000 Hz, 2 channels, 16-bit PCM"},
               {{.bits = 8}, "8000 Hz, 1 channel, 8-bit PCM"}};
  for (const auto& [form, found] : cases) {
    write({{"recordings/1_ann_2.wav", wav(tone(1000, 440), form)}});
    const Error error = load_error("test");
    EXPECT_TRUE(says(error, "recordings/1_ann_2.wav: " + found + "; expected 8000 Hz, 1 channel, 16-bit PCM"));
    EXPECT_TRUE(says(error, kFile));
  }
}

TEST_F(Digits, ShortRecordingIsNamed) {
  write({{"recordings/1_ann_2.wav", wav(tone(199, 440))}});
  EXPECT_TRUE(says(load_error("test"), "1_ann_2.wav: 199 samples, expected at least the 200 of one frame"));
}

TEST_F(Digits, ARecordingThatIsCutOffIsNamed) {
  const std::string whole = wav(tone(1000, 440));
  for (const std::size_t missing : {1u, 2u, 500u, 2000u}) {
    write({{"recordings/1_ann_2.wav", whole.substr(0, whole.size() - missing)}});
    EXPECT_TRUE(says(load_error("test"), "1_ann_2.wav: its data chunk claims 2000 bytes, but " +
                                             std::to_string(2000 - missing) + " follow; is it cut off?"));
  }
  // Chunks behind the data and before it are no part of the claim.
  std::string more = whole;
  more.insert(36, std::string("LIST\x03\0\0\0abc\0", 12));
  more += std::string("tail\x02\0\0\0ab", 10);
  write({{"recordings/1_ann_2.wav", more}});
  expect_well_formed(load("test"));
  more.resize(more.size() - 11);
  write({{"recordings/1_ann_2.wav", more}});
  EXPECT_TRUE(says(load_error("test"), "but 1999 follow"));
}

TEST_F(Digits, BrokenHeadersNeverCrash) {
  const std::string good = wav(tone(300, 440));
  for (std::size_t at = 0; at < 44; ++at) {
    for (const int value : {0x00, 0x7f, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      write({{"recordings/1_ann_2.wav", bad}});
      try {
        expect_well_formed(load("test"));  // some fields do not matter
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
        ASSERT_TRUE(says(error, "1_ann_2.wav"));
      }
    }
  }
}

TEST_F(Digits, FileNameOfAnotherFormIsNamed) {
  for (const std::string name : {"three_ann_1", "3_1", "3_ann_x", "3_ann_", "_ann_1", "x_ann_1", "3_ann_-1"}) {
    write({{"recordings/" + name + ".wav", wav(tone(1000, 440))}});
    EXPECT_TRUE(says(load_error("test"), "'recordings/" + name + ".wav' is not named {digit}_{speaker}_{index}.wav"));
  }
}

TEST_F(Digits, SplitWithoutFilesIsAnError) {
  write({{"recordings/1_ann_2.wav", wav(tone(1000, 440))}});
  EXPECT_TRUE(says(load_error("train"), "task 'digits': its data has no examples of split 'train'"));
}

TEST_F(Digits, DamagedArchiveIsNamed) {
  write(small_set());
  const std::string bytes = read_file(folder_.path() / kFile);
  write_file(folder_.path() / kFile, bytes.substr(0, bytes.size() / 2));
  const Error error = load_error("test");
  EXPECT_TRUE(says(error, kFile + ": not a readable .tar.xz archive ("));
  EXPECT_TRUE(says(error, "copy it again"));
}

TEST(DigitsData, RealSplitsAreTheOfficialOnes) {
  const auto folder = real_data(kFile);
  if (!folder) GTEST_SKIP() << skip_text(kFile);
  const std::map<std::string, std::size_t> sizes{{"train", 2400}, {"validation", 300}, {"test", 300}};
  std::set<std::string> names;
  for (const auto& [split, size] : sizes) {
    const Dataset data = load_task("digits", split, {.data_dir = *folder});
    expect_well_formed(data);
    EXPECT_EQ(data.examples.size(), size) << split;
    std::map<std::int32_t, std::size_t> counts;
    for (const Example& example : data.examples) {
      EXPECT_TRUE(names.insert(example.name).second) << example.name << " is in two splits";
      ++counts[example.labels[0]];
    }
    ASSERT_EQ(counts.size(), 10u);
    for (const auto& [digit, count] : counts) EXPECT_EQ(count, size / 10) << split << " " << digit;
  }
}

}  // namespace
}  // namespace quaver
