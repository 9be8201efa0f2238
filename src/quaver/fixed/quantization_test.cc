#include "quaver/fixed/quantization.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(AffineI8, ZeroIsACodeAndTheRangeIsCovered) {
  Random random(41);
  for (int i = 0; i < 10000; ++i) {
    const double a = random.normal() * std::exp2(random.uniform(-20, 20));
    const double b = random.normal() * std::exp2(random.uniform(-20, 20));
    const Affine format = affine_i8(std::min(a, b), std::max(a, b));
    ASSERT_GE(format.zero_point, -128);
    ASSERT_LE(format.zero_point, 127);
    for (const double x : {a, b}) {
      const double code = quantize(x, static_cast<double>(format.scale), format.zero_point, -128, 127);
      // Half a step for the code, half for the zero point that is nudged to an integer, 2^-16 for the float scale (A7).
      ASSERT_LE(std::abs((code - format.zero_point) * static_cast<double>(format.scale) - x),
                (1 + 0x1p-16) * static_cast<double>(format.scale));
    }
  }
}

TEST(AffineI8, KnownRanges) {
  EXPECT_EQ(affine_i8(0, 255), (Affine{1.0f, -128}));
  EXPECT_EQ(affine_i8(-255, 0), (Affine{1.0f, 127}));
  EXPECT_EQ(affine_i8(-128, 127), (Affine{1.0f, 0}));
  EXPECT_EQ(affine_i8(1, 2), affine_i8(0, 2));  // widened: 0 must be a code
  EXPECT_EQ(affine_i8(0, 0), (Affine{1.0f, 0}));
  EXPECT_EQ(affine_i8(0, 1e-42), (Affine{1.0f, 0}));  // its scale would be no normal float
}

TEST(AffineI8, RefusesWhatIsNoRange) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_THROW(affine_i8(kInfinity, -kInfinity), Error);
  EXPECT_THROW(affine_i8(0, std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_THROW(affine_i8(0, 1e60), Error);
  EXPECT_THROW(symmetric_scale(kInfinity, kI8Limit), Error);
  EXPECT_THROW(symmetric_scale(-1, kI8Limit), Error);
}

TEST(SymmetricScale, TheLargestMagnitudeIsTheLastCode) {
  EXPECT_EQ(symmetric_scale(127, kI8Limit), 1.0f);
  EXPECT_EQ(symmetric_scale(32767, kI16Limit), 1.0f);
  EXPECT_EQ(symmetric_scale(0, kI8Limit), 1.0f);
  EXPECT_EQ(quantize(-0.3, static_cast<double>(symmetric_scale(0.3, kI8Limit)), 0, -127, 127), -127);
}

TEST(PowerOfTwoIntegerBits, IsTheCeilingOfTheLogarithm) {
  EXPECT_EQ(power_of_two_integer_bits(0), 0);
  EXPECT_EQ(power_of_two_integer_bits(1.0), 0);
  EXPECT_EQ(power_of_two_integer_bits(1.0001), 1);
  EXPECT_EQ(power_of_two_integer_bits(8.0), 3);
  EXPECT_EQ(power_of_two_integer_bits(33.0), 6);
  EXPECT_EQ(power_of_two_integer_bits(1000.0), 6);
}

TEST(Quantize, RoundsHalfAwayAndSaturates) {
  EXPECT_EQ(quantize(0.5, 1.0, 0, -128, 127), 1);
  EXPECT_EQ(quantize(-0.5, 1.0, 0, -128, 127), -1);
  EXPECT_EQ(quantize(-0.5, 1.0, 10, -128, 127), 9);  // the real number is rounded, then the zero point added
  EXPECT_EQ(quantize(1e30, 1e-3, 0, -128, 127), 127);
  EXPECT_EQ(quantize(-1e30, 1e-3, 0, -127, 127), -127);
}

}  // namespace
}  // namespace quaver
