#include "quaver/report/machine/roofline.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "quaver/report/machine/roofline_probes.h"
#include "support/paths.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

const Roofline kMachine{
    {{"L1", 1000, 100e9}, {"L2", 10000, 50e9}, {"memory", std::numeric_limits<std::size_t>::max(), 10e9}},
    1e12,
    "none"};

TEST(Roofline, WeightsStayInTheNearestLevelThatHoldsThem) {
  EXPECT_EQ(level_of(kMachine, 0).name, "L1");
  EXPECT_EQ(level_of(kMachine, 1000).name, "L1");
  EXPECT_EQ(level_of(kMachine, 1001).name, "L2");
  EXPECT_EQ(level_of(kMachine, 10001).name, "memory");
}

TEST(Roofline, OneStepReadsEverythingOnce) {
  const CallCost cost = call_cost(8000, 8000, 1, 1, 0.25);
  EXPECT_EQ(cost.resident_bytes, 8000u);
  EXPECT_DOUBLE_EQ(cost.bytes, 8000);
  EXPECT_DOUBLE_EQ(cost.macs, 8000);
  EXPECT_DOUBLE_EQ(roof_seconds(kMachine, cost), 8000 / 50e9);
}

TEST(Roofline, SequencesReadTheInputsShareOnce) {
  const CallCost cost = call_cost(8000, 8000, 10, 1, 0.25);
  EXPECT_DOUBLE_EQ(cost.bytes, 2000 + 10 * 6000);
  EXPECT_DOUBLE_EQ(cost.macs, 80000);
}

TEST(Roofline, ManySequencesAreBoundByTheirProducts) {
  const CallCost cost = call_cost(8000, 8000, 1, 1000, 0.25);
  EXPECT_DOUBLE_EQ(cost.bytes, 8000);
  EXPECT_DOUBLE_EQ(roof_seconds(kMachine, cost), 8e6 / 1e12);
}

class CacheFolder : public testing::Test {
 protected:
  CacheFolder() { fs::remove_all(folder_); }
  ~CacheFolder() override { fs::remove_all(folder_); }
  void add(const std::string& name, const std::string& level, const std::string& type, const std::string& size) {
    fs::create_directories(folder_ / name);
    std::ofstream(folder_ / name / "level") << level << '\n';
    std::ofstream(folder_ / name / "type") << type << '\n';
    std::ofstream(folder_ / name / "size") << size << '\n';
  }
  fs::path folder_ = fs::path(testing::TempDir()) / "quaver_cache_folder";
};

TEST_F(CacheFolder, DataCachesAreReadInOrder) {
  add("index3", "3", "Unified", "32M");
  add("index0", "1", "Data", "48K");
  add("index1", "1", "Instruction", "32K");
  add("index2", "2", "Unified", "1024K");
  add("index4", "4", "Unified", "much");  // not a size
  std::ofstream(folder_ / "uevent") << "not a folder";
  const auto levels = cache_levels(folder_);
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].name, "L1");
  EXPECT_EQ(levels[0].bytes, 48u * 1024);
  EXPECT_EQ(levels[1].bytes, 1024u * 1024);
  EXPECT_EQ(levels[2].bytes, 32u * 1024 * 1024);
}

TEST_F(CacheFolder, AMachineThatDescribesNoneHasUsualOnes) {
  EXPECT_EQ(cache_levels(folder_).size(), 2u);
  EXPECT_GT(cache_levels(folder_)[0].bytes, 0u);
}

// Every path that runs here reads every byte: a change anywhere changes the result.
TEST(RooflineProbes, ReadEveryByte) {
  std::vector<const RooflineProbes*> all{&portable_probes()};
#if defined(__x86_64__)
  if (!testing_support::lacks(Isa::kAvx2)) all.push_back(&avx2_probes());
  if (!testing_support::lacks(Isa::kAvx512Vnni)) all.push_back(&avx512vnni_probes());
#endif
  for (const RooflineProbes* probes : all) {
    for (const std::size_t bytes : {64u, 960u, 1024u, 1088u, 4160u}) {
      AlignedVector<std::byte> buffer(bytes, std::byte{0});
      EXPECT_EQ(probes->read(buffer.data(), bytes), 0u);
      for (std::size_t at = 0; at < bytes; at += 7) {
        buffer[at] = std::byte{0x5a};
        EXPECT_NE(probes->read(buffer.data(), bytes), 0u) << isa_name(probes->isa) << ' ' << bytes << ' ' << at;
        buffer[at] = std::byte{0};
      }
    }
    EXPECT_GT(probes->macs_per_round, 0u);
    probes->multiply(10);
  }
}

TEST(Roofline, IsMeasured) {
  const Roofline roofline = measure_roofline({.repetitions = 1, .repetition_seconds = 1e-4});
  ASSERT_GE(roofline.levels.size(), 2u);
  EXPECT_EQ(roofline.levels.back().name, "memory");
  for (const MemoryLevel& level : roofline.levels) EXPECT_GT(level.bytes_per_second, 1e6) << level.name;
  EXPECT_GT(roofline.macs_per_second, 1e6);
  const auto json = to_json(roofline);
  EXPECT_EQ(json["levels"].size(), roofline.levels.size());
  EXPECT_TRUE(json["levels"].back()["bytes"].is_null());
  EXPECT_NE(to_text(roofline).find("memory"), std::string::npos);
}

}  // namespace
}  // namespace quaver
