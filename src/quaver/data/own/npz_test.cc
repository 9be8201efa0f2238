#include "quaver/npz/npz.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "quaver/data/own/lines.h"
#include "quaver/data/own/own_data.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

constexpr std::size_t kBatch = 30, kTime = 4, kFeatures = 2;

template <typename T>
NpzArray filled(std::vector<std::int64_t> shape, const std::function<T(std::size_t)>& value) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = value(i);
  return NpzArray::from<T>(std::move(shape), values);
}

NpzArray real_array(std::vector<std::int64_t> shape) {
  return filled<float>(std::move(shape), [](std::size_t i) { return static_cast<float>(i) / 8; });
}
template <typename T = std::int32_t>
NpzArray whole_array(std::vector<std::int64_t> shape, int bound) {
  return filled<T>(std::move(shape),
                   [=](std::size_t i) { return static_cast<T>(i % static_cast<std::size_t>(bound)); });
}

class OwnNpz : public testing::Test {
 protected:
  OwnData open(const Npz& arrays, const std::optional<Pipeline>& trained = std::nullopt) {
    write_npz(folder_.path() / "a.npz", arrays);
    return OwnData::open({.kind = "npz", .path = folder_.path() / "a.npz"}, {}, trained);
  }
  Error error_of(const Npz& arrays) {
    return expect_error(ErrorKind::kBadInput, [&] { open(arrays); });
  }
  static Npz good() { return {{"x", real_array({kBatch, kTime, kFeatures})}, {"y", whole_array({kBatch}, 3)}}; }
  static Npz with(const std::string& name, NpzArray array, Npz arrays = good()) {
    arrays[name] = std::move(array);
    return arrays;
  }
  TemporaryFolder folder_;
};

TEST_F(OwnNpz, TheTargetFollowsFromY) {
  const struct {
    NpzArray y;
    Target target;
    std::size_t classes, outputs;
  } cases[] = {{whole_array({kBatch}, 3), Target::kClass, 3, 0},
               {whole_array<std::uint8_t>({kBatch}, 3), Target::kClass, 3, 0},
               {whole_array<std::int64_t>({kBatch, kTime}, 5), Target::kTags, 5, 0},
               {whole_array<std::uint8_t>({kBatch, kTime, 7}, 2), Target::kLabels, 7, 0},
               {real_array({kBatch}), Target::kReals, 0, 1},
               {real_array({kBatch, 6}), Target::kReals, 0, 6},
               {real_array({kBatch, kTime, 2}), Target::kRealSteps, 0, 2}};
  for (const auto& [y, target, classes, outputs] : cases) {
    const OwnData data = open(with("y", y));
    EXPECT_EQ(data.pipeline().target, target);
    EXPECT_EQ(data.pipeline().classes.size(), classes);
    EXPECT_EQ(data.pipeline().features, kFeatures);
    EXPECT_EQ(data.size("train") + data.size("validation") + data.size("test"), kBatch);
    for (const char* split : {"train", "validation", "test"}) {
      const Dataset set = data.load(split);
      EXPECT_EQ(set.outputs, outputs);
      expect_consistent(set);
    }
    EXPECT_EQ(pipeline_from_map(to_map(data.pipeline())), data.pipeline());
  }
}

TEST_F(OwnNpz, LengthsAndOffsetsCutTheSameSequences) {
  std::vector<std::int32_t> lengths, offsets{0};
  std::vector<float> padded(kBatch * kTime * kFeatures, std::nanf("")), joined;
  std::vector<std::int32_t> padded_tags(kBatch * kTime, -1), joined_tags;
  for (std::size_t i = 0; i < kBatch; ++i) {
    lengths.push_back(static_cast<std::int32_t>(1 + i % kTime));
    offsets.push_back(offsets.back() + lengths.back());
    for (std::size_t step = 0; step < 1 + i % kTime; ++step) {
      joined_tags.push_back(padded_tags[i * kTime + step] = static_cast<std::int32_t>(i % 2));
      for (std::size_t k = 0; k < kFeatures; ++k)
        joined.push_back(padded[(i * kTime + step) * kFeatures + k] = static_cast<float>(i + step + k));
    }
  }
  const auto all = static_cast<std::int64_t>(joined_tags.size());
  const OwnData by_length = open({{"x", NpzArray::from<float>({kBatch, kTime, kFeatures}, padded)},
                                  {"lengths", NpzArray::from<std::int32_t>({kBatch}, lengths)},
                                  {"y", NpzArray::from<std::int32_t>({kBatch, kTime}, padded_tags)}});
  const Dataset expected = by_length.load("train");
  const OwnData by_offset = open({{"x", NpzArray::from<float>({all, kFeatures}, joined)},
                                  {"offsets", NpzArray::from<std::int32_t>({kBatch + 1}, offsets)},
                                  {"y", NpzArray::from<std::int32_t>({all}, joined_tags)}});
  EXPECT_EQ(by_offset.load("train").examples, expected.examples);
  expect_consistent(expected);
}

TEST_F(OwnNpz, AFolderHasItsSplits) {
  for (const char* split : {"train", "test"}) write_npz(folder_.path() / (std::string(split) + ".npz"), good());
  const auto open_folder = [&] { return OwnData::open({.kind = "npz", .path = folder_.path()}); };
  const OwnData data = open_folder();
  EXPECT_EQ(notes_of(data), "split by file\nvalidation is 10 % of train, drawn by seed 1\n");
  EXPECT_EQ(data.size("test"), kBatch);
  const auto folder_error = [&](const Npz& test) {
    write_npz(folder_.path() / "test.npz", test);
    return expect_error(ErrorKind::kBadInput, open_folder);
  };
  EXPECT_TRUE(says(folder_error(with("y", whole_array({kBatch}, 4))),
                   "test.npz, sequence 3: label 3 at step 0, expected 0 to 2, the classes of train"));
  EXPECT_TRUE(says(folder_error(with("x", real_array({kBatch, kTime, 3}))), "3 features a step, expected 2"));
  EXPECT_TRUE(says(folder_error(with("y", real_array({kBatch}))), "its targets are 'reals', expected 'class'"));
  std::filesystem::remove(folder_.path() / "train.npz");
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, open_folder), "there is no train.npz in the folder"));
}

TEST_F(OwnNpz, IdsBeyondTheVocabularyOfAModelAreNamed) {
  const Npz arrays{{"ids", whole_array({kBatch, kTime}, 9)}, {"y", whole_array({kBatch}, 3)}};
  Pipeline trained = open(arrays).pipeline();
  EXPECT_EQ(trained.vocabulary, 9u);
  expect_consistent(open(arrays).load("test"));
  trained.vocabulary = 8;
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [&] { open(arrays, trained); }),
                   "sequence 2: id 8 at step 0 is beyond the vocabulary of 8, expected 0 to 7"));
}

// Ids and tags of 0 to 8, and in the sequences of a split, all of them, `in_split`.
TEST_F(OwnNpz, VocabularyAndClassesGoAsFarAsTrain) {
  const auto arrays_with = [](const std::set<std::size_t>& changed, int in_split) {
    const auto number = [=](std::size_t i) {
      return changed.contains(i / kTime) ? in_split : static_cast<std::int32_t>(i % 9);
    };
    return Npz{{"ids", filled<std::int32_t>({kBatch, kTime}, number)},
               {"y", filled<std::int32_t>({kBatch, kTime}, number)}};
  };
  const OwnData data = open(arrays_with({}, 0));
  EXPECT_EQ(data.pipeline().vocabulary, 9u);
  EXPECT_EQ(data.pipeline().classes.size(), 9u);
  for (const char* split : {"validation", "test"}) {
    std::set<std::size_t> of_split;
    for (const Example& example : data.load(split).examples)
      of_split.insert(std::stoul(example.name.substr(example.name.rfind(' '))));
    Pipeline without = open(arrays_with(of_split, 0)).pipeline();
    without.drawn_hash = data.pipeline().drawn_hash;  // its numbers are others
    EXPECT_EQ(without, data.pipeline());
    EXPECT_TRUE(says(error_of(arrays_with(of_split, 9)), "id 9 at step 0 is beyond the vocabulary of 9"));
    Npz only_tags = arrays_with({}, 0);
    only_tags["y"] = arrays_with(of_split, 9).at("y");
    EXPECT_TRUE(says(error_of(only_tags), "label 9 at step 0, expected 0 to 8, the classes of train"));
  }
}

TEST_F(OwnNpz, WhatIsWrongIsNamed) {
  EXPECT_TRUE(
      says(error_of(with("y", filled<std::int64_t>({kBatch}, [](std::size_t) { return std::int64_t{1} << 40; }))),
           "a.npz: array 'y' has 1099511627776"));
  const auto numbers = [](std::vector<std::int32_t> values) {
    return NpzArray::from<std::int32_t>({static_cast<std::int64_t>(values.size())}, values);
  };
  const auto without = [](const std::string& name) {
    Npz arrays = good();
    arrays.erase(name);
    return arrays;
  };
  const auto with_value = [](const std::string& name, std::size_t at, float value) {
    Npz arrays = good();
    std::vector<float> values(arrays.at(name).as<float>().begin(), arrays.at(name).as<float>().end());
    values[at] = value;
    arrays[name] = NpzArray::from<float>(arrays.at(name).shape, values);
    return arrays;
  };
  std::vector<std::int32_t> labels(kBatch, 0);
  labels[7] = -1;
  const std::pair<Npz, std::string> cases[] = {
      {without("x"), "there is no array 'x' (real numbers) or 'ids' (whole numbers)"},
      {without("y"), "there is no array 'y' with the targets"},
      {with("mask", real_array({3})), "array 'mask' is not read"},
      {with("ids", whole_array({kBatch, kTime}, 3)), "there are arrays 'x' and 'ids'"},
      {with("x", real_array({kBatch, kTime})), "array 'x' is float32 30x4, expected [batch, time, features]"},
      {with("x", whole_array({kBatch, kTime, kFeatures}, 3)), "expected float32; whole numbers are 'ids'"},
      {with("lengths", numbers({1, 2})), "array 'lengths' has 2 elements, expected one for each of 30 sequences"},
      {with("lengths", numbers(std::vector<std::int32_t>(kBatch, 5))), "array 'lengths' has 5 at 0, expected 1 to 4"},
      {with("offsets", numbers({0, 1}), with("x", real_array({8, kFeatures}))), "from 0 to the 8 steps of all"},
      {with("offsets", numbers({0, 4, 4, 8}), with("x", real_array({8, kFeatures}))), "has 4 at 2 behind 4"},
      {with("y", whole_array({kBatch + 1}, 3)), "array 'y' is int32 31, expected whole numbers"},
      {with("y", whole_array({kBatch, kTime, 2}, 3)), "array 'y' is int32 30x4x2, expected whole numbers"},
      {with("y", whole_array<std::uint8_t>({kBatch, kTime, 2}, 3)), "array 'y' has 2 at place 2, expected 0 to 1"},
      {with("y", numbers(labels)), "sequence 7: array 'y' has -1, expected 0 to"},
      {with_value("x", 11, std::nanf("")), "sequence 1: array 'x' has nan at step 1, place 1, expected finite numbers"},
      {with("y", whole_array({kBatch}, 1)), "all sequences are of class '0', expected two classes"}};
  for (const auto& [arrays, message] : cases) {
    const Error error = error_of(arrays);
    EXPECT_TRUE(says(error, "a.npz"));
    EXPECT_TRUE(says(error, message));
  }
}

// Polyphonic music: of each of 88 notes whether it sounds in the next frame.
TEST(OwnNpzData, PianoRollsAreLabelsAStep) {
  const std::string file = "polyphonic_music/JSB_Chorales.txt.xz";
  const auto real = real_data(file);
  if (!real) GTEST_SKIP() << skip_text(file);
  constexpr std::size_t kNotes = 88;
  struct Rolls {
    std::vector<float> x;
    std::vector<std::uint8_t> y;
    std::vector<std::int32_t> offsets{0};
  };
  std::map<std::string, Rolls> rolls;
  LineReader lines(*real / file);
  while (const auto line = lines.next_filled()) {
    if (line->starts_with('#')) continue;
    const std::vector<std::string_view> fields = split_at(*line, '\t');
    ASSERT_EQ(fields.size(), 2u) << lines.where();
    Rolls& part = rolls[fields[0] == "valid" ? "validation" : std::string(fields[0])];
    std::vector<std::vector<std::uint8_t>> frames;
    for (const std::string_view frame : split_at(fields[1], ';')) {
      frames.emplace_back(kNotes, std::uint8_t{0});
      if (frame == "-") continue;
      for (const std::string_view note : split_at(frame, ','))
        frames.back().at(static_cast<std::size_t>(number_of(note).value())) = 1;
    }
    for (std::size_t t = 0; t + 1 < frames.size(); ++t) {
      part.x.insert(part.x.end(), frames[t].begin(), frames[t].end());
      part.y.insert(part.y.end(), frames[t + 1].begin(), frames[t + 1].end());
    }
    part.offsets.push_back(static_cast<std::int32_t>(part.x.size() / kNotes));
  }
  const TemporaryFolder folder;
  for (const auto& [part, roll] : rolls) {
    const auto steps = static_cast<std::int64_t>(roll.x.size() / kNotes), notes = static_cast<std::int64_t>(kNotes);
    write_npz(
        folder.path() / (part + ".npz"),
        {{"x", NpzArray::from<float>({steps, notes}, roll.x)},
         {"y", NpzArray::from<std::uint8_t>({steps, notes}, roll.y)},
         {"offsets", NpzArray::from<std::int32_t>({static_cast<std::int64_t>(roll.offsets.size())}, roll.offsets)}});
  }
  const OwnData data = OwnData::open({.kind = "npz", .path = folder.path()});
  EXPECT_EQ(data.pipeline().target, Target::kLabels);
  EXPECT_EQ(data.pipeline().classes.size(), kNotes);
  const std::map<std::string, std::size_t> sizes{{"train", 229}, {"validation", 76}, {"test", 77}};
  for (const auto& [split, size] : sizes) {
    const Dataset set = data.load(split);
    EXPECT_EQ(set.examples.size(), size) << split;
    expect_consistent(set);
  }
}

}  // namespace
}  // namespace quaver
