#include "quaver/kernels/softmax/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/kernels/path_cases.h"

namespace quaver {
namespace {

using testing_support::Fill;
using testing_support::filled;

std::vector<std::int16_t> run(const std::vector<std::int16_t>& logits, float scale) {
  std::vector<std::int16_t> probability(logits.size());
  softmax_i16(logits.data(), logits.size(), SoftmaxRule::from_scale(scale), probability.data());
  return probability;
}

// (A29) In units of 2^-15, before +1 is coded as 32767.
double bound_in_steps(std::size_t n) { return 0.57 + static_cast<double>(n) * 0x1p-13; }

TEST(Softmax, WithinItsBoundOfTheRealFunction) {
  double worst_share = 0;
  for (const std::size_t n : {1u, 2u, 3u, 10u, 100u, 1000u, 30000u}) {
    for (const float scale : {1e-6f, 1e-4f, 1e-3f, 0.01f, 0.3f, 15.9f}) {
      for (const Fill fill : {Fill::kMinimum, Fill::kMaximum, Fill::kExtremes, Fill::kRandom}) {
        Random random(61 + n);
        const auto logits = filled<std::int16_t>(fill, n, random);
        const auto probability = run(logits, scale);
        const double largest = *std::max_element(logits.begin(), logits.end());
        double sum = 0;
        for (const double logit : logits) sum += std::exp((logit - largest) * static_cast<double>(scale));
        for (std::size_t j = 0; j < n; ++j) {
          const double real = std::exp((logits[j] - largest) * static_cast<double>(scale)) / sum * 32768;
          const double error = std::abs(probability[j] - std::min(real, 32767.0));
          worst_share = std::max(worst_share, error / bound_in_steps(n));
        }
      }
    }
  }
  std::printf("softmax: worst error %.2f of its bound\n", worst_share);
  EXPECT_LE(worst_share, 1.0);
}

TEST(Softmax, ManyFarLogitsDoNotAddUp) {
  // 30,000 logits 40 below the one that matters: a left shift that saturates at -16 would give them 0.3 %.
  std::vector<std::int16_t> logits(30000, 0);
  logits[7] = 4000;
  const auto probability = run(logits, 0.01f);
  EXPECT_EQ(probability[7], 32767);
  EXPECT_EQ(probability[8], 0);
}

TEST(Softmax, KnownCases) {
  EXPECT_EQ(run({}, 1.0f), std::vector<std::int16_t>{});
  EXPECT_EQ(run({-5}, 1.0f), std::vector<std::int16_t>{32767});
  EXPECT_EQ(run({9, 9}, 1.0f), (std::vector<std::int16_t>{16384, 16384}));
  EXPECT_EQ(run({32767, -32768}, 15.0f), (std::vector<std::int16_t>{32767, 0}));
  EXPECT_EQ(run({-32768, -32768, -32768, -32768}, 1.0f), (std::vector<std::int16_t>(4, 8192)));
}

// Others are logits like all others: the same bits as with them in the array.
TEST(Softmax, OthersTakePart) {
  for (const float scale : {1e-4f, 0.01f, 0.3f}) {
    const SoftmaxRule rule = SoftmaxRule::from_scale(scale);
    const SoftmaxTable table(rule);
    for (const std::size_t n : {0u, 1u, 2u, 50u}) {
      for (const std::uint32_t count : {0u, 1u, 3u, 1000u, 65536u}) {
        for (const std::int32_t logit : {-32768, -100, 0, 100, 32767}) {
          if (n + count == 0) continue;
          Random random(73 + n);
          const auto logits = filled<std::int16_t>(Fill::kRandom, n, random);
          std::vector<std::int16_t> all = logits;
          all.insert(all.end(), count, static_cast<std::int16_t>(logit));
          const std::vector<std::int16_t> expected = run(all, scale);
          std::vector<std::int16_t> probability(n);
          const SoftmaxOthers others{.logit = logit, .count = count};
          const std::int32_t rest = softmax_i16(logits.data(), n, rule, probability.data(), others);
          ASSERT_TRUE(std::equal(probability.begin(), probability.end(), expected.begin()));
          // Each of the others is rounded by at most half a step there, their sum once here; 1 is 32767.
          const double one = count == 0 ? 0 : expected.back();
          ASSERT_LE(std::abs(std::min(one * count, 32767.0) - rest), 0.5 * count + 1)
              << "n " << n << " count " << count << " logit " << logit << " scale " << scale;
          const std::vector<std::int32_t> wide(logits.begin(), logits.end());
          std::int32_t largest = count > 0 ? logit : INT16_MIN;
          for (const std::int32_t other : wide) largest = std::max(largest, other);
          const std::int64_t of_others = table.sum_q0_31(others, largest);
          const std::int64_t sum = table.sum_q0_31(wide.data(), n, largest) + of_others;
          ASSERT_EQ(softmax_probability_q0_15(of_others, sum), rest);
          for (std::size_t j = 0; j < n; ++j)
            ASSERT_EQ(softmax_probability_q0_15(table.exponential_q0_31(largest - wide[j]), sum), probability[j]);
        }
      }
    }
  }
}

TEST(Softmax, MayRunInPlace) {
  Random random(67);
  auto logits = filled<std::int16_t>(Fill::kRandom, 50, random);
  const auto expected = run(logits, 1e-3f);
  softmax_i16(logits.data(), logits.size(), SoftmaxRule::from_scale(1e-3f), logits.data());
  EXPECT_EQ(logits, expected);
}

TEST(SoftmaxTable, SameBitsAsSoftmax) {
  for (const std::size_t n : {1u, 2u, 17u, 5000u}) {
    for (const float scale : {1e-6f, 0x1p-10f, 0.01f, 0.25f, 15.9f}) {
      for (const Fill fill : {Fill::kMinimum, Fill::kMaximum, Fill::kExtremes, Fill::kRandom}) {
        Random random(71 + n);
        const auto logits = filled<std::int16_t>(fill, n, random);
        const std::vector<std::int32_t> wide(logits.begin(), logits.end());
        const std::int32_t largest = *std::ranges::max_element(wide);
        const SoftmaxTable table(SoftmaxRule::from_scale(scale));
        const std::int64_t sum = table.sum_q0_31(wide.data(), n, largest);
        std::vector<std::int16_t> probability;
        for (const std::int32_t logit : wide)
          probability.push_back(softmax_probability_q0_15(table.exponential_q0_31(largest - logit), sum));
        ASSERT_EQ(probability, run(logits, scale)) << "n " << n << " scale " << scale;
      }
    }
  }
}

// What the search for the smallest probability that counts relies on.
TEST(SoftmaxTable, FallsWithTheDifference) {
  for (const float scale : {1e-6f, 0x1p-10f, 0.01f, 0.25f, 15.9f}) {
    const SoftmaxTable table(SoftmaxRule::from_scale(scale));
    ASSERT_GE(table.size(), 1u);
    ASSERT_LE(table.size(), 65536u);
    for (std::int32_t below = 1; below < 65536; ++below)
      ASSERT_LE(table.exponential_q0_31(below), table.exponential_q0_31(below - 1))
          << "scale " << scale << " " << below;
  }
}

TEST(SoftmaxRule, RefusesScalesThatMakeNoDistribution) {
  for (const float scale :
       {0.0f, -1.0f, 16.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THROW(SoftmaxRule::from_scale(scale), Error) << scale;
  }
  EXPECT_NO_THROW(SoftmaxRule::from_scale(std::nextafter(16.0f, 0.0f)));
  EXPECT_NO_THROW(SoftmaxRule::from_scale(std::numeric_limits<float>::min()));
}

TEST(Softmax, DividingOnceGivesTheSameProbabilities) {
  Random random(3);
  for (int bits = 0; bits <= 62; ++bits) {
    for (int trial = 0; trial < 200; ++trial) {
      const std::int64_t top = std::int64_t{1} << bits, sum = trial == 0 ? top : random.between(top / 2 + 1, top);
      const SoftmaxSum divisor(sum);
      const std::int64_t most = std::min<std::int64_t>(sum, 0x7fffffff);
      // Also next to where the quotient rounds up.
      const std::int64_t half_way = std::min(most, sum / 65536 * random.between(1, 65535));
      for (const std::int64_t e : {std::int64_t{0}, std::int64_t{1}, most, random.between(0, most), half_way}) {
        const auto exponential = static_cast<std::int32_t>(e);
        ASSERT_EQ(divisor.probability_q0_15(exponential), softmax_probability_q0_15(exponential, sum)) << sum;
      }
    }
  }
}

}  // namespace
}  // namespace quaver
