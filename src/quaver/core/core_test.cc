#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "quaver/core/aligned.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/team.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

TEST(Random, FirstValuesOfSeedOneNeverChange) {
  // xoshiro256** seeded by splitmix64(1), computed from the published algorithms: data sets made from a seed depend on
  // it.
  Random random(1);
  const auto first = random.next();
  const auto second = random.next();
  Random again(1);
  EXPECT_EQ(first, again.next());
  EXPECT_EQ(second, again.next());
  EXPECT_EQ(first, 0xb3f2af6d0fc710c5u);
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  Random random(3);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) ++seen[random.below(7)];
  for (const int count : seen) EXPECT_NEAR(count, 1000, 6 * std::sqrt(7000.0 / 7 * 6 / 7));  // six deviations
}

TEST(Random, NormalHasMeanZeroAndDeviationOne) {
  Random random(5);
  double sum = 0, squares = 0;
  constexpr int kCount = 100000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 6 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 6 * std::sqrt(2.0 / kCount));
}

TEST(Random, ForksAreIndependentOfEachOther) {
  const Random parent(9);
  Random a = parent.fork(0), b = parent.fork(1), a2 = parent.fork(0);
  EXPECT_NE(a.next(), b.next());
  EXPECT_NE(a.next(), a2.next());  // a has moved on by one
  EXPECT_EQ(a.next(), (a2.next(), a2.next()));
}

TEST(Text, ShapesHashesAndSuggestions) {
  EXPECT_EQ(shape_text(std::array<std::int64_t, 2>{4, 128}), "4x128");
  EXPECT_EQ(hex64(fnv1a({})), "cbf29ce484222325");
  const std::array<std::string, 3> words{"digits", "har", "chirps"};
  EXPECT_EQ(closest("digit", words), "digits");
  EXPECT_EQ(closest("zzzzzz", words), "");
  EXPECT_EQ(join(words, ", "), "digits, har, chirps");
}

TEST(Error, KindIsTheExitCode) {
  EXPECT_EQ(Error(ErrorKind::kBadInput, "x").exit_code(), 3);
  EXPECT_EQ(Error(ErrorKind::kUsage, "x").exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::kFailed, "x").exit_code(), 1);
}

TEST(Aligned, VectorsStartOnACacheLine) {
  const AlignedVector<char> v(3);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(v.data()) % kAlignment, 0u);
}

TEST(Team, EveryWorkerDoesItsShareEveryTime) {
  for (const std::size_t workers : {1u, 2u, 5u}) {
    Team team(workers);
    ASSERT_EQ(team.size(), workers);
    std::vector<int> done(17);
    for (int turn = 0; turn < 2000; ++turn) {
      team.run([&](std::size_t worker) {
        const Share share = share_of(done.size(), worker, workers);
        for (std::size_t i = share.first; i < share.end; ++i) ++done[i];
      });
    }
    EXPECT_EQ(done, std::vector<int>(done.size(), 2000));
  }
}

TEST(Team, RefusesNumbersOfThreadsThatAreNone) {
  EXPECT_THROW(Team(0), Error);
  EXPECT_THROW(Team(100000), Error);
}

TEST(Team, ShareOfCoversAllOnce) {
  for (const std::size_t size : {0u, 1u, 2u, 7u, 32u}) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(share_of(size, i, 3).first, next);
      next = share_of(size, i, 3).end;
    }
    EXPECT_EQ(next, size);
  }
}

}  // namespace
}  // namespace quaver
