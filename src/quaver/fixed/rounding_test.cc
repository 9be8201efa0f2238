#include "quaver/fixed/rounding.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "quaver/core/random.h"
#include "quaver/fixed/q_format.h"

namespace quaver {
namespace {

constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
constexpr std::array<std::int32_t, 15> kEdges{kMin, kMin + 1, -(1 << 30) - 1, -(1 << 30), -32769,   -32768, -1,     0,
                                              1,    32767,    32768,          1 << 30,    kMax - 1, kMax,   1 << 16};

// gemmlowp's own words: a nudge of either sign, then C's division toward zero.
std::int64_t high_mul_by_division(std::int64_t a, std::int64_t b, int bits) {
  const std::int64_t half = std::int64_t{1} << (bits - 2);
  const std::int64_t product = a * b;
  const std::int64_t limit = (std::int64_t{1} << (bits - 1)) - 1;
  return std::min((product + (product >= 0 ? half : 1 - half)) / (limit + 1), limit);
}

// Ties away from zero, by magnitude: no remainder, no shift of a negative number.
std::int64_t divide_by_pot_by_magnitude(std::int64_t x, int k) {
  const std::int64_t magnitude = ((x < 0 ? -x : x) + ((std::int64_t{1} << k) >> 1)) >> k;
  return x < 0 ? -magnitude : magnitude;
}

TEST(HighMul, EqualsTheDivisionForm32) {
  for (const auto a : kEdges) {
    for (const auto b : kEdges) EXPECT_EQ(high_mul(a, b), high_mul_by_division(a, b, 32)) << a << " * " << b;
  }
  Random random(11);
  for (int i = 0; i < 200000; ++i) {
    const auto a = static_cast<std::int32_t>(random.between(kMin, kMax)) >> random.below(32);
    const auto b = static_cast<std::int32_t>(random.between(kMin, kMax)) >> random.below(32);
    ASSERT_EQ(high_mul(a, b), high_mul_by_division(a, b, 32)) << a << " * " << b;
  }
}

TEST(HighMul, EqualsTheDivisionForm16) {
  const std::array<std::int16_t, 9> factors{-32768, -32767, -16384, -1, 0, 1, 2, 16384, 32767};
  for (const auto b : factors) {
    for (int a = -32768; a <= 32767; ++a) {
      ASSERT_EQ(high_mul(static_cast<std::int16_t>(a), b), high_mul_by_division(a, b, 16)) << a << " * " << b;
    }
  }
}

TEST(HighMul, TiesGoUpAndOnlyMinimumSquaredSaturates) {
  EXPECT_EQ(high_mul(std::int32_t{1 << 30}, 1), 1);    // 1/2
  EXPECT_EQ(high_mul(std::int32_t{1 << 30}, -1), 0);   // -1/2
  EXPECT_EQ(high_mul(std::int32_t{1 << 30}, 3), 2);    // 3/2
  EXPECT_EQ(high_mul(std::int32_t{1 << 30}, -3), -1);  // -3/2
  EXPECT_EQ(high_mul(kMin, kMin), kMax);
  EXPECT_EQ(high_mul(kMin, kMax), -kMax);
  EXPECT_EQ(high_mul(std::int16_t{-32768}, std::int16_t{-32768}), 32767);
}

TEST(DivideByPot, TiesGoAwayFromZero) {
  EXPECT_EQ(divide_by_pot(1, 1), 1);
  EXPECT_EQ(divide_by_pot(-1, 1), -1);
  EXPECT_EQ(divide_by_pot(6, 2), 2);
  EXPECT_EQ(divide_by_pot(-6, 2), -2);
  EXPECT_EQ(divide_by_pot(5, 2), 1);
  EXPECT_EQ(divide_by_pot(-5, 2), -1);
  EXPECT_EQ(divide_by_pot(1 << 30, 31), 1);
  EXPECT_EQ(divide_by_pot(-(1 << 30), 31), -1);
  EXPECT_EQ(divide_by_pot(-(1 << 30) + 1, 31), 0);
}

TEST(DivideByPot, EqualsTheMagnitudeForm) {
  Random random(12);
  for (int k = 0; k <= 31; ++k) {
    for (const auto x : kEdges) EXPECT_EQ(divide_by_pot(x, k), divide_by_pot_by_magnitude(x, k)) << x << " / 2^" << k;
    for (int i = 0; i < 5000; ++i) {
      const auto x = static_cast<std::int32_t>(random.between(kMin, kMax)) >> random.below(32);
      ASSERT_EQ(divide_by_pot(x, k), divide_by_pot_by_magnitude(x, k)) << x << " / 2^" << k;
    }
  }
}

TEST(DivideRounded, TiesGoAwayFromZero) {
  EXPECT_EQ(divide_rounded(5, 2), 3);
  EXPECT_EQ(divide_rounded(-5, 2), -3);
  EXPECT_EQ(divide_rounded(4, 3), 1);
  EXPECT_EQ(divide_rounded(-4, 3), -1);
  EXPECT_EQ(divide_rounded(5, 3), 2);
  EXPECT_EQ(divide_rounded(0, 7), 0);
}

TEST(RoundHalfAway, IsNeitherTiesToEvenNorTiesUp) {
  EXPECT_EQ(round_half_away(0.5), 1);
  EXPECT_EQ(round_half_away(-0.5), -1);
  EXPECT_EQ(round_half_away(2.5), 3);
  EXPECT_EQ(round_half_away(-2.5), -3);
  EXPECT_EQ(round_half_away(0.49999999999999994), 0);  // the double below 1/2, where floor(x + 0.5) gives 1
}

TEST(Saturate, StopsAtTheEnds) {
  EXPECT_EQ(saturate<std::int8_t>(128), 127);
  EXPECT_EQ(saturate<std::int8_t>(-129), -128);
  EXPECT_EQ(saturate<std::int16_t>(std::numeric_limits<std::int64_t>::max()), 32767);
  EXPECT_EQ(saturate<std::int32_t>(std::numeric_limits<std::int64_t>::min()), kMin);
  EXPECT_EQ(shift_left_saturating(std::int32_t{-1}, 31), kMin);
  EXPECT_EQ(shift_left_saturating(std::int32_t{1}, 31), kMax);
  EXPECT_EQ(shift_left_saturating(std::int16_t{-8192}, 2), -32768);
  EXPECT_EQ(shift_left_saturating(std::int16_t{8192}, 2), 32767);
}

TEST(QFormat, RoundsSaturatesAndReadsBack) {
  EXPECT_EQ(Q3_12::from_real(1.0).raw, 4096);
  EXPECT_EQ(Q3_12::from_real(-8.0).raw, -32768);
  EXPECT_EQ(Q3_12::from_real(8.0).raw, 32767);
  EXPECT_EQ(Q3_12::from_real(0.5 / 4096).raw, 1);
  EXPECT_EQ(Q3_12::from_real(-0.5 / 4096).raw, -1);
  EXPECT_EQ(Q0_15::from_real(1e30).raw, 32767);
  EXPECT_EQ(Q0_15{-16384}.to_real(), -0.5);
  static_assert(Q<std::int32_t, 5>::kFractionBits == 26);
}

}  // namespace
}  // namespace quaver
