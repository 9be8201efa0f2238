#include "quaver/data/own/own_data.h"

#include <gtest/gtest.h>

#include "quaver/data/test_support.h"
#include "quaver/npz/npz.h"

namespace quaver {
namespace {

TEST(OwnData, AKindStandsBeforeTheColon) {
  EXPECT_EQ(parse_data_spec("wav:some/folder"), (DataSpec{.kind = "wav", .path = "some/folder"}));
  EXPECT_EQ(parse_data_spec("wav:C:\\folder"), (DataSpec{.kind = "wav", .path = "C:\\folder"}));
  for (const char* other : {"digits", "digits:test", "", ":", "wave:x", "x.npz", "WAV:x"})
    EXPECT_EQ(parse_data_spec(other), std::nullopt) << other;
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage, [] { parse_data_spec("wav:"); }), "expected wav:PATH"));
}

TEST(OwnData, ASplitOfTheTaskOfStoriesIsNoPath) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(parse_data_spec("babi:test"), std::nullopt);
  EXPECT_EQ(parse_data_spec("babi:stories"), (DataSpec{.kind = "babi", .path = "stories"}));
  std::filesystem::create_directory("test");
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage, [] { parse_data_spec("babi:test"); }),
                   "'babi:test' is the split 'test' of task 'babi', and there is such a path"));
  EXPECT_EQ(parse_data_spec("babi:./test"), (DataSpec{.kind = "babi", .path = "./test"}));
  std::filesystem::current_path(before);
  EXPECT_TRUE(says(expect_error(ErrorKind::kBadInput, [] { OwnData::open({.kind = "babi", .path = "x"}); }),
                   "answered by memory networks"));
}

TEST(OwnData, UnknownKindsAreNamed) {
  EXPECT_TRUE(says(expect_error(ErrorKind::kUsage, [] { OwnData::open({.kind = "mp3", .path = "x"}); }),
                   "unknown kind of data 'mp3': the kinds are"));
}

void expect_streamed(const Dataset& streamed, const Dataset& held) {
  ASSERT_NE(streamed.reader, nullptr);
  EXPECT_TRUE(streamed.examples.empty());
  ASSERT_EQ(streamed.size(), held.size());
  EXPECT_EQ(streamed.content_hash(), held.content_hash());
  Example room;
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(streamed.example(i, room), held.examples[i]);
}

TEST(OwnData, ALargeSplitIsReadWhenItIsAskedFor) {
  const TemporaryFolder folder;
  std::vector<float> x(300 * 20 * 2);
  std::vector<std::int32_t> y(300);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 13);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::int32_t>(i % 2);
  write_npz(folder.path() / "a.npz",
            {{"x", NpzArray::from<float>({300, 20, 2}, x)}, {"y", NpzArray::from<std::int32_t>({300}, y)}});
  const DataSpec spec{.kind = "npz", .path = folder.path() / "a.npz"};
  for (const std::size_t limit : {0u, 200u}) {
    const OwnData small = OwnData::open(spec, {.limit = limit}),
                  large = OwnData::open(spec, {.limit = limit, .max_memory = 500'000});
    const Dataset held = small.stream("train"), streamed = large.stream("train");
    EXPECT_EQ(held.reader, nullptr);
    EXPECT_EQ(held.examples, small.load("train").examples);
    expect_streamed(streamed, held);
    EXPECT_EQ(large.read("train", 7), held.examples[7]);
  }
}

TEST(OwnData, WindowsOfWhatIsHeldAreCutWhenTheyAreAskedFor) {
  const TemporaryFolder folder;
  std::string table = "a,b,c\n";
  for (int row = 0; row < 1000; ++row)
    table += std::to_string(row) + "," + std::to_string(row % 7) + (row % 3 == 0 ? ",up\n" : ",down\n");
  write_file(folder.path() / "t.csv", table);
  const OwnDataOptions labelled{.label = "c"};
  for (const auto& [kind, options] : {std::pair{"csv", labelled}, std::pair{"lm", OwnDataOptions{}}}) {
    const OwnData data = OwnData::open({.kind = kind, .path = folder.path() / "t.csv"}, options);
    for (const char* split : {"train", "validation", "test"}) {
      expect_streamed(data.stream(split), data.load(split));
      for (std::size_t i = 0; i < data.size(split); ++i)
        EXPECT_EQ(data.stream(split).about_steps(i), data.read(split, i).input.steps);
    }
  }
  const DataSpec forecast{.kind = "csv", .path = folder.path() / "f.csv"};
  std::string column = "a\n";
  for (int row = 0; row < 1000; ++row) column += std::to_string(row % 7) + "\n";
  write_file(forecast.path, column);
  const OwnData data = OwnData::open(forecast);
  expect_streamed(data.stream("train"), data.load("train"));
  EXPECT_TRUE(
      says(expect_error(ErrorKind::kBadInput, [&] { OwnData::open(forecast, {.horizon = 150}).stream("validation"); }),
           "there are no examples of split 'validation'"));
}

TEST(Pipelines, AMapKeepsEveryField) {
  const Pipeline pipeline{.kind = "wav",
                          .seed = 7,
                          .group = "(a|b)_",
                          .features = 40,
                          .classes = {"a", "with \\n", "with\nend", ""},
                          .sound = sound_options(11025)};
  const std::map<std::string, std::string> map = to_map(pipeline);
  EXPECT_EQ(pipeline_from_map(map), pipeline);
  EXPECT_EQ(map.at("target"), "class");
}

TEST(Pipelines, MalformedMapsAreRefused) {
  const std::map<std::string, std::string> good =
      to_map({.kind = "wav", .features = 40, .classes = {"a", "b"}, .sound = sound_options(8000)});
  const auto error_of = [](const std::map<std::string, std::string>& map) {
    return expect_error(ErrorKind::kBadInput, [&] { pipeline_from_map(map); });
  };
  for (const auto& [name, text] : good) {
    auto map = good;
    map.erase(name);
    if (name.starts_with("drawn_")) {  // nor did they know what their split was drawn from
      EXPECT_EQ(pipeline_from_map(map), pipeline_from_map(good));
    } else if (name == "sound.same_level") {  // the first pipelines of recordings had none, and no such step
      EXPECT_FALSE(pipeline_from_map(map).same_level);
    } else {
      EXPECT_TRUE(says(error_of(map), "pipeline: there is no '" + name + "'"));
    }
  }
  auto map = good;
  map["sound.rate"] = "1";
  EXPECT_TRUE(says(error_of(map), "pipeline: 'sound.rate' is unknown"));
  for (const std::string text : {"", "x", "-1", "1x", "99999999999999999999999"}) {
    map = good;
    map["features"] = text;
    EXPECT_TRUE(says(error_of(map), "'features' is '" + text + "', expected a whole number"));
  }
  map = good;
  map["sound.low"] = "nan";
  EXPECT_TRUE(says(error_of(map), "expected a finite number"));
  map = good;
  map["target"] = "wish";
  EXPECT_TRUE(says(error_of(map), "unknown target 'wish'"));
}

// A model file may say anything.
TEST(Pipelines, EntriesThatDoNotSuitEachOtherAreRefused) {
  const Pipeline wav{.kind = "wav", .features = 40, .classes = {"a", "b"}, .sound = sound_options(8000)};
  const Pipeline lm{.kind = "lm",
                    .target = Target::kTags,
                    .vocabulary = 2,
                    .classes = {"", "a"},
                    .tokens = TokenSettings{.tokens = {"", "a"}, .window = 4}};
  TableSettings table{.inputs = {"t"}, .targets = {"t"}, .window = 4, .horizon = 2, .mean = {0}, .deviation = {1}};
  const Pipeline csv{.kind = "csv",
                     .target = Target::kReals,
                     .features = 1,
                     .target_mean = {0, 0},
                     .target_deviation = {1, 1},
                     .table = table};
  for (const Pipeline& good : {wav, lm, csv}) EXPECT_EQ(pipeline_from_map(to_map(good)), good);
  const auto refuses = [](Pipeline pipeline, void (*change)(Pipeline&), const std::string& message) {
    change(pipeline);
    return says(expect_error(ErrorKind::kBadInput, [&] { pipeline_from_map(to_map(pipeline)); }), message);
  };
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.kind = "mp3"; }, "unknown kind 'mp3'"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.sound.reset(); }, "kind wav has 'sound.' entries, and no others"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.target = Target::kTags; }, "kind wav has no target 'tags'"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.sound->sample_rate = 1e300; }, "'sound.sample_rate' is 1e+300"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.sound->hop = 0; }, "hop is 0"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.features = 41; }, "'sound.bands' 40"));
  EXPECT_TRUE(refuses(
      wav, [](Pipeline& p) { p.classes.clear(); }, "target 'class' has 'classes'"));
  EXPECT_TRUE(refuses(
      lm, [](Pipeline& p) { p.tokens->window = 0; }, "'tokens.window' is 0"));
  EXPECT_TRUE(refuses(
      lm, [](Pipeline& p) { p.vocabulary = 3; }, "'tokens.tokens' has 2 tokens"));
  EXPECT_TRUE(refuses(
      lm, [](Pipeline& p) { p.features = 1; }, "expected exactly one of the two above 0"));
  EXPECT_TRUE(refuses(
      csv, [](Pipeline& p) { p.table->window = 0; }, "a window of 0"));
  EXPECT_TRUE(refuses(
      csv, [](Pipeline& p) { p.table->horizon = 3; }, "'target' have 2 and 2 numbers, expected 3"));
  EXPECT_TRUE(refuses(
      csv, [](Pipeline& p) { p.table->targets = {"u"}; }, "which is none of 'table.inputs'"));
  EXPECT_TRUE(refuses(
      csv, [](Pipeline& p) { p.table->deviation = {0}; }, "is not above 0"));
  EXPECT_TRUE(refuses(
      csv, [](Pipeline& p) { p.table->mean = {}; }, "'table' have 0 and 1 numbers, expected 1"));
}

}  // namespace
}  // namespace quaver
