#include "quaver/quantize/compensated_rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "quaver/core/random.h"
#include "quaver/fixed/quantization.h"

namespace quaver::testing {
namespace {

using Floats = std::vector<float>;

Floats normals(Random& random, std::size_t count) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

// Vectors that share a few directions, as a network's activations do.
std::vector<Floats> correlated(Random& random, std::size_t count, std::size_t n, std::size_t directions) {
  const Floats mix = normals(random, n * directions);
  std::vector<Floats> vectors;
  for (std::size_t v = 0; v < count; ++v) {
    const Floats sources = normals(random, directions);
    Floats x = normals(random, n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] *= 0.3f;
      for (std::size_t d = 0; d < directions; ++d) x[i] += mix[i * directions + d] * sources[d];
    }
    vectors.push_back(std::move(x));
  }
  return vectors;
}

SecondMoment moment_of(const std::vector<Floats>& vectors) {
  SecondMoment moment;
  for (const Floats& x : vectors) moment.add(x);
  return moment;
}

const WeightFormat& kBytes = weight_format(WeightFormatId::kI8);

// Bytes of which only the codes up to a limit are used.
WeightFormat up_to(std::int32_t limit) {
  WeightFormat format = kBytes;
  format.limit = limit;
  format.levels = 2 * limit + 1;
  return format;
}

std::vector<std::int8_t> nearest(const Floats& weights, float scale, const WeightFormat& format) {
  std::vector<std::int8_t> codes;
  for (const float w : weights)
    codes.push_back(static_cast<std::int8_t>(format.nearest(static_cast<double>(w), static_cast<double>(scale))));
  return codes;
}

// Mean of (w x - s q x)^2.
double output_error(const Floats& w, std::span<const std::int8_t> q, float scale, const std::vector<Floats>& data) {
  double sum = 0;
  for (const Floats& x : data) {
    double error = 0;
    for (std::size_t i = 0; i < w.size(); ++i)
      error += (static_cast<double>(w[i]) - q[i] * static_cast<double>(scale)) * static_cast<double>(x[i]);
    sum += error * error;
  }
  return sum / static_cast<double>(data.size());
}

TEST(SecondMoment, IsTheMeanOfProducts) {
  Random random(1);
  const std::vector<Floats> vectors = correlated(random, 37, 5, 2);  // two whole batches and a rest
  const SecondMoment moment = moment_of(vectors);
  EXPECT_EQ(moment.size(), 5u);
  EXPECT_EQ(moment.count(), 37u);
  const std::vector<double> mean = moment.lower_mean();
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j < 5; ++j) {
      double sum = 0;
      for (const Floats& x : vectors) sum += static_cast<double>(x[i]) * static_cast<double>(x[j]);
      EXPECT_NEAR(mean[i * 5 + j], j <= i ? sum / 37 : 0.0, 1e-12 * (1 + std::abs(sum)));
    }
  }
}

TEST(CompensatedRounding, WithoutCorrelationItIsRoundingToNearest) {
  Random random(2);
  SecondMoment moment;  // e_0, e_1, ...: C is a multiple of the identity
  constexpr std::size_t n = 24;
  for (std::size_t i = 0; i < n; ++i) {
    Floats x(n, 0.0f);
    x[i] = 1;
    moment.add(x);
  }
  const Floats weights = normals(random, 3 * n);
  const Floats scales(3, 0.02f);
  EXPECT_EQ(round_compensated({weights.data(), 3, n}, scales, kBytes, moment), nearest(weights, 0.02f, kBytes));
  SecondMoment silence;
  silence.add(Floats(n, 0.0f));
  EXPECT_EQ(round_compensated({weights.data(), 3, n}, scales, kBytes, silence), nearest(weights, 0.02f, kBytes));
}

// On data like the one it saw, a row's output error must be well below the nearest codes'; of every format.
TEST(CompensatedRounding, LowersTheErrorOfTheOutput) {
  Random random(3);
  constexpr std::size_t n = 64;
  const std::vector<Floats> all = correlated(random, 2000, n, 8);
  const std::vector<Floats> seen(all.begin(), all.begin() + 1000), fresh(all.begin() + 1000, all.end());
  const SecondMoment moment = moment_of(seen);
  for (const WeightFormat& format : weight_formats()) {
    double compensated = 0, plain = 0;
    for (int row = 0; row < 20; ++row) {
      const Floats w = normals(random, n);
      float largest = 0;
      for (const float value : w) largest = std::max(largest, std::abs(value));
      // Of so few levels the largest are cut off: about a deviation of the weights a step.
      const Floats scale{format.limit > 2 ? largest / static_cast<float>(format.limit) : 1.0f};
      const auto codes = round_compensated({w.data(), 1, n}, scale, format, moment);
      for (const std::int8_t code : codes) ASSERT_TRUE(format.holds(code));
      compensated += output_error(w, codes, scale[0], fresh);
      plain += output_error(w, nearest(w, scale[0], format), scale[0], fresh);
    }
    std::printf("%s: mean squared error %.3f of nearest's\n", std::string(format.name).c_str(), compensated / plain);
    EXPECT_LT(compensated, (format.levels > 3 ? 0.25 : 0.35) * plain) << format.name;
  }
}

// The definition: no single code moved by one gives a smaller error, and for few columns it is near the best of all.
TEST(CompensatedRounding, ComesNearTheBestCodesThereAre) {
  Random random(4);
  constexpr std::size_t n = 3;
  const float scale = 0.25f;
  double found = 0, best_sum = 0, plain = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const std::vector<Floats> data = correlated(random, 40, n, 1);
    const Floats w = normals(random, n);
    const auto codes = round_compensated({w.data(), 1, n}, Floats{scale}, up_to(12), moment_of(data));
    double best = std::numeric_limits<double>::infinity();
    std::vector<std::int8_t> q(n);
    for (int a = -12; a <= 12; ++a) {
      for (int b = -12; b <= 12; ++b) {
        for (int c = -12; c <= 12; ++c) {
          q = {static_cast<std::int8_t>(a), static_cast<std::int8_t>(b), static_cast<std::int8_t>(c)};
          if (std::abs(static_cast<double>(w[0]) / 0.25 - a) > 3 || std::abs(static_cast<double>(w[1]) / 0.25 - b) > 3)
            continue;
          best = std::min(best, output_error(w, q, scale, data));
        }
      }
    }
    found += output_error(w, codes, scale, data);
    best_sum += best;
    plain += output_error(w, nearest(w, scale, up_to(12)), scale, data);
  }
  EXPECT_LT(best_sum, plain);
  EXPECT_LT(found - best_sum, 0.5 * (plain - best_sum));
}

// A weight at the format's end leaves its error to the others.
TEST(CompensatedRounding, SaturatedWeightsAreCompensatedToo) {
  SecondMoment moment;
  moment.add(Floats{1, 1});
  moment.add(Floats{2, 2});
  const Floats weights{0.5f, 100.0f};  // the second column is coded first
  const auto codes = round_compensated({weights.data(), 1, 2}, Floats{1.0f}, up_to(60), moment);
  EXPECT_EQ(codes[1], 60);
  EXPECT_NEAR(codes[0], 40, 1);
}

}  // namespace
}  // namespace quaver::testing
