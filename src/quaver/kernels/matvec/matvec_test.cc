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
        const auto limit = static_cast<std::int8_t>(format.limit);
        const auto codes = filled<std::int8_t>(fill, rows * cols, random, static_cast<std::int8_t>(-limit), limit);
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

TEST_P(MatvecIsa, FourBitsAtTheirWidest) {  // 2^16 columns (A43)
  QUAVER_SKIP_WITHOUT(GetParam());
  constexpr std::size_t kCols = std::size_t{1} << 16;
  for (const int w : {7, -7}) {
    const std::vector<std::int8_t> weights(kCols, static_cast<std::int8_t>(w));
    const std::vector<std::int32_t> bias(kRowBlock, 3);
    for (const int x : {-128, 127}) {
      const std::vector<std::int8_t> xs(kCols, static_cast<std::int8_t>(x));
      EXPECT_EQ(run(GetParam(), {weights.data(), 1, kCols}, xs.data(), bias.data(), WeightFormatId::kI4)[0],
                3 + std::int64_t{w} * x * std::int64_t{kCols});
    }
  }
}

TEST_P(MatvecIsa, EveryNibbleIsAWeight) {
  QUAVER_SKIP_WITHOUT(GetParam());
  std::vector<std::int8_t> weights;  // each with each in the columns that share a byte, on any path
  for (int row = 0; row < 15; ++row) {
    for (int c = 0; c < 8; ++c) weights.push_back(static_cast<std::int8_t>((row * (c < 4 ? 1 : 2) + c) % 15 - 7));
  }
  const std::vector<std::int32_t> bias(kRowBlock, 0);
  for (const std::int8_t x : std::array<std::int8_t, 5>{-128, -1, 0, 1, 127}) {
    const std::vector<std::int8_t> xs{x, 1, x, 2, x, 3, x, 4};
    const MatrixView<const std::int8_t> view(weights.data(), 15, 8);
    EXPECT_EQ(run(GetParam(), view, xs.data(), bias.data(), WeightFormatId::kI4), plain(view, xs.data(), bias.data()));
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
