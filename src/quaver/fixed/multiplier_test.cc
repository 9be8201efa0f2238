#include "quaver/fixed/multiplier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(Multiplier, KnownValues) {
  EXPECT_EQ(Multiplier::from_real(1.0), (Multiplier{1 << 30, 1}));
  EXPECT_EQ(Multiplier::from_real(0.5), (Multiplier{1 << 30, 0}));
  EXPECT_EQ(Multiplier::from_real(0.75), (Multiplier{3 << 29, 0}));
  EXPECT_EQ(Multiplier::from_real(0.0), (Multiplier{0, 0}));
  EXPECT_EQ(Multiplier::from_real(0x1p-32), (Multiplier{1 << 30, -31}));
  EXPECT_EQ(Multiplier::from_real(0x1.8p-33), (Multiplier{0, 0}));            // below 2^-32: no int32 would reach 1/2
  EXPECT_EQ(Multiplier::from_real(1.0 - 0x1p-40), (Multiplier{1 << 30, 1}));  // the mantissa rounds up to 2^31
}

TEST(Multiplier, RoundTripIsWithinHalfAStepOfTheMantissa) {
  Random random(21);
  for (int i = 0; i < 100000; ++i) {
    const double r = std::exp2(random.uniform(-31.9, 29.9));
    const Multiplier m = Multiplier::from_real(r);
    ASSERT_GE(m.mantissa, 1 << 30);
    ASSERT_LE(std::abs(m.to_real() - r), r * 0x1p-31) << r;  // half a step of 2^-31 of a fraction >= 1/2 (A4)
    ASSERT_EQ(Multiplier::from_real(m.to_real()), m);
  }
}

TEST(Multiplier, RefusesWhatIsNoRatio) {
  for (const double r : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                         0x1p30, 0x1p30 - 0x1p-10, 1e300}) {
    EXPECT_THROW(Multiplier::from_real(r), Error) << r;
  }
}

TEST(Multiplier, ApplyIsTheTwoRoundingsOnWideIntegers) {
  Random random(22);
  for (int i = 0; i < 200000; ++i) {
    const Multiplier m{static_cast<std::int32_t>(random.between(1 << 30, std::numeric_limits<std::int32_t>::max())),
                       static_cast<std::int32_t>(random.between(-31, 30))};
    const auto x = static_cast<std::int32_t>(
        random.between(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()) >>
        random.below(32));
    const std::int64_t shifted =
        std::clamp<std::int64_t>(m.exponent > 0 ? std::int64_t{x} * (std::int64_t{1} << m.exponent) : x,
                                 std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
    const std::int64_t product = shifted * m.mantissa;
    const std::int64_t high = (product + (product >= 0 ? 1 << 30 : 1 - (1 << 30))) / (std::int64_t{1} << 31);
    const int k = std::max(-m.exponent, 0);
    const std::int64_t magnitude = (std::abs(high) + ((std::int64_t{1} << k) >> 1)) >> k;
    ASSERT_EQ(m.apply(x), high < 0 ? -magnitude : magnitude) << x << " * " << m.to_real();
  }
}

TEST(Multiplier, ApplyIsWithinTheTwoRoundingsOfTheRealProduct) {
  Random random(23);
  for (int i = 0; i < 100000; ++i) {
    const Multiplier m = Multiplier::from_real(std::exp2(random.uniform(-31, 0)));
    const auto x = static_cast<std::int32_t>(
        random.between(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
    const double bound = 0.5 + 0.5 * std::exp2(m.exponent);  // (A5): the shift's half, and the high half's shifted
    ASSERT_LE(std::abs(m.apply(x) - x * m.to_real()), bound) << x << " * " << m.to_real();
  }
}

TEST(RowMultipliers, KeepEveryRow) {
  const std::vector<Multiplier> rows{Multiplier::from_real(0.01), Multiplier::from_real(0.0),
                                     Multiplier::from_real(0.7)};
  const RowMultipliers m = RowMultipliers::from(rows);
  ASSERT_EQ(m.size(), rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) EXPECT_EQ(m.at(r), rows[r]);
  EXPECT_FALSE(m.shifts_left);
  EXPECT_TRUE(RowMultipliers::from(std::vector{Multiplier::from_real(5.0)}).shifts_left);
  EXPECT_EQ(RowMultipliers::from({}).size(), 0u);
}

}  // namespace
}  // namespace quaver
