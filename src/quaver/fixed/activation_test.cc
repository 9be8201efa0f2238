#include "quaver/fixed/activation.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <limits>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

using Curve = std::function<std::int16_t(std::int16_t)>;

struct Worst {
  double error = 0;  // units of 2^-15
  int x = 0;
};

Worst worst_over_the_domain(const Curve& curve, const std::function<double(int)>& real) {
  Worst worst;
  for (int x = -32768; x <= 32767; ++x) {
    const double error = std::abs(curve(static_cast<std::int16_t>(x)) - real(x) * 32768);
    if (error > worst.error) worst = {error, x};
  }
  return worst;
}

// Of the 65,536 results in order of x, two bytes each, low byte first.
std::string fingerprint(const Curve& curve) {
  std::vector<std::byte> bytes;
  for (int x = -32768; x <= 32767; ++x) {
    const auto y = static_cast<std::uint16_t>(curve(static_cast<std::int16_t>(x)));
    bytes.push_back(static_cast<std::byte>(y & 255));
    bytes.push_back(static_cast<std::byte>(y >> 8));
  }
  return hex64(fnv1a(bytes));
}

struct Point {
  std::int16_t x, y;
};

// The tables below, the fingerprints and the worst errors come from an independent reading of the arithmetic in numpy
// that agrees with LiteRT byte for byte.
TEST(Sigmoid, PointsOfTheReference) {
  constexpr std::array<Point, 32> kPoints{
      {{-32768, 11},   {-32767, 11},   {-30000, 25},   {-20000, 243}, {-16384, 585}, {-12345, 1531}, {-8192, 3901},
       {-4096, 8815},  {-2048, 12367}, {-1024, 14345}, {-100, 16183}, {-3, 16375},   {-2, 16379},    {-1, 16383},
       {0, 16384},     {1, 16384},     {2, 16388},     {3, 16392},    {50, 16480},   {100, 16584},   {777, 17932},
       {1024, 18422},  {2048, 20400},  {4096, 23952},  {5000, 25306}, {8192, 28866}, {12345, 31236}, {16384, 32182},
       {20000, 32524}, {30000, 32742}, {32766, 32756}, {32767, 32756}}};
  for (const Point& p : kPoints) EXPECT_EQ(sigmoid_q0_15(p.x, 3), p.y) << "sigmoid of " << p.x << " / 2^12";
}

TEST(Tanh, PointsOfTheReference) {
  constexpr std::array<Point, 20> kPoints0{{{-32768, -24964}, {-32767, -24964}, {-30000, -23716}, {-20000, -17844},
                                            {-16384, -15136}, {-8192, -8032},   {-1024, -1028},   {-3, 4},
                                            {-2, 4},          {-1, 8},          {0, 0},           {1, -8},
                                            {2, -4},          {3, -4},          {50, 56},         {777, 780},
                                            {8192, 8032},     {30000, 23716},   {32766, 24960},   {32767, 24964}}};
  constexpr std::array<Point, 20> kPoints3{{{-32768, -32767}, {-16384, -32744}, {-12345, -32616}, {-8192, -31596},
                                            {-4096, -24964},  {-2048, -15136},  {-1024, -8032},   {-100, -792},
                                            {-3, -20},        {-2, -24},        {-1, -8},         {0, 0},
                                            {1, 8},           {3, 20},          {50, 400},        {777, 6144},
                                            {5000, 27524},    {12345, 32616},   {16384, 32744},   {32767, 32767}}};
  constexpr std::array<Point, 14> kPoints6{{{-32768, -32767},
                                            {-4096, -32767},
                                            {-2048, -32744},
                                            {-1024, -31596},
                                            {-100, -6316},
                                            {-3, -192},
                                            {-2, -120},
                                            {-1, -64},
                                            {0, 0},
                                            {1, 64},
                                            {50, 3192},
                                            {777, 29768},
                                            {2048, 32744},
                                            {32767, 32767}}};
  for (const Point& p : kPoints0) EXPECT_EQ(tanh_q0_15(p.x, 0), p.y) << "tanh of " << p.x << " / 2^15";
  for (const Point& p : kPoints3) EXPECT_EQ(tanh_q0_15(p.x, 3), p.y) << "tanh of " << p.x << " / 2^12";
  for (const Point& p : kPoints6) EXPECT_EQ(tanh_q0_15(p.x, 6), p.y) << "tanh of " << p.x << " / 2^9";
}

TEST(Sigmoid, WholeDomain) {
  const std::array<std::string, 2> fingerprints{"0c53053b6c3100c4", "410d7ec4397eac8f"};
  for (int m = kMinSigmoidIntegerBits; m <= kMaxSigmoidIntegerBits; ++m) {
    const auto curve = [m](std::int16_t x) { return sigmoid_q0_15(x, m); };
    const double step = std::ldexp(1.0, m - 15);
    const Worst worst = worst_over_the_domain(curve, [step](int x) { return 1 / (1 + std::exp(-x * step)); });
    std::printf("sigmoid m = %d: worst error %.3f of 2^-15 at x = %d\n", m, worst.error, worst.x);
    EXPECT_LE(worst.error, 6.4) << "m = " << m;  // (A10)
    EXPECT_EQ(fingerprint(curve), fingerprints[static_cast<std::size_t>(m - kMinSigmoidIntegerBits)]) << "m = " << m;
  }
}

TEST(Tanh, WholeDomain) {
  constexpr std::array<double, 7> kBounds{11.70, 12.05, 12.05, 11.80, 11.52, 11.19, 11.19};  // (A11)
  const std::array<std::string, 7> fingerprints{"7ba16fd74eb76a73", "367455b5876e9215", "80567d4f0c05d1a1",
                                                "0ab2e663b18ab5c1", "71117f57c5d5d098", "fe1a64c4ee250c04",
                                                "5c6c54cbf9605572"};
  for (int m = 0; m <= kMaxTanhIntegerBits; ++m) {
    const auto curve = [m](std::int16_t x) { return tanh_q0_15(x, m); };
    const double step = std::ldexp(1.0, m - 15);
    const Worst worst = worst_over_the_domain(curve, [step](int x) { return std::tanh(x * step); });
    std::printf("tanh m = %d: worst error %.3f of 2^-15 at x = %d\n", m, worst.error, worst.x);
    EXPECT_LE(worst.error, kBounds[static_cast<std::size_t>(m)]) << "m = " << m;
    EXPECT_EQ(fingerprint(curve), fingerprints[static_cast<std::size_t>(m)]) << "m = " << m;
  }
}

TEST(Activation, SymmetryHoldsExactly) {
  for (int x = 1; x <= 32767; ++x) {
    const auto plus = static_cast<std::int16_t>(x), minus = static_cast<std::int16_t>(-x);
    for (int m = kMinSigmoidIntegerBits; m <= kMaxSigmoidIntegerBits; ++m)
      ASSERT_EQ(sigmoid_q0_15(plus, m) + sigmoid_q0_15(minus, m), 32767) << x;
    for (int m = 0; m <= kMaxTanhIntegerBits; ++m) ASSERT_EQ(tanh_q0_15(plus, m), -tanh_q0_15(minus, m)) << x;
  }
}

// (A9) Relative: the Taylor tail (1/8)^5/120 = 2^-21.9. Absolute: half a step of 2^-31 from each of the up to seven
// stages and from the eight roundings of the Taylor part.
double exp_error_bound(double value) { return value * 0x1p-21 + 8 * 0x1p-31; }

TEST(ExpOnNegative, WithinItsBoundOfTheRealFunction) {
  double worst_share = 0;
  std::int32_t worst_x = 0;
  const auto probe = [&](std::int32_t x) {
    const double real = std::exp(x * 0x1p-26);
    const double share = std::abs(exp_on_negative_q0_31(x) * 0x1p-31 - real) / exp_error_bound(real);
    if (share > worst_share) {
      worst_share = share;
      worst_x = x;
    }
  };
  constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  for (std::int64_t x = kMin; x <= 0; x += 9973) probe(static_cast<std::int32_t>(x));
  for (std::int32_t x = -100000; x <= 0; ++x) probe(x);
  Random random(51);
  for (int i = 0; i < 300000; ++i) probe(static_cast<std::int32_t>(random.between(kMin, 0) >> random.below(31)));
  std::printf("exp_on_negative: worst error %.2f of its bound at x = %d\n", worst_share, worst_x);
  EXPECT_LE(worst_share, 1.0);
  EXPECT_EQ(exp_on_negative_q0_31(0), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(exp_on_negative_q0_31(kMin), 0);
}

}  // namespace
}  // namespace quaver
