#include "quaver/data/own/own_data.h"

#include <gtest/gtest.h>

#include "quaver/data/test_support.h"

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

TEST(Pipelines, AMapKeepsEveryField) {
  const Pipeline pipeline{.kind = "wav",
                          .seed = 7,
                          .group = "(a|b)_",
                          .target = Target::kTags,
                          .features = 40,
                          .vocabulary = 3,
                          .classes = {"a", "with \\n", "with\nend", ""},
                          .sound = sound_options(11025)};
  const std::map<std::string, std::string> map = to_map(pipeline);
  EXPECT_EQ(pipeline_from_map(map), pipeline);
  EXPECT_EQ(map.at("target"), "tags");
}

TEST(Pipelines, MalformedMapsAreRefused) {
  const std::map<std::string, std::string> good = to_map({.kind = "wav", .features = 40, .sound = sound_options(8000)});
  const auto error_of = [](const std::map<std::string, std::string>& map) {
    return expect_error(ErrorKind::kBadInput, [&] { pipeline_from_map(map); });
  };
  for (const auto& [name, text] : good) {
    auto map = good;
    map.erase(name);
    EXPECT_TRUE(says(error_of(map), "pipeline: there is no '" + name + "'"));
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

}  // namespace
}  // namespace quaver
