#include "quaver/report/timing.h"

#include <gtest/gtest.h>

namespace quaver {
namespace {

TEST(Measure, TellsSlowWorkFromFastAndTakesTurns) {
  volatile unsigned sink = 0;
  const auto spin = [&](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) sink = sink + 1;
  };
  std::vector<char> turns;
  const auto contestant = [&](char name, std::size_t rounds) {
    return Contestant{std::string(1, name), [&turns, &spin, name, rounds](std::size_t calls) {
                        turns.push_back(name);
                        spin(calls * rounds);
                      }};
  };
  const std::vector<Contestant> contestants{contestant('a', 100), contestant('b', 2000)};
  const auto timings = measure(contestants, {.repetitions = 5, .repetition_seconds = 1e-4, .warm_up_seconds = 1e-3});
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_LT(timings[0].least * 3, timings[1].least);  // a median may be of turns that other programs interrupted
  EXPECT_LE(timings[0].least, timings[0].median);
  EXPECT_EQ(std::string(turns.end() - 10, turns.end()), "ababababab");
}

}  // namespace
}  // namespace quaver
