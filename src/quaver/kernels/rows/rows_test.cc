#include "quaver/kernels/rows/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::filled;
using testing_support::PathCase;

// Numbers whose sums depend on their order: 12 bits behind the point, up to 2^15 before it.
std::vector<float> numbers(const PathCase& c, std::size_t n, Random& random) {
  std::vector<float> values;
  for (const std::int32_t code : filled<std::int32_t>(c.fill, n, random, -(1 << 27), 1 << 27))
    values.push_back(static_cast<float>(code) * 0x1p-12f);
  return values;
}

class RowsPaths : public testing::TestWithParam<PathCase> {};

// n is the number of rows; widths around what the registers hold.
TEST_P(RowsPaths, SameBitsAsScalar) {
  const PathCase c = GetParam();
  QUAVER_SKIP_WITHOUT(c.isa);
  testing_support::note_exercised("rows", c.isa);
  for (const std::size_t width : {16u, 32u, 64u, 112u}) {
    Random random(5);
    const std::size_t rows = c.n;
    const std::vector<float> matrix = numbers(c, rows * width, random), factors = numbers(c, rows, random),
                             x = numbers(c, width, random), y = numbers(c, width, random);
    const auto run = [&](const RowsPath& path) {
      std::vector<float> dots(rows), weighted = y, outer = matrix, added = y, scaled = y;
      path.dots(matrix.data(), rows, x.data(), width, dots.data());
      path.add_weighted(factors.data(), matrix.data(), rows, width, weighted.data());
      path.add_outer(factors.data(), rows, x.data(), width, outer.data());
      path.add(nullptr, x.data(), width, added.data());
      path.add(matrix.size() < width ? x.data() : matrix.data(), x.data(), width, scaled.data());
      return std::vector{dots, weighted, outer, added, scaled};
    };
    ASSERT_EQ(run(rows_path(c.isa)), run(rows_paths()[0])) << "width " << width;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RowsPaths, testing::ValuesIn(testing_support::path_cases()), testing_support::case_name);

// Whole numbers: every order gives the same sum.
TEST(Rows, AreSumsOfProducts) {
  constexpr std::size_t kRows = 3, kWidth = 32;
  std::vector<float> matrix(kRows * kWidth), x(kWidth), y(kWidth, 1.0f), dots(kRows);
  const std::vector<float> factors{2, -1, 3};
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i % 7) - 3;
  for (std::size_t j = 0; j < kWidth; ++j) x[j] = static_cast<float>(j % 5) - 2;
  const RowsPath& scalar = rows_paths()[0];
  scalar.dots(matrix.data(), kRows, x.data(), kWidth, dots.data());
  scalar.add_weighted(factors.data(), matrix.data(), kRows, kWidth, y.data());
  for (std::size_t r = 0; r < kRows; ++r) {
    float expected = 0;
    for (std::size_t j = 0; j < kWidth; ++j) expected += matrix[r * kWidth + j] * x[j];
    EXPECT_EQ(dots[r], expected);
  }
  for (std::size_t j = 0; j < kWidth; ++j)
    EXPECT_EQ(y[j], 1 + 2 * matrix[j] - matrix[kWidth + j] + 3 * matrix[2 * kWidth + j]);
}

TEST(Rows, HaveEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(rows_paths()); }

}  // namespace
}  // namespace quaver
