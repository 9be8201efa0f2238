#include "quaver/fixed/inverse_sqrt.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "quaver/core/random.h"

namespace quaver {
namespace {

TEST(InverseSqrt, ValuesOfTheReference) {
  struct Case {
    std::int32_t v;
    Multiplier expected;
  };
  constexpr std::array<Case, 37> kCases{{{0, {2147483647, 0}},
                                         {1, {2147483647, 0}},
                                         {2, {1518498372, 0}},
                                         {3, {1239850284, 0}},
                                         {4, {1073741828, 0}},
                                         {5, {960383900, 0}},
                                         {7, {811672556, 0}},
                                         {8, {759249186, 0}},
                                         {9, {715827716, 0}},
                                         {15, {554477896, 0}},
                                         {16, {536870914, 0}},
                                         {17, {520841290, 0}},
                                         {31, {385699450, 0}},
                                         {63, {270557513, 0}},
                                         {64, {268435457, 0}},
                                         {100, {214748363, 0}},
                                         {255, {268961290, -1}},
                                         {256, {268435457, -1}},
                                         {1000, {271637587, -2}},
                                         {1023, {268566617, -2}},
                                         {1024, {268435457, -2}},
                                         {4097, {268402704, -3}},
                                         {10000, {343597361, -4}},
                                         {65535, {268437511, -5}},
                                         {65536, {268435457, -5}},
                                         {123456, {195579683, -5}},
                                         {1000000, {274877901, -7}},
                                         {16777215, {268435457, -9}},
                                         {16777216, {268435457, -9}},
                                         {99999999, {219902323, -10}},
                                         {268435456, {268435457, -11}},
                                         {536870911, {189812531, -11}},
                                         {536870912, {379624593, -12}},
                                         {1073741823, {268435457, -12}},
                                         {1073741824, {268435457, -12}},
                                         {2147483646, {189812531, -12}},
                                         {2147483647, {189812531, -12}}}};
  for (const Case& c : kCases) EXPECT_EQ(inverse_sqrt(c.v), c.expected) << c.v;
}

// (A12) Five Newton steps from 1 leave 1.24e-6 where the root is 2; the roundings of the last step add up to 1.4e-7.
TEST(InverseSqrt, IsWithinItsBoundOfTheRealRoot) {
  double worst = 0;
  std::int32_t worst_v = 0;
  const auto probe = [&](std::int32_t v) {
    const double error = std::abs(inverse_sqrt(v).to_real() * std::sqrt(static_cast<double>(v)) - 1);
    if (error > worst) {
      worst = error;
      worst_v = v;
    }
  };
  for (std::int32_t v = 1; v < 200000; ++v) probe(v);
  Random random(31);
  for (int i = 0; i < 200000; ++i)
    probe(static_cast<std::int32_t>(random.between(1, std::numeric_limits<std::int32_t>::max())));
  std::printf("inverse_sqrt: worst relative error %.3g at v = %d\n", worst, worst_v);
  EXPECT_LT(worst, 1.4e-6);
}

}  // namespace
}  // namespace quaver
