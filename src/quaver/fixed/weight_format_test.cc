// Formats of weights: each packs every code, reads it back and tells what is none.
#include "quaver/fixed/weight_format.h"

#include <gtest/gtest.h>

#include <vector>

#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(WeightFormat, RowsStandAtTheirIds) {
  ASSERT_EQ(weight_formats().size(), kWeightFormatCount);
  for (std::size_t i = 0; i < kWeightFormatCount; ++i) {
    const WeightFormat& format = weight_formats()[i];
    EXPECT_EQ(static_cast<std::size_t>(format.id), i) << format.name;
    EXPECT_EQ(&weight_format(format.id), &format) << format.name;
    EXPECT_EQ(weight_format_of(format.type), &format) << format.name;
    EXPECT_EQ(number_type_row(format.type).bits, static_cast<std::size_t>(format.bits)) << format.name;
  }
  EXPECT_EQ(weight_format_of(NumberType::kF32), nullptr);
}

TEST(WeightFormat, HoldsAsManyCodesAsItHasLevels) {
  for (const WeightFormat& format : weight_formats()) {
    int held = 0;
    for (int code = -128; code <= 127; ++code) held += format.holds(code) ? 1 : 0;
    EXPECT_EQ(held, format.levels) << format.name;
    EXPECT_LE(format.levels, 1 << format.bits) << format.name;
  }
}

TEST(WeightFormat, GivesBackTheCodesOfRowsOfAnyLength) {
  Random random(17);
  for (const WeightFormat& format : weight_formats()) {
    for (std::size_t cols = 0; cols <= 70; ++cols) {
      std::vector<std::int8_t> codes(cols), found(cols + 1, 77);
      for (std::int8_t& code : codes) {
        do code = static_cast<std::int8_t>(random.between(-format.limit, format.limit));
        while (!format.holds(code));
      }
      std::vector<std::byte> row(format.row_bytes(cols) + 1, std::byte{0x5a});
      format.pack(codes.data(), cols, row.data());
      EXPECT_EQ(row.back(), std::byte{0x5a}) << format.name << " of " << cols << " writes beyond its bytes";
      format.unpack(row.data(), cols, found.data());
      EXPECT_EQ(found.back(), 77) << format.name << " of " << cols << " writes beyond its columns";
      found.pop_back();
      EXPECT_EQ(found, codes) << format.name << " of " << cols;
    }
  }
}

TEST(WeightFormat, OfFourBitsHasTheBytesThatFilesHold) {
  const WeightFormat& i4 = weight_format(WeightFormatId::kI4);
  const std::vector<std::int8_t> codes{-7, 7, 3};
  std::vector<std::byte> row(i4.row_bytes(3));
  i4.pack(codes.data(), 3, row.data());
  EXPECT_EQ(row, (std::vector<std::byte>{std::byte{0x79}, std::byte{0x83}}));
  EXPECT_EQ(upper_nibble(row[1]), kNoNibble);
  EXPECT_FALSE(i4.holds(kNoNibble));
}

TEST(WeightFormat, OfFewBitsHaveTheBytesThatFilesHold) {
  const auto packed = [](WeightFormatId id, const std::vector<std::int8_t>& codes) {
    const WeightFormat& format = weight_format(id);
    std::vector<std::byte> row(format.row_bytes(codes.size()));
    format.pack(codes.data(), codes.size(), row.data());
    return row;
  };
  using Bytes = std::vector<std::byte>;
  EXPECT_EQ(packed(WeightFormatId::kTernary, {-1, 0, 1, 1, -1}),
            (Bytes{std::byte{0b10'10'01'00}, std::byte{0b11'11'11'00}}));
  EXPECT_EQ(packed(WeightFormatId::kQuaternary, {-2, -1, 1, 2, 2}),
            (Bytes{std::byte{0b11'10'01'00}, std::byte{0b00'00'00'11}}));
  EXPECT_EQ(packed(WeightFormatId::kBinary, {1, -1, 1, 1, -1, -1, -1, 1, 1}),
            (Bytes{std::byte{0x8d}, std::byte{0x01}}));
}

TEST(WeightFormat, NearestCodesKeepTheSign) {
  const WeightFormat& quaternary = weight_format(WeightFormatId::kQuaternary);
  EXPECT_EQ(quaternary.nearest(0.0, 1), 1);
  EXPECT_EQ(quaternary.nearest(-0.01, 1), -1);
  EXPECT_EQ(quaternary.nearest(1.49, 1), 1);
  EXPECT_EQ(quaternary.nearest(-1.5, 1), -2);
  EXPECT_EQ(quaternary.nearest(99, 1), 2);
  EXPECT_EQ(weight_format(WeightFormatId::kBinary).nearest(-99, 0.1), -1);
  EXPECT_EQ(weight_format(WeightFormatId::kTernary).nearest(0.49, 1), 0);
  EXPECT_EQ(weight_format(WeightFormatId::kTernary).nearest(-0.5, 1), -1);
}

}  // namespace
}  // namespace quaver
