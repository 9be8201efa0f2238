#include "quaver/kernels/elementwise/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/fixed/activation.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

constexpr std::int32_t kMax32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMin32 = std::numeric_limits<std::int32_t>::min();

// The definitions of elementwise.h once more, straight from arithmetic.md: 64 bits, division instead of shifts.
std::int64_t plain_divide(std::int64_t x, int k) {
  const std::int64_t half = (std::int64_t{1} << k) / 2;
  return (x + (x < 0 ? -half : half)) / (std::int64_t{1} << k);
}

std::int64_t plain_apply(std::int64_t x, Multiplier m) {
  const int left = std::max(m.exponent, 0);
  const std::int64_t shifted = std::clamp<std::int64_t>(x * (std::int64_t{1} << left), kMin32, kMax32);
  const std::int64_t product = shifted * m.mantissa;
  const std::int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
  return plain_divide((product + nudge) / (std::int64_t{1} << 31), std::max(-m.exponent, 0));
}

std::int16_t sat16(std::int64_t x) { return static_cast<std::int16_t>(std::clamp<std::int64_t>(x, -32768, 32767)); }
std::int8_t sat8(std::int64_t x) { return static_cast<std::int8_t>(std::clamp<std::int64_t>(x, -128, 127)); }

// Multipliers of every size, those at the ends of their range among them.
std::vector<Multiplier> multipliers(std::size_t n, int max_exponent, Random& random) {
  const std::array<Multiplier, 5> ends{{{0, 0}, {1 << 30, -31}, {kMax32, -31}, {kMax32, max_exponent}, {kMax32, 0}}};
  std::vector<Multiplier> rows;
  for (std::size_t j = 0; j < n; ++j) {
    if (random.below(4) == 0) {
      rows.push_back(ends[random.below(ends.size())]);
    } else {
      rows.push_back({static_cast<std::int32_t>(random.between(1 << 30, kMax32)),
                      static_cast<std::int32_t>(random.between(-31, max_exponent))});
    }
  }
  return rows;
}

constexpr std::array<int, 2> kMaxExponents{0, 30};  // without and with a left shift

constexpr std::array<SumLimits, 2> kLimits{kCutHalves, kWholeSums};

constexpr std::array<OutputCodes, 4> kCodes{{{0, -128, 127}, {-128, -128, 127}, {127, -100, 90}, {-3, 5, 5}}};

class ElementwisePaths : public testing::TestWithParam<PathCase> {
 protected:
  void SetUp() override {
    QUAVER_SKIP_WITHOUT(GetParam().isa);
    testing_support::note_exercised("elementwise", GetParam().isa);
  }

  template <typename T = std::int16_t>
  std::vector<T> input(T low = std::numeric_limits<T>::min(), T high = std::numeric_limits<T>::max()) {
    return filled<T>(GetParam().fill, n(), random_, low, high);
  }
  // Of the other end, so that products and sums meet both equal and opposite signs.
  std::vector<std::int16_t> opposite() {
    const Fill fill = GetParam().fill;
    return filled<std::int16_t>(fill == Fill::kMinimum   ? Fill::kMaximum
                                : fill == Fill::kMaximum ? Fill::kMinimum
                                                         : fill,
                                n(), random_);
  }
  std::size_t n() const { return GetParam().n; }
  const ElementwisePath& scalar() const { return elementwise_paths()[0]; }
  const ElementwisePath& path() const { return elementwise_path(GetParam().isa); }

  // Runs `call(path, out)` on a copy of `start` for row 0 and for this path; both must be `expected`.
  template <typename T, typename Call>
  void check(const std::vector<T>& expected, const std::vector<T>& start, const Call& call) {
    std::vector<T> by_scalar = start;
    call(scalar(), by_scalar.data());
    ASSERT_EQ(by_scalar, expected) << "scalar differs from the definition";
    std::vector<T> by_path = start;
    call(path(), by_path.data());
    ASSERT_EQ(by_path, by_scalar);
  }

  Random random_{7};
};

TEST_P(ElementwisePaths, RequantizeI16) {
  for (const int max_exponent : kMaxExponents) {
    const auto rows = multipliers(n(), max_exponent, random_);
    const RowMultipliers m = RowMultipliers::from(rows);
    for (const int shift : {0, 8, 16, 24}) {
      auto acc = input<std::int32_t>();
      for (auto& a : acc) a >>= shift;
      std::vector<std::int16_t> expected(n());
      for (std::size_t j = 0; j < n(); ++j) expected[j] = sat16(plain_apply(acc[j], rows[j]));
      check(expected, input(), [&](const auto& p, auto* out) { p.requantize_i16(acc.data(), m, n(), out); });
    }
  }
}

TEST_P(ElementwisePaths, RequantizeSumI16) {
  for (const int max_exponent : kMaxExponents) {
    const auto a_rows = multipliers(n(), max_exponent, random_), b_rows = multipliers(n(), max_exponent, random_);
    const RowMultipliers ma = RowMultipliers::from(a_rows), mb = RowMultipliers::from(b_rows);
    for (const int shift : {0, 8, 16, 24}) {
      auto a = input<std::int32_t>();
      auto b = filled<std::int32_t>(Fill::kRandom, n(), random_);
      for (std::size_t j = 0; j < n(); ++j) {
        a[j] >>= shift;
        b[j] >>= shift;
      }
      for (const SumLimits limits : kLimits) {
        std::vector<std::int16_t> expected(n());
        for (std::size_t j = 0; j < n(); ++j) {
          const std::int64_t half = std::clamp<std::int64_t>(plain_apply(a[j], a_rows[j]), limits.low, limits.high);
          expected[j] = sat16(half + plain_apply(b[j], b_rows[j]));
        }
        check(expected, input(),
              [&](const auto& p, auto* out) { p.requantize_sum_i16(a.data(), ma, b.data(), mb, limits, n(), out); });
      }
    }
  }
}

TEST_P(ElementwisePaths, RequantizeByPowersOfTwo) {
  auto acc = input<std::int32_t>(-(1 << 30) + 1, (1 << 30) - 1);
  for (std::size_t j = 0; j < n(); j += 2) acc[j] /= 1 << 20;
  for (const int shift : {-29, -3, 0, 1, 7, 20, 31}) {
    RowMultipliers m;
    m.append(n(), Rescaling::by_power_of_two(shift));
    std::vector<std::int16_t> expected(n());
    for (std::size_t j = 0; j < n(); ++j)
      expected[j] = sat16(shift > 0 ? plain_divide(acc[j], shift) : std::int64_t{acc[j]} * (std::int64_t{1} << -shift));
    check(expected, std::vector<std::int16_t>(n()),
          [&](const auto& p, auto* out) { p.requantize_i16(acc.data(), m, n(), out); });
  }
}

TEST_P(ElementwisePaths, AddRescaledI8) {
  for (const int max_exponent : kMaxExponents) {
    for (const int shift : {0, 8, 16, 24}) {
      const auto pair = multipliers(2, max_exponent, random_);
      auto a = input<std::int32_t>();
      auto b = filled<std::int32_t>(Fill::kRandom, n(), random_);
      for (std::size_t j = 0; j < n(); ++j) {
        a[j] >>= shift;
        b[j] >>= shift;
        if (j % 3 == 0) b[j] = -(a[j] / 2) - static_cast<std::int32_t>(j % 600);  // sums next to 0
      }
      for (const int bits : {1, 8, 15}) {
        for (const std::int32_t limit : {127, 7, 0}) {
          std::vector<std::int8_t> expected(n());
          for (std::size_t j = 0; j < n(); ++j) {
            const std::int64_t sum =
                std::clamp<std::int64_t>(plain_apply(a[j], pair[0]) + plain_apply(b[j], pair[1]), kMin32, kMax32);
            expected[j] = static_cast<std::int8_t>(std::clamp<std::int64_t>(plain_divide(sum, bits), -limit, limit));
          }
          check(expected, std::vector<std::int8_t>(n()), [&](const auto& p, auto* out) {
            p.add_rescaled_i8(a.data(), Rescaling::from(pair[0]), b.data(), Rescaling::from(pair[1]), bits, limit, n(),
                              out);
          });
        }
      }
    }
  }
}

TEST_P(ElementwisePaths, RequantizeI8) {
  for (const int max_exponent : kMaxExponents) {
    const auto rows = multipliers(n(), max_exponent, random_);
    const RowMultipliers m = RowMultipliers::from(rows);
    for (const int shift : {0, 8, 16, 24}) {
      auto acc = input<std::int32_t>();
      for (auto& a : acc) a >>= shift;
      for (const OutputCodes codes : kCodes) {
        std::vector<std::int8_t> expected(n());
        for (std::size_t j = 0; j < n(); ++j) {
          expected[j] = static_cast<std::int8_t>(
              std::clamp<std::int64_t>(plain_apply(acc[j], rows[j]) + codes.zero_point, codes.low, codes.high));
        }
        check(expected, std::vector<std::int8_t>(n()),
              [&](const auto& p, auto* out) { p.requantize_i8(acc.data(), m, codes, n(), out); });
      }
    }
  }
}

// Halves of sums: within +-2^29, many near the ends of 16 bits.
std::vector<std::int32_t> sums(std::size_t n, Random& random) {
  std::vector<std::int32_t> values(n);
  for (std::int32_t& value : values) {
    const std::int64_t limit = random.below(3) == 0 ? 1 << 29 : 40000;
    value = static_cast<std::int32_t>(random.below(8) == 0 ? (random.below(2) == 0 ? limit : -limit)
                                                           : random.between(-limit, limit));
  }
  return values;
}

TEST_P(ElementwisePaths, PeepholeAdd) {
  const auto p_codes = input();
  for (const auto& c : {input(), opposite()}) {
    const auto before = sums(n(), random_);
    for (const Multiplier m : multipliers(8, 30, random_)) {
      std::vector<std::int16_t> expected(n());
      for (std::size_t j = 0; j < n(); ++j)
        expected[j] = sat16(before[j] + plain_apply(std::int64_t{p_codes[j]} * c[j], m));
      check(expected, std::vector<std::int16_t>(n()),
            [&](const auto& p, auto* out) { p.peephole_add(before.data(), p_codes.data(), c.data(), m, n(), out); });
    }
  }
}

TEST_P(ElementwisePaths, AddSums) {
  const auto a = sums(n(), random_), b = sums(n(), random_);
  std::vector<std::int16_t> both(n()), alone(n());
  for (std::size_t j = 0; j < n(); ++j) {
    both[j] = sat16(std::int64_t{a[j]} + b[j]);
    alone[j] = sat16(a[j]);
  }
  check(both, input(), [&](const auto& p, auto* out) { p.add_sums(a.data(), b.data(), n(), out); });
  check(alone, input(), [&](const auto& p, auto* out) { p.add_sums(a.data(), nullptr, n(), out); });
}

TEST_P(ElementwisePaths, Curves) {
  const auto in = input();
  std::vector<std::int16_t> expected(n());
  for (const CurveRow& row : kCurves) {
    for (int m = row.least_integer_bits; m <= row.most_integer_bits; ++m) {
      for (std::size_t j = 0; j < n(); ++j) expected[j] = row.apply(in[j], m);
      check(expected, in, [&](const auto& p, auto* out) { p.curve(row.curve, in.data(), m, n(), out); });
      check(expected, in, [&](const auto& p, auto* inout) { p.curve(row.curve, inout, m, n(), inout); });
    }
  }
}

TEST_P(ElementwisePaths, OneMinus) {
  const auto in = input();
  std::vector<std::int16_t> expected(n());
  for (std::size_t j = 0; j < n(); ++j) expected[j] = sat16(32767 - in[j]);
  check(expected, in, [&](const auto& p, auto* inout) { p.one_minus(inout, n(), inout); });
}

TEST_P(ElementwisePaths, LstmCellUpdate) {
  const auto i = input(), f = input(), before = input();
  for (const auto& z : {input(), opposite()}) {
    for (int fraction_bits = 9; fraction_bits <= 15; ++fraction_bits) {
      for (const std::int32_t clip : {0, 1, 12345, 32767}) {
        std::vector<std::int16_t> expected(n());
        for (std::size_t j = 0; j < n(); ++j) {
          const std::int64_t sum = plain_divide(std::int64_t{f[j]} * before[j], 15) +
                                   plain_divide(std::int64_t{i[j]} * z[j], 30 - fraction_bits);
          expected[j] =
              clip > 0 ? static_cast<std::int16_t>(std::clamp<std::int64_t>(sat16(sum), -clip, clip)) : sat16(sum);
        }
        check(expected, before, [&](const auto& p, auto* c) {
          p.lstm_cell_update(i.data(), f.data(), z.data(), fraction_bits, clip, n(), c);
        });
      }
    }
  }
}

TEST_P(ElementwisePaths, LstmHidden) {
  const auto o = input();
  for (const auto& t : {input(), opposite()}) {
    for (const Multiplier m : multipliers(8, 30, random_)) {
      for (const OutputCodes codes : kCodes) {
        std::vector<std::int8_t> expected(n());
        for (std::size_t j = 0; j < n(); ++j) {
          expected[j] = static_cast<std::int8_t>(std::clamp<std::int64_t>(
              plain_apply(std::int64_t{o[j]} * t[j], m) + codes.zero_point, codes.low, codes.high));
        }
        check(expected, std::vector<std::int8_t>(n()),
              [&](const auto& p, auto* out) { p.lstm_hidden(o.data(), t.data(), m, codes, n(), out); });
      }
    }
  }
}

// Of a state's copy: as version 1 of the model file has it, of other ranges, the finest and one that is too coarse.
constexpr std::array<Affine, 5> kStateFormats{
    {{0x1p-7f, 0}, {0.0078f, -1}, {0.0013f, -128}, {0x1p-14f, 127}, {3.0f, -5}}};

// (A27) from its text, in real arithmetic, which is exact here.
std::int8_t plain_state_code(std::int16_t h, const Affine& format) {
  const double factor = 0x1p-15 / static_cast<double>(format.scale);
  int shift = 0;
  while (std::ldexp(factor, shift) <= 0.5) ++shift;
  const double excess = std::round(std::ldexp(std::ldexp(factor, shift) - 1, 15));
  const double scaled = h + std::floor(h * excess / 32768 + 0.5);
  return sat8(static_cast<std::int64_t>(std::round(std::ldexp(scaled, -shift))) + format.zero_point);
}

TEST_P(ElementwisePaths, GruResetAfter) {
  const auto r = input();
  for (const auto& u : {input(), opposite()}) {
    const auto a = sums(n(), random_);
    for (int shift = 11; shift <= 15; ++shift) {
      std::vector<std::int16_t> expected(n());
      for (std::size_t j = 0; j < n(); ++j) expected[j] = sat16(a[j] + plain_divide(std::int64_t{r[j]} * u[j], shift));
      check(expected, std::vector<std::int16_t>(n()),
            [&](const auto& p, auto* out) { p.gru_reset_after(a.data(), r.data(), u.data(), shift, n(), out); });
    }
  }
}

TEST_P(ElementwisePaths, GruResetBefore) {
  const auto r = input<std::int16_t>(0, 32767);
  for (const auto& h : {input(), opposite()}) {
    for (const Affine& format : kStateFormats) {
      std::vector<std::int8_t> expected(n());
      for (std::size_t j = 0; j < n(); ++j)  // C division cuts toward 0
        expected[j] = plain_state_code(sat16(std::int64_t{r[j]} * h[j] / (1 << 15)), format);
      const StateCodes codes = StateCodes::from(format);
      check(expected, std::vector<std::int8_t>(n()),
            [&](const auto& p, auto* out) { p.gru_reset_before(r.data(), h.data(), codes, n(), out); });
      if (format != kStateFormats[0]) continue;
      for (std::size_t j = 0; j < n(); ++j)
        ASSERT_EQ(expected[j], sat8(plain_divide(std::int64_t{r[j]} * h[j], 23))) << "as version 1 has it";
    }
  }
}

TEST_P(ElementwisePaths, GruStateUpdate) {
  const auto z = input<std::int16_t>(0, 32767), before = input();
  for (const auto& candidate : {input(), opposite()}) {
    for (const Affine& format : kStateFormats) {
      std::vector<std::int16_t> state(n());
      std::vector<std::int8_t> narrow(n());
      for (std::size_t j = 0; j < n(); ++j) {
        state[j] = sat16(candidate[j] + plain_divide(std::int64_t{z[j]} * (before[j] - candidate[j]), 15));
        narrow[j] = plain_state_code(state[j], format);
      }
      const StateCodes codes = StateCodes::from(format);
      std::vector<std::int8_t> h8(n());
      check(state, before, [&](const auto& p, auto* h) {
        p.gru_state_update(z.data(), candidate.data(), codes, n(), h, h8.data());
        ASSERT_EQ(h8, narrow);
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ElementwisePaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

class ElementwiseIsa : public testing::TestWithParam<Isa> {};

TEST_P(ElementwiseIsa, CurvesOverTheWholeDomain) {
  QUAVER_SKIP_WITHOUT(GetParam());
  std::vector<std::int16_t> in;
  for (int x = -32768; x <= 32767; ++x) in.push_back(static_cast<std::int16_t>(x));
  std::vector<std::int16_t> expected(in.size()), got(in.size());
  const ElementwisePath& path = elementwise_path(GetParam());
  for (const CurveRow& row : kCurves) {
    for (int m = row.least_integer_bits; m <= row.most_integer_bits; ++m) {
      std::ranges::transform(in, expected.begin(), [&](std::int16_t x) { return row.apply(x, m); });
      path.curve(row.curve, in.data(), m, in.size(), got.data());
      EXPECT_EQ(got, expected) << row.name << ", m = " << m;
    }
  }
  std::vector<std::int8_t> h8(in.size());
  for (const Affine& format : kStateFormats) {
    path.state_codes(in.data(), StateCodes::from(format), in.size(), h8.data());
    for (std::size_t j = 0; j < in.size(); ++j) {
      ASSERT_EQ(h8[j], plain_state_code(in[j], format)) << in[j] << " in steps of " << format.scale;
      if (format == kStateFormats[0]) {
        ASSERT_EQ(h8[j], sat8(plain_divide(in[j], 8))) << "as version 1 has it";
      }
      // (A27) Beside half a step no more than half a step of h, and the factor's 2^-15 of the code.
      const double exact = in[j] * 0x1p-15 / static_cast<double>(format.scale) + format.zero_point;
      if (exact > -128 && exact < 127) {
        ASSERT_NEAR(h8[j], exact, 0.5 + 0x1p-16 / static_cast<double>(format.scale) + 255 * 0x1p-15) << in[j];
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ElementwiseIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(Curves, RowsStandAtTheirCurves) {
  for (std::size_t i = 0; i < kCurves.size(); ++i) EXPECT_EQ(static_cast<std::size_t>(kCurves[i].curve), i);
}

TEST(Elementwise, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(elementwise_paths()); }

}  // namespace
}  // namespace quaver
