// Dense layers: the integer one within its budget of real numbers, the same bits on every path.
#include "quaver/cells/feedforward/dense.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <vector>

#include "quaver/cells/error_budget.h"
#include "quaver/cells/test_cells.h"
#include "quaver/core/error.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr Affine kInput{10.0f / 255, 5};

struct RandomDense {
  RandomDense(std::size_t columns, std::size_t rows, std::size_t groups, Random& random) : cols(columns), units(rows) {
    W = normal(random, units * cols, 1 / std::sqrt(static_cast<double>(cols)));
    b = uniform(random, units, -0.5, 0.5);
    scales = weight_scales(W, groups, kI8Limit, b, static_cast<double>(kInput.scale));
    W_codes = codes_of<std::int8_t>(W, scales, 1, kI8Limit);
    b_codes = codes_of<std::int32_t>(b, scales, static_cast<double>(kInput.scale), 1 << 29);
  }
  MatrixView<const float> real() const { return {W.data(), units, cols}; }
  DenseIntParams coded(Affine y) const { return {{W_codes.data(), units, cols}, b_codes, scales, kInput, y}; }

  std::size_t cols, units;
  Floats W, b, scales;
  std::vector<std::int8_t> W_codes;
  std::vector<std::int32_t> b_codes;
};

template <typename Code>
std::vector<Code> run(const DenseInt& dense, const std::vector<std::int8_t>& x) {
  AlignedVector<std::byte> scratch(dense.scratch_bytes());
  std::vector<Code> y(dense.units());
  dense.run(x.data(), y.data(), scratch.data());
  return y;
}

// (A42) y in int8 and in int16.
template <typename Code>
void hold_to_budget(std::size_t cols, std::size_t units, std::size_t groups, Affine y) {
  Random random(81);
  const RandomDense layer(cols, units, groups, random);
  const DenseRef float_layer(layer.real(), layer.b);
  const DenseInt dense(layer.coded(y), Isa::kScalar);
  const double step = static_cast<double>(y.scale), in_step = static_cast<double>(kInput.scale);
  const double low = step * (std::numeric_limits<Code>::min() - y.zero_point);
  const double high = step * (std::numeric_limits<Code>::max() - y.zero_point);
  Held held;
  for (int round = 0; round < 40; ++round) {
    const Floats x = normal(random, cols, 1.0);
    Floats real(units);
    float_layer.run(x.data(), real.data());
    const auto bounds = [&]<Reading reading>(std::vector<Tracked<reading>> inputs) {
      for (const float value : x) inputs.push_back(rounded(Tracked<reading>{static_cast<double>(value), 0}, in_step));
      auto sums = product<reading>(layer.real(), layer.scales, inputs, coded<reading>(layer.b, layer.scales, in_step));
      for (auto& sum : sums) sum = limited(requantized(sum, step), low, high);
      return sums;
    };
    const auto bound = bounds(std::vector<Tracked<Reading::kWorst>>());
    const auto likely = bounds(std::vector<Tracked<Reading::kExpected>>());
    const std::vector<Code> found = run<Code>(dense, codes_of(x, kInput));
    for (std::size_t j = 0; j < units; ++j) {
      EXPECT_NEAR(static_cast<double>(real[j]), bound[j].value, 1e-5);
      held.add(step * (found[j] - y.zero_point) - bound[j].value, bound[j].error, likely[j].error);
    }
  }
  std::printf("  %3zux%2zu to i%zu: worst error %.2g, %2.0f %% of its bound; rms %.2f of expected\n", units, cols,
              8 * sizeof(Code), held.worst_error, 100 * held.worst_ratio, held.expected_ratio());
  EXPECT_LE(held.worst_ratio, 1.0);
  if (units < 30) return;
  EXPECT_GT(held.expected_ratio(), 0.8);
  EXPECT_LT(held.expected_ratio(), 1.2);
}

TEST(Dense, StaysInItsBudget) {
  hold_to_budget<std::int8_t>(1, 1, 1, {0.05f, -20});
  hold_to_budget<std::int8_t>(40, 64, 64, {0.04f, 7});
  hold_to_budget<std::int8_t>(40, 64, 1, {0.04f, 7});
  hold_to_budget<std::int16_t>(40, 64, 64, {2e-4f, 0});
  hold_to_budget<std::int16_t>(1, 1, 1, {2e-4f, 0});
}

TEST(Dense, EveryPathGivesTheSameBits) {
  for (const auto& [cols, units] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {3, 15}, {16, 16}, {33, 17}, {130, 70}}) {
    Random random(82);
    const RandomDense layer(cols, units, units, random);
    for (const int fill : {-128, 127, 0}) {
      std::vector<std::int8_t> x(cols, static_cast<std::int8_t>(fill));
      for (std::int8_t& code : x)
        if (fill == 0) code = static_cast<std::int8_t>(random.between(-128, 127));
      // The second output format saturates nearly everywhere.
      for (const Affine y : {Affine{0.04f, 7}, Affine{1e-4f, -128}}) {
        const auto expected = run<std::int8_t>(DenseInt(layer.coded(y), Isa::kScalar), x);
        for (const Isa isa : other_paths())
          EXPECT_EQ(run<std::int8_t>(DenseInt(layer.coded(y), isa), x), expected) << isa_name(isa);
      }
      for (const Affine y : {Affine{1e-3f, 0}, Affine{1e-7f, 0}}) {
        const auto expected = run<std::int16_t>(DenseInt(layer.coded(y), Isa::kScalar), x);
        for (const Isa isa : other_paths())
          EXPECT_EQ(run<std::int16_t>(DenseInt(layer.coded(y), isa), x), expected) << isa_name(isa);
      }
    }
  }
}

TEST(Dense, RefusesSumsThatCanLeave32Bits) {
  Random random(83);
  RandomDense layer(4, 6, 6, random);
  EXPECT_NO_THROW(DenseInt(layer.coded({0.05f, 0}), Isa::kScalar));
  layer.b_codes[3] = std::numeric_limits<std::int32_t>::max();
  EXPECT_THROW(DenseInt(layer.coded({0.05f, 0}), Isa::kScalar), Error);
}

}  // namespace
}  // namespace quaver
