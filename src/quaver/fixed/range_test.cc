#include "quaver/fixed/range.h"

#include <gtest/gtest.h>

#include <limits>

namespace quaver {
namespace {

constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();

TEST(Range, HoldsAllResults) {
  constexpr Range a = Range::of(-3, 5), b = Range::of(-7, 2);
  constexpr Range sum = a + b, difference = a - b, product = a * b;
  for (int x = -3; x <= 5; ++x) {
    for (int y = -7; y <= 2; ++y) {
      EXPECT_TRUE(sum.low <= x + y && x + y <= sum.high);
      EXPECT_TRUE(difference.low <= x - y && x - y <= difference.high);
      EXPECT_TRUE(product.low <= x * y && x * y <= product.high);
    }
  }
  EXPECT_TRUE(product.low == -35 && product.high == 21);
}

TEST(Range, FitsAtTheCliff) {
  static_assert(Range::of(-128, 127).fits(8) && !Range::of(-128, 128).fits(8) && !Range::of(-129, 0).fits(8));
  static_assert(Range::all<std::int64_t>().fits(64) && !(Range::all<std::int64_t>() + Range::of(0, 1)).fits(64));
  static_assert(!(Range::of(kMin64, kMax64) * Range::of(kMin64, kMax64)).fits(64));
}

TEST(MatvecFits, TurnsAtTheLastSafeDepth) {
  constexpr std::int64_t kMin32 = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kTerm = 127 * 128;
  EXPECT_TRUE(matvec_fits_i32(kMax32 / kTerm, 0, 0));
  EXPECT_FALSE(matvec_fits_i32(kMax32 / kTerm + 1, 0, 0));
  EXPECT_TRUE(matvec_fits_i32(256, kMin32 + 256 * kTerm, kMax32 - 256 * kTerm));
  EXPECT_FALSE(matvec_fits_i32(256, 0, kMax32 - 256 * kTerm + 1));
  EXPECT_FALSE(matvec_fits_i32(256, kMin32 + 256 * kTerm - 1, 0));
  EXPECT_TRUE(matvec_fits_i32(0, kMin32, kMax32));
  EXPECT_FALSE(matvec_fits_i32(0, kMin32 - 1, 0));
  EXPECT_FALSE(matvec_fits_i32(kMax64, 0, 0));
}

}  // namespace
}  // namespace quaver
