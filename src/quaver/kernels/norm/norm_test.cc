#include "quaver/kernels/norm/norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/fixed/inverse_sqrt.h"
#include "quaver/fixed/rounding.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;
using testing_support::PathCase;

struct Input {
  std::vector<std::int16_t> in, weight;
  std::vector<std::int32_t> bias;
  LayerNormRule rule;
};

std::vector<std::int16_t> run(const LayerNormPath& path, const Input& input) {
  std::vector<std::int16_t> out(input.in.size());
  path.layer_norm(input.in.data(), input.weight.data(), input.bias.data(), input.rule, out.size(), out.data());
  std::vector<std::int16_t> in_place = input.in;
  path.layer_norm(in_place.data(), input.weight.data(), input.bias.data(), input.rule, out.size(), in_place.data());
  EXPECT_EQ(out, in_place) << "in place is allowed";
  return out;
}

// A28 as it stands in norm.h, every intermediate in 64 bits.
std::vector<std::int16_t> plain(const Input& input) {
  const auto n = static_cast<std::int64_t>(input.in.size());
  std::int64_t sum = 0, squares = 0;
  for (const std::int64_t q : input.in) {
    sum += q;
    squares += q * q;
  }
  const std::int64_t mean10 = sum * 1024 / n;
  std::int64_t variance = (squares * ((std::int64_t{1} << 20) / n) - mean10 * mean10) / (std::int64_t{1} << 20);
  if (variance < 1) variance = input.rule.variance_guard;
  const Multiplier inverse = inverse_sqrt(static_cast<std::int32_t>(variance));
  std::vector<std::int16_t> out;
  for (std::size_t j = 0; j < input.in.size(); ++j) {
    const std::int64_t normal = inverse.apply(static_cast<std::int32_t>(1024 * std::int64_t{input.in[j]} - mean10));
    const std::int64_t scaled = normal * input.weight[j] + input.bias[j];
    const std::int64_t t = (scaled > 0 ? scaled + 512 : scaled - 512) / 1024;
    out.push_back(saturate<std::int16_t>(input.rule.to_q3_12.apply(saturate<std::int32_t>(t))));
  }
  return out;
}

class LayerNormPaths : public testing::TestWithParam<PathCase> {};

TEST_P(LayerNormPaths, SameBitsAsScalar) {
  const auto [isa, n, fill] = GetParam();
  QUAVER_SKIP_WITHOUT(isa);
  testing_support::note_exercised("layer_norm", isa);
  // Scales from "every result rounds to 0" to "every result saturates"; the last shifts left.
  for (const float scale : {1e-9f, 3e-5f, 1e-3f, 0.7f, 200.0f}) {
    for (const std::int16_t spread : std::array<std::int16_t, 4>{0, 1, 3000, 32767}) {
      Random random(13 + static_cast<std::uint64_t>(spread));
      Input input;
      input.in = filled<std::int16_t>(fill, n, random, static_cast<std::int16_t>(-spread - (spread == 32767)), spread);
      input.weight = filled<std::int16_t>(fill, n, random);
      input.bias = filled<std::int32_t>(fill, n, random);
      input.rule = LayerNormRule::from_weight_scale(scale);
      const auto scalar = run(layer_norm_paths()[0], input);
      ASSERT_EQ(scalar, plain(input)) << "scale " << scale << ", spread " << spread;
      ASSERT_EQ(run(layer_norm_path(isa), input), scalar) << "scale " << scale << ", spread " << spread;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LayerNormPaths, testing::ValuesIn(testing_support::path_cases(1)),
                         testing_support::case_name);

class LayerNormIsa : public testing::TestWithParam<Isa> {};

// The largest row, and rows where floor(2^20 / n) makes the variance negative so that the guard stands in while the
// deviations are large: the one way to leave 32 bits after the division by 1024.
TEST_P(LayerNormIsa, AtTheCliff) {
  QUAVER_SKIP_WITHOUT(GetParam());
  for (const std::size_t n : {20001u, 32767u, 32768u}) {
    for (const Fill fill : {Fill::kMinimum, Fill::kMaximum, Fill::kExtremes, Fill::kRandom}) {
      Random random(17);
      Input input;
      input.in = filled<std::int16_t>(fill, n, random);
      input.in[n / 2] = static_cast<std::int16_t>(-input.in[n / 2] / 2);
      input.weight = filled<std::int16_t>(fill, n, random);
      input.bias = filled<std::int32_t>(fill, n, random);
      input.rule = LayerNormRule::from_weight_scale(3e-5f);
      ASSERT_EQ(run(layer_norm_path(GetParam()), input), plain(input)) << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LayerNormIsa, testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         testing_support::isa_case_name);

TEST(LayerNorm, HasEveryPathThatWasBuilt) { testing_support::expect_rows_of_paths(layer_norm_paths()); }

TEST(LayerNorm, BytesOfTheReference) {
  // From the numpy reading of the arithmetic that agrees with LiteRT byte for byte.
  Input input;
  input.in = {-1705, -3011, -321, 1351, 3140,  574, -1082, -1662, 2172, 4387, 982,
              -2783, -2096, 4300, 807,  -4030, 91,  -2608, -1273, -920, -1483};
  input.weight = {23320, 19621, 16463, 22458, 24979, 10142, 18460, 14116, 18961, 12263, 20124,
                  19773, 18174, 13712, 17623, 13452, 11869, 21349, 13344, 27022, 24300};
  input.bias = {5396162,  -4760704, -7925312, -3243877, -6371910, 5397831, 351905,   127226,  -3769901, 114930, 8414265,
                -4748506, 4825171,  -8738347, -3351516, 7798030,  6682737, -7455136, 6174714, 6208682,  -840972};
  input.rule = LayerNormRule::from_weight_scale(4.1e-5f);
  const std::vector<std::int16_t> expected{-1605, -4749, -1389, 2090, 5141,  1494, -1072, -1442, 2737, 4176, 3189,
                                           -4450, -1668, 3128,  809,  -2445, 1388, -4910, 11,    -316, -2338};
  for (const Isa isa : testing_support::paths_here())
    EXPECT_EQ(run(layer_norm_path(isa), input), expected) << isa_name(isa);
}

// (A28) Against real numbers, n a power of two, in steps of Q3.12.
double bound_in_steps(double normal, double weight, double mean, double variance, double step_ratio) {
  const double of_variance = 1 + std::abs(mean) / 512;
  const double of_normal =
      std::abs(normal) * (of_variance / variance / 2 + 1.4e-6) + 0x1p-10 / std::sqrt(variance) + 0x1p-10;
  return (of_normal * std::abs(weight) + 0.5) * step_ratio + 1;
}

TEST(LayerNorm, IsCloseToRealNumbers) {
  Random random(19);
  const std::size_t n = 128;
  double worst_share = 0;
  for (int repeat = 0; repeat < 200; ++repeat) {
    Input input;
    const auto high = static_cast<std::int16_t>(random.between(50, 20000));
    const auto low = static_cast<std::int16_t>(random.between(-high, high - 40));
    input.in = filled<std::int16_t>(Fill::kRandom, n, random, low, high);
    input.weight = filled<std::int16_t>(Fill::kRandom, n, random);
    input.bias = filled<std::int32_t>(Fill::kRandom, n, random, -1000000, 1000000);
    const float scale = 4.1e-5f;
    input.rule = LayerNormRule::from_weight_scale(scale);
    const auto out = run(layer_norm_paths()[0], input);
    double mean = 0, variance = 0;
    for (const double q : input.in) mean += q / static_cast<double>(n);
    for (const double q : input.in) variance += (q - mean) * (q - mean) / static_cast<double>(n);
    for (std::size_t j = 0; j < n; ++j) {
      const double normal = (input.in[j] - mean) / std::sqrt(variance);
      const double step_ratio = static_cast<double>(scale) * 4096;
      const double real = (normal * input.weight[j] + input.bias[j] / 1024.0) * step_ratio;
      const double bound = bound_in_steps(normal, input.weight[j], mean, variance, step_ratio);
      worst_share = std::max(worst_share, std::abs(out[j] - std::clamp(real, -32768.0, 32767.0)) / bound);
    }
  }
  std::printf("layer_norm: worst error %.2f of its bound\n", worst_share);
  EXPECT_LE(worst_share, 1.0);
}

TEST(LayerNormRule, GuardAndMultiplierComeFromTheScale) {
  const LayerNormRule small = LayerNormRule::from_weight_scale(1e-6f);
  EXPECT_EQ(small.variance_guard, 1);
  EXPECT_EQ(LayerNormRule::from_weight_scale(0.01f).variance_guard, 100);
  EXPECT_NEAR(small.to_q3_12.to_real(), 1e-6 * 4096, 1e-9);
  for (const float scale : {0.0f, -1.0f, 1e9f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THROW(LayerNormRule::from_weight_scale(scale), Error) << scale;
  }
}

}  // namespace
}  // namespace quaver
