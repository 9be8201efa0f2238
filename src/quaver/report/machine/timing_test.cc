#include "quaver/report/machine/timing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace quaver {
namespace {

TEST(Measure, TellsSlowWorkFromFastAndTakesTurns) {
  volatile unsigned sink = 0;
  const auto spin = [&](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) sink = sink + 1;
  };
  std::vector<char> turns;
  const auto contestant = [&](char name, std::size_t rounds) {
    return Contestant{std::string(1, name), clocked([&turns, &spin, name, rounds](std::size_t calls) {
                        turns.push_back(name);
                        spin(calls * rounds);
                      })};
  };
  const std::vector<Contestant> contestants{contestant('a', 100), contestant('b', 2000)};
  const auto timings = measure(contestants, {.repetitions = 5, .repetition_seconds = 1e-4, .warm_up_seconds = 1e-3});
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_LT(timings[0].least * 3, timings[1].least);  // a median may be of turns that other programs interrupted
  EXPECT_LE(timings[0].least, timings[0].median);
  EXPECT_EQ(std::string(turns.end() - 10, turns.end()), "ababababab");
  EXPECT_LE(timings[0].first_quartile, timings[0].median);
  EXPECT_GE(timings[0].third_quartile, timings[0].median);
  EXPECT_EQ(timings[0].seconds.size(), 5u);
}

// A clock of another process, as a peer has.
std::function<double(std::size_t)> told(std::vector<double> seconds_a_call) {
  return [seconds_a_call, turn = std::size_t{0}](std::size_t calls) mutable {
    return seconds_a_call[turn++ % seconds_a_call.size()] * static_cast<double>(calls);
  };
}

TEST(Measure, RatiosCompareNeighboursInTime) {
  // Both take twice as long in every other repetition: the ratio is 3 in each.
  const std::vector<Contestant> contestants{{"ours", told({1, 2})}, {"other", told({3, 6})}};
  const auto timings = measure(contestants, {.repetitions = 8, .repetition_seconds = 0.5, .warm_up_seconds = 1});
  const Ratio ratio = ratio_of(timings[1], timings[0]);
  EXPECT_GT(timings[0].spread, 0.4);
  EXPECT_DOUBLE_EQ(ratio.first_quartile, ratio.third_quartile);
}

TEST(Measure, ASlowRaceEndsEarlyButNotAtOnce) {
  const std::vector<Contestant> contestants{{"slow", told({1})}};
  const auto timings = measure(contestants, {.repetitions = 1000, .warm_up_seconds = 1, .race_seconds = 0});
  EXPECT_EQ(timings[0].repetitions, kLeastRepetitions);
}

TEST(Measure, AContestantThatBreaksDownDoesNotHoldUpTheRace) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Contestant> contestants{{"ours", told({1})}, {"broken", told({none})}};
  const auto timings = measure(contestants, {.repetitions = 3, .repetition_seconds = 1, .warm_up_seconds = 1});
  EXPECT_DOUBLE_EQ(timings[0].median, 1);
  EXPECT_TRUE(std::isnan(timings[1].median));
}

}  // namespace
}  // namespace quaver
