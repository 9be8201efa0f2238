#include "quaver/kernels/matvec/matvec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/range.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

constexpr std::int32_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax32 = std::numeric_limits<std::int32_t>::max();

// A15 in 64 bits.
std::vector<std::int64_t> plain(MatrixView<const std::int8_t> weights, const std::int8_t* x, const std::int32_t* bias) {
  std::vector<std::int64_t> acc;
  for (std::size_t r = 0; r < weights.rows(); ++r) {
    std::int64_t sum = bias[r];
    for (std::size_t c = 0; c < weights.cols(); ++c) sum += std::int64_t{weights(r, c)} * x[c];
    acc.push_back(sum);
  }
  return acc;
}

std::vector<std::int64_t> run(Isa isa, MatrixView<const std::int8_t> weights, const std::int8_t* x,
                              const std::int32_t* bias, WeightFormatId format = WeightFormatId::kI8) {
  const PackedMatrix packed(weights, format, isa);
  AlignedVector<std::int32_t> acc(padded_rows(weights.rows()), 12345);
  packed.run(x, bias, acc.data());
  AlignedVector<std::int32_t> in_place(bias, bias + acc.size());
  packed.run(x, in_place.data(), in_place.data());
  const auto rows = static_cast<std::ptrdiff_t>(weights.rows());
  EXPECT_TRUE(std::equal(acc.begin(), acc.begin() + rows, in_place.begin())) << "bias and acc may be the same";
  return {acc.begin(), acc.begin() + rows};
}

// A matrix of codes that the format has, within its limit, by `fill`.
std::vector<std::int8_t> codes_of(const WeightFormat& format, Fill fill, std::size_t count, Random& random) {
  const auto limit = static_cast<std::int8_t>(format.limit);
  auto codes = filled<std::int8_t>(fill, count, random, static_cast<std::int8_t>(-limit), limit);
  for (std::int8_t& code : codes) code = format.holds(code) ? code : limit;
  return codes;
}

class MatvecPaths : public testing::TestWithParam<PathCase> {};

// n plays both parts, against row and column counts around the blocks of the vector paths.
TEST_P(MatvecPaths, SameBitsAsScalar) {
  const auto [isa, n, fill] = GetParam();
  QUAVER_SKIP_WITHOUT(isa);
  testing_support::note_exercised("matvec", isa);
  for (const std::size_t other : {1u, 2u, 16u, 63u, 65u, 130u}) {
    for (const auto& [rows, cols] : {std::pair{n, other}, std::pair{other, n}}) {
      Random random(7 + other);
      const auto weights = filled<std::int8_t>(fill, rows * cols, random, -kI8Limit, kI8Limit);
      const auto x = filled<std::int8_t>(fill, cols, random);
      const auto bias = filled<std::int32_t>(fill, padded_rows(rows), random, -(1 << 30), 1 << 30);
      const MatrixView<const std::int8_t> view(weights.data(), rows, cols);
      const auto scalar = run(matvec_paths()[0].isa, view, x.data(), bias.data());
      ASSERT_EQ(scalar, plain(view, x.data(), bias.data())) << rows << "x" << cols;
      ASSERT_EQ(run(isa, view, x.data(), bias.data()), scalar) << rows << "x" << cols;

      for (const WeightFormat& format : weight_formats()) {
        const auto codes = codes_of(format, fill, rows * cols, random);
        const MatrixView<const std::int8_t> matrix(codes.data(), rows, cols);
        ASSERT_EQ(run(isa, matrix, x.data(), bias.data(), format.id), plain(matrix, x.data(), bias.data()))
            << rows << "x" << cols << " of " << format.name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MatvecPaths, testing::ValuesIn(testing_support::path_cases()),
                         testing_support::case_name);

class MatvecIsa : public testing::TestWithParam<Isa> {};

// The deepest sums that A13 allows, and more columns than any path holds on its stack at once.
TEST_P(MatvecIsa, AtTheCliffOfTheAccumulator) {
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::size_t kCols = kMax32 / (127 * 128);
  for (const int sign : {1, -1}) {
    const std::vector<std::int8_t> weights(kCols, static_cast<std::int8_t>(-127 * sign));
    const std::vector<std::int8_t> x(kCols, -128);
    const std::int32_t room = sign > 0 ? kMax32 - static_cast<std::int32_t>(kCols) * 127 * 128
                                       : kMin32 + static_cast<std::int32_t>(kCols) * 127 * 128;
    const std::vector<std::int32_t> bias(kRowBlock, room);
    const MatrixView<const std::int8_t> view(weights.data(), 1, kCols);
    EXPECT_EQ(run(GetParam(), view, x.data(), bias.data())[0], sign > 0 ? kMax32 : kMin32);
  }
}

TEST_P(MatvecIsa, ChunksOfColumns) {  // around those that paths prepare at once
  QUAVER_SKIP_WITHOUT(GetParam());
  Random random(11);
  for (const std::size_t cols : {1023u, 1025u, 1071u, 2081u, 4097u, 4113u}) {
    const auto x = filled<std::int8_t>(Fill::kRandom, cols, random);
    for (const std::size_t rows : {17u, 49u, 80u}) {
      const auto bias = filled<std::int32_t>(Fill::kRandom, padded_rows(rows), random, -(1 << 30), 1 << 30);
      for (const WeightFormat& format : weight_formats()) {
        const auto codes = codes_of(format, Fill::kRandom, rows * cols, random);
        const MatrixView<const std::int8_t> matrix(codes.data(), rows, cols);
        ASSERT_EQ(run(GetParam(), matrix, x.data(), bias.data(), format.id), plain(matrix, x.data(), bias.data()))
            << rows << "x" << cols << " of " << format.name;
      }
    }
  }
}

TEST_P(MatvecIsa, PackedFormatsAtTheirWidest) {  // 2^16 columns (A43)
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::size_t kCols = std::size_t{1} << 16;
  const std::vector<std::int32_t> bias(kRowBlock, 3);
  for (const WeightFormat& format : weight_formats()) {
    if (!format.is_packed()) continue;
    for (const int w : {format.limit, -format.limit}) {
      const std::vector<std::int8_t> weights(kCols, static_cast<std::int8_t>(w));
      for (const int x : {-128, 127}) {
        const std::vector<std::int8_t> xs(kCols, static_cast<std::int8_t>(x));
        EXPECT_EQ(run(GetParam(), {weights.data(), 1, kCols}, xs.data(), bias.data(), format.id)[0],
                  3 + std::int64_t{w} * x * std::int64_t{kCols})
            << format.name;
      }
    }
  }
}

TEST_P(MatvecIsa, EveryCodeInEveryPlaceOfAByte) {
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::size_t kCols = 32, kRows = 64;  // the columns that share a byte, on any path
  for (const WeightFormat& format : weight_formats()) {
    std::vector<std::int8_t> codes;
    for (int code = -format.limit; code <= format.limit; ++code) {
      if (format.holds(code)) codes.push_back(static_cast<std::int8_t>(code));
    }
    std::vector<std::int8_t> weights;  // each with each, and in each row of a register
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t c = 0; c < kCols; ++c) weights.push_back(codes[(row * (1 + c / 4) + c) % codes.size()]);
    }
    const MatrixView<const std::int8_t> view(weights.data(), kRows, kCols);
    const std::vector<std::int32_t> bias(kRows, 0);
    for (const std::int8_t x : std::array<std::int8_t, 5>{-128, -1, 0, 1, 127}) {
      std::vector<std::int8_t> xs;
      for (std::size_t c = 0; c < kCols; ++c) xs.push_back(c % 2 == 0 ? x : static_cast<std::int8_t>(c - 16));
      EXPECT_EQ(run(GetParam(), view, xs.data(), bias.data(), format.id), plain(view, xs.data(), bias.data()))
          << format.name;
    }
  }
}

TEST_P(MatvecIsa, TakesTheBitsOfItsFormat) {  // and a constant a row
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::size_t kRows = 64, kCols = 256;
  const auto& products = find_path(matvec_paths(), GetParam()).products;
  const std::vector<std::int8_t> weights(kRows * kCols, 1);
  for (const WeightFormat& format : weight_formats()) {
    const bool as_bytes = products.of(format.id).run == products.of(WeightFormatId::kI8).run;
    const auto bits = static_cast<std::size_t>(as_bytes ? 8 : format.bits);
    const std::size_t bytes = PackedMatrix({weights.data(), kRows, kCols}, format.id, GetParam()).bytes();
    EXPECT_GE(bytes, kRows * kCols * bits / 8) << format.name;
    EXPECT_LE(bytes, kRows * (kCols * bits / 8 + sizeof(std::int32_t))) << format.name;
  }
}

TEST_P(MatvecIsa, EveryByteIsAWeight) {  // also -128, which symmetric weights avoid but the bytes can hold
  QUAVER_SKIP_WITHOUT(GetParam());
  std::vector<std::int8_t> weights;
  for (int w = -128; w <= 127; ++w) weights.push_back(static_cast<std::int8_t>(w));
  const std::vector<std::int32_t> bias(256, 0);
  for (const std::int8_t x : std::array<std::int8_t, 5>{-128, -1, 0, 1, 127}) {
    const auto acc = run(GetParam(), {weights.data(), 256, 1}, &x, bias.data());
    for (int w = -128; w <= 127; ++w) EXPECT_EQ(acc[static_cast<std::size_t>(w + 128)], w * x);
  }
}

// Four codes that meet in a lane of AVX2's 16-bit sums, on both sides of where these hold them: each with each in the
// lane beside, times weights that drive every sum to its ends.
TEST_P(MatvecIsa, WhereSumsOf16BitsEnd) {
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::array<std::array<int, 4>, 20> kFours{
      {{0, 0, 0, 0},         {127, 1, 0, 0},     {127, 1, 0, 1},     {32, 32, 32, 32},         {33, 32, 32, 32},
       {-128, 0, 0, 0},      {-128, 0, -1, 0},   {-64, -64, 64, 64}, {-64, -65, 64, 64},       {-128, 127, 1, 0},
       {-128, 127, 0, 0},    {-128, 127, 1, 1},  {127, 127, 1, 1},   {127, 127, 1, 2},         {-128, -127, -1, 0},
       {-128, -127, -1, -1}, {-128, -127, 0, 0}, {-128, -128, 0, 0}, {-128, -128, -128, -128}, {127, 127, 127, 127}}};
  std::vector<std::int8_t> x;
  for (const auto& one : kFours) {
    for (const auto& other : kFours) {
      for (const std::size_t half : {0u, 2u}) {
        for (const auto& four : {one, other}) {
          for (const std::size_t k : {half, half + 1}) x.push_back(static_cast<std::int8_t>(four[k]));
        }
      }
    }
  }
  constexpr std::size_t kRows = 64;
  Random random(29);
  for (std::size_t cols = x.size() - 8; cols <= x.size(); ++cols) {
    std::vector<std::int8_t> weights;
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t c = 0; c < cols; ++c) {
        const int with_sign = x[c] < 0 ? -128 : 127;
        const int ends[]{with_sign, -1 - with_sign, -128, 127, static_cast<int>(random.between(-128, 127))};
        weights.push_back(static_cast<std::int8_t>(ends[row % 5]));
      }
    }
    const MatrixView<const std::int8_t> view(weights.data(), kRows, cols);
    const std::vector<std::int32_t> bias(kRows, -7);
    ASSERT_EQ(run(GetParam(), view, x.data(), bias.data()), plain(view, x.data(), bias.data())) << cols;
  }
}

TEST_P(MatvecIsa, ReadsNoColumnBeyondTheLast) {  // the sanitizer build watches the heap's edges
  QUAVER_SKIP_WITHOUT(GetParam());
  for (std::size_t cols = 1; cols <= 40; ++cols) {
    const std::vector<std::int8_t> weights(3 * cols, 1);
    const std::vector<std::int8_t> x(cols, 2);
    const std::vector<std::int32_t> bias(kRowBlock, 1);
    for (const WeightFormat& format : weight_formats())
      EXPECT_EQ(run(GetParam(), {weights.data(), 3, cols}, x.data(), bias.data(), format.id)[2],
                1 + 2 * static_cast<int>(cols));
  }
}

INSTANTIATE_TEST_SUITE_P(All, MatvecIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(Matvec, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(matvec_paths()); }

TEST(Matvec, AnEmptyMatrixDoesNothing) {
  const PackedMatrix none;
  none.run(nullptr, nullptr, nullptr);
  EXPECT_EQ(none.rows(), 0u);
  EXPECT_EQ(none.bytes(), 0u);
}

TEST(FoldZeroPoint, MeansWhatA14Says) {
  Random random(9);
  const std::size_t rows = 19, cols = 33;
  const auto weights = filled<std::int8_t>(Fill::kRandom, rows * cols, random, -kI8Limit, kI8Limit);
  const auto bias = filled<std::int32_t>(Fill::kRandom, rows, random, -100000, 100000);
  const auto x = filled<std::int8_t>(Fill::kRandom, cols, random);
  const MatrixView<const std::int8_t> view(weights.data(), rows, cols);
  constexpr std::int32_t kZeroPoint = -17;
  const auto folded = fold_zero_point(view, bias, kZeroPoint);
  ASSERT_EQ(folded.size(), padded_rows(rows));
  const auto acc = run(Isa::kScalar, view, x.data(), folded.data());
  for (std::size_t r = 0; r < rows; ++r) {
    std::int64_t meant = bias[r];
    for (std::size_t c = 0; c < cols; ++c) meant += std::int64_t{view(r, c)} * (x[c] - kZeroPoint);
    EXPECT_EQ(acc[r], meant);
  }
  const auto without_bias = fold_zero_point(view, {}, 0);
  EXPECT_EQ(std::count(without_bias.begin(), without_bias.end(), 0), static_cast<std::ptrdiff_t>(padded_rows(rows)));
}

TEST(FoldZeroPoint, RefusesSumsThatCanLeave32Bits) {
  const std::vector<std::int8_t> weights(100, 127);
  const MatrixView<const std::int8_t> view(weights.data(), 1, 100);
  constexpr std::int32_t kRoom = kMax32 - 100 * 127 * 127;  // the largest sum has x = 127
  EXPECT_NO_THROW(fold_zero_point(view, std::vector{kRoom}, 0));
  EXPECT_THROW(fold_zero_point(view, std::vector{kRoom + 1}, 0), Error);
  EXPECT_NO_THROW(fold_zero_point(view, std::vector{kMin32 + 100 * 127 * 128}, 0));
  EXPECT_THROW(fold_zero_point(view, std::vector{kMin32 + 100 * 127 * 128 - 1}, 0), Error);
  EXPECT_THROW(fold_zero_point(view, std::vector{kMax32}, -1), Error);
}

}  // namespace
}  // namespace quaver
