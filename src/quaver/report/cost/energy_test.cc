#include "quaver/report/cost/energy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

TEST(Energy, IsCountsTimesTheTable) {
  OperationCounts counts;
  counts.mac(kI8, kI32, 10);
  counts.add(kCompare, kI16, 4);
  counts.add(kPopcount, kBit, 16);
  EXPECT_EQ(counts.macs, 10u);
  EXPECT_DOUBLE_EQ(counts.energy_pj(horowitz_2014()), 10 * 0.2 + 10 * 0.1 + 4 * 0.05 + 16 * 0.03 / 8);
  EXPECT_EQ(counts.float_ops(), 0u);
  OperationCounts in_float;
  in_float.mac(kF32, kF32, 2);
  in_float.f32_curve = 1;
  EXPECT_EQ(in_float.float_ops(), 5u);
  EXPECT_DOUBLE_EQ(in_float.energy_pj(horowitz_2014()), (2 + 18) * 3.7 + (2 + 18) * 0.9);
  counts += in_float.times(3);
  EXPECT_EQ(counts.macs, 16u);
  EXPECT_EQ(counts.of(kMultiply, kF32), 6u);
  EXPECT_EQ(counts.f32_curve, 3u);
  EXPECT_EQ(to_json(counts)["i8_multiply"], 10);
}

// The paper's first example of what fixed point saves.
TEST(Energy, AnEightBitAdditionCostsA123rdOfAFloatMultiplication) {
  const EnergyTable& table = horowitz_2014();
  EXPECT_NEAR(table.pj.at(kMultiply, kF32) / table.pj.at(kAdd, kI8), 123.3, 0.05);
  EXPECT_NEAR(table.pj.at(kMultiply, kF32) / table.pj.at(kMultiply, kI8), 18.5, 0.05);
}

TEST(Energy, SumsAreAsWideAsTheyMustBe) {
  EXPECT_EQ(sum_width(1, 127), kI8);
  EXPECT_EQ(sum_width(2, 127), kI16);
  EXPECT_EQ(sum_width(258, 127), kI16);
  EXPECT_EQ(sum_width(259, 127), kI32);
  EXPECT_EQ(sum_width(60, 127 * 127), kI32);
}

TEST(Energy, SoftmaxFormsDifferInTheirExponentials) {
  EXPECT_EQ(softmax_operations(10, SoftmaxForm::kFloat).float_ops(), 50u);
  for (const SoftmaxForm form : {SoftmaxForm::kComputed, SoftmaxForm::kLookedUp})
    EXPECT_EQ(softmax_operations(10, form).float_ops(), 0u);
  EXPECT_EQ(softmax_operations(10, SoftmaxForm::kLookedUp).of(kMultiply, kI32), 0u);
  EXPECT_EQ(softmax_operations(10, SoftmaxForm::kComputed).of(kMultiply, kI32), 2 * 10 * 13u);
}

TEST(EnergyTable, WritesWhatItReads) {
  const std::string text = to_json(horowitz_2014()).dump();
  const EnergyTable table = energy_table_from_json(text, "table");
  EXPECT_EQ(table.source, horowitz_2014().source);
  EXPECT_EQ(table.pj, horowitz_2014().pj);
  EXPECT_EQ(table.sram_pj_per_byte, horowitz_2014().sram_pj_per_byte);
  EXPECT_EQ(to_json(table).dump(), text);
  std::set<std::string> names;
  for (const OperationType& type : operation_types()) names.insert(operation_type_name(type));
  EXPECT_EQ(names.size(), operation_types().size());
  EXPECT_TRUE(names.contains("i16_shift") && names.contains("bit_logic"));
}

TEST(EnergyTable, MemoryMayBeLeftOut) {
  auto json = to_json(horowitz_2014());
  json["memory_pj_per_byte"].erase("sram");
  EXPECT_FALSE(energy_table_from_json(json.dump(), "table").sram_pj_per_byte.has_value());
  EXPECT_TRUE(energy_table_from_json(json.dump(), "table").dram_pj_per_byte.has_value());
  json.erase("memory_pj_per_byte");
  EXPECT_FALSE(energy_table_from_json(json.dump(), "table").dram_pj_per_byte.has_value());
}

void expect_refused(const std::string& text, const std::string& word) {
  try {
    energy_table_from_json(text, "costs.json");
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_TRUE(std::string(error.what()).starts_with("costs.json")) << error.what();
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

TEST(EnergyTable, WhatIsNoneIsRefusedByEntry) {
  const auto changed = [](const auto& change) {
    auto json = to_json(horowitz_2014());
    change(json);
    return json.dump();
  };
  expect_refused("", "not valid JSON");
  expect_refused("[]", "array");
  expect_refused("{\"source\": \"a\", \"source\": \"b\"}", "twice");
  expect_refused(changed([](auto& json) { json.erase("source"); }), "'source' is missing");
  expect_refused(changed([](auto& json) { json["pj"].erase("f32_add"); }), "'f32_add' is missing");
  expect_refused(changed([](auto& json) { json["pj"]["i9_add"] = 1; }), "i9_add");
  expect_refused(changed([](auto& json) { json["pj"]["i8_add"] = -0.1; }), "'i8_add' is -0.1");
  expect_refused(changed([](auto& json) { json["pj"]["i8_add"] = "0.1"; }), "'i8_add' is a JSON string");
  expect_refused(changed([](auto& json) { json["pj"]["i8_add"] = 2e9; }), "0 .. 1e9");
  expect_refused(changed([](auto& json) { json["memory_pj_per_byte"]["tape"] = 1; }), "tape");
  expect_refused(changed([](auto& json) { json["more"] = 1; }), "more");
}

TEST(EnergyTable, FilesAreReadWhole) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / concat("quaver_energy_", getpid(), ".json");
  std::ofstream(path) << to_json(horowitz_2014()).dump(2);
  EXPECT_EQ(load_energy_table(path).pj, horowitz_2014().pj);
  std::ofstream(path) << std::string(70000, ' ');
  EXPECT_THROW(load_energy_table(path), Error);
  std::filesystem::remove(path);
  EXPECT_THROW(load_energy_table(path), Error);
  EXPECT_THROW(load_energy_table(std::filesystem::temp_directory_path()), Error);
}

}  // namespace
}  // namespace quaver
