#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

using Codes = std::vector<std::int16_t>;

Codes codes(Fill fill, std::size_t n, Random& random, std::int32_t limit) {
  return filled<std::int16_t>(fill, n, random, static_cast<std::int16_t>(-limit), static_cast<std::int16_t>(limit));
}

class SignMagnitudePaths : public testing::TestWithParam<PathCase> {};

// n is the number of rows.
TEST_P(SignMagnitudePaths, SameBitsAsScalar) {
  const PathCase c = GetParam();
  QUAVER_SKIP_WITHOUT(c.isa);
  testing_support::note_exercised("sign_magnitude", c.isa);
  for (const std::size_t width : {32u, 96u}) {
    for (const int bits : {8, 3}) {
      for (const int integer : {0, 2, 5, 7}) {
        if (integer >= bits) continue;
        Random random(11);
        const SignMagnitudeFormat format{integer, bits - 1 - integer}, end{1, bits - 2};
        const std::size_t rows = c.n;
        const ProductRule rule{format.fraction, format.limit()};
        const Codes matrix = codes(c.fill, rows * width, random, format.limit()),
                    x = codes(c.fill, width, random, format.limit()),
                    factors = codes(c.fill, rows, random, format.limit());
        const auto sums = filled<std::int32_t>(c.fill, width, random, -(1 << 20), 1 << 20);
        std::vector<float> values(width), real_factors(rows);
        for (float& value : values) value = static_cast<float>(random.uniform(-2, 2) * (1 << integer));
        for (float& value : real_factors) value = static_cast<float>(random.normal());
        const auto run = [&](const SignMagnitudePath& path) {
          Codes coded(width), limited(width);
          path.code(values.data(), width, format, coded.data());
          path.limit(sums.data(), x.data(), width, format.limit(), limited.data());
          std::vector<Codes> all{coded, limited};
          for (const SignMagnitudeFormat& to : {end, SignMagnitudeFormat{integer + 1, format.fraction},
                                                SignMagnitudeFormat{integer, format.fraction + 1}}) {
            if (std::abs(to.fraction - format.fraction) > 2) continue;
            Codes moved(width);
            path.reformat(x.data(), width, format, to, moved.data());
            all.push_back(moved);
          }
          return all;
        };
        const auto sums_of = [&](const SignMagnitudePath& path) {
          std::vector<std::int32_t> added = sums, dots(rows), weighted = sums, hamming(rows), fine(rows);
          path.add_products(matrix.size() < width ? x.data() : matrix.data(), x.data(), width, rule, added.data());
          path.product_dots(matrix.data(), rows, x.data(), width, rule, dots.data());
          path.add_weighted_products(factors.data(), matrix.data(), rows, width, rule, weighted.data());
          path.hamming_sums(matrix.data(), rows, x.data(), width, {format, format.fraction}, hamming.data());
          path.hamming_sums(matrix.data(), rows, x.data(), width, {format, format.fraction + 1}, fine.data());
          return std::vector{added, dots, weighted, hamming, fine};
        };
        const auto reals_of = [&](const SignMagnitudePath& path) {
          std::vector<float> decoded(width), d_matrix(rows * width), d_x = values, outer(rows * width, 0.5f);
          path.decode(x.data(), width, static_cast<float>(format.step()), decoded.data());
          for (const bool released : {false, true})
            for (const int more : {0, 1})
              path.add_hamming_slopes(real_factors.data(), matrix.data(), rows, x.data(), width,
                                      {format, format.fraction + more, released}, d_matrix.data(), d_x.data());
          path.add_coded_outer(factors.data(), rows, x.data(), width, format, end, outer.data());
          return std::vector{decoded, d_matrix, d_x, outer};
        };
        const SignMagnitudePath &path = sign_magnitude_path(c.isa), &scalar = sign_magnitude_paths()[0];
        const std::string where = "width " + std::to_string(width) + ", " + std::to_string(bits) + " bits, " +
                                  std::to_string(integer) + " integer";
        ASSERT_EQ(run(path), run(scalar)) << where;
        ASSERT_EQ(sums_of(path), sums_of(scalar)) << where;
        ASSERT_EQ(reals_of(path), reals_of(scalar)) << where;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SignMagnitudePaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

class SignMagnitudeIsa : public testing::TestWithParam<Isa> {};

// Every pair of codes that the similarity can read with a bit more: 9 bits each.
TEST_P(SignMagnitudeIsa, ComparesEveryPair) {
  QUAVER_SKIP_WITHOUT(GetParam());
  const SignMagnitudePath& path = sign_magnitude_path(GetParam());
  const SignMagnitudeFormat format{2, 5};
  Codes all(512);
  for (std::size_t j = 0; j < all.size(); ++j)
    all[j] = static_cast<std::int16_t>(std::max<int>(static_cast<int>(j) - 256, -255));
  const float one = 1;
  for (const bool released : {false, true}) {
    for (const std::int16_t a : all) {
      const Codes row(all.size(), a);
      std::vector<float> d_a(all.size()), d_b(all.size());
      path.add_hamming_slopes(&one, row.data(), 1, all.data(), all.size(), {format, 6, released}, d_a.data(),
                              d_b.data());
      for (std::size_t j = 0; j < all.size(); ++j) {
        const HammingSlope slope = hamming_slope(a, all[j], format, 6, released);
        ASSERT_EQ(d_a[j], static_cast<float>(slope.memory)) << a << " " << all[j];
        ASSERT_EQ(d_b[j], static_cast<float>(slope.query)) << a << " " << all[j];
      }
    }
  }
}

// More rows, and a wider row, than a lane of 16 bits can sum.
TEST_P(SignMagnitudeIsa, SumsBeyondSixteenBits) {
  QUAVER_SKIP_WITHOUT(GetParam());
  const SignMagnitudePath& path = sign_magnitude_path(GetParam());
  constexpr std::size_t kRows = 1000, kWidth = 32, kWide = 32 * 1024;
  const Codes matrix(kRows * kWidth, 127), ones(kRows, 1), wide(kWide, -127);
  std::vector<std::int32_t> sums(kWidth, 5);
  path.add_weighted_products(ones.data(), matrix.data(), kRows, kWidth, {0, 127}, sums.data());
  EXPECT_EQ(sums, std::vector<std::int32_t>(kWidth, 127 * 1000 + 5));
  std::int32_t sum = 0;
  path.product_dots(wide.data(), 1, wide.data(), kWide, {7, 127}, &sum);
  EXPECT_EQ(sum, 126 * std::int32_t{kWide});
  path.hamming_sums(wide.data(), 1, wide.data(), kWide, {{2, 5}, 5}, &sum);
  EXPECT_EQ(sum, 127 * std::int32_t{kWide});
}

INSTANTIATE_TEST_SUITE_P(All, SignMagnitudeIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(SignMagnitudePathsTable, HasEveryPathThatWasBuilt) {
  testing_support::expect_rows_of_paths(sign_magnitude_paths());
  EXPECT_EQ(sign_magnitude_path_for(9).isa, Isa::kScalar) << "long words do not fit 16-bit products";
  EXPECT_EQ(sign_magnitude_path_for(8).isa, sign_magnitude_path(chosen_isa()).isa);
}

}  // namespace
}  // namespace quaver
