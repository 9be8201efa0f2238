// Pooling over time: last, mean, max and final, as running values of a stream.
#include "quaver/cells/feedforward/pool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "quaver/core/random.h"

namespace quaver {
namespace {

template <typename T>
class Pooled {
 public:
  Pooled(Pooling pooling, std::size_t size, std::int32_t zero_point, std::size_t forward = 0)
      : pool_(pooling, size, zero_point, forward), y_(size) {
    std::size_t bytes = 0;
    for (const StatePart& part : pool_.state_parts()) bytes = part.offset + part.count * type_bytes(part.type);
    state_.resize(bytes, std::byte{0x5a});
    pool_.reset(state_.data());
  }
  std::vector<T> step(const std::vector<T>& x) {
    pool_.step(x.data(), y_.data(), state_.data());
    return y_;
  }
  void reset() { pool_.reset(state_.data()); }
  std::vector<StatePart> parts() const { return pool_.state_parts(); }

 private:
  Pool<T> pool_;
  std::vector<T> y_;
  AlignedVector<std::byte> state_;
};

TEST(Pool, LastKeepsNothing) {
  Pooled<std::int8_t> pool(Pooling::kLast, 2, 3);
  EXPECT_TRUE(pool.parts().empty());
  EXPECT_EQ(pool.step({1, -2}), (std::vector<std::int8_t>{1, -2}));
  EXPECT_EQ(pool.step({-128, 127}), (std::vector<std::int8_t>{-128, 127}));
}

TEST(Pool, MaxIsOfAllSteps) {
  Pooled<std::int8_t> codes(Pooling::kMax, 2, 3);
  EXPECT_EQ(codes.step({-128, -5}), (std::vector<std::int8_t>{-128, -5})) << "the first step is no maximum with zero";
  EXPECT_EQ(codes.step({-100, -9}), (std::vector<std::int8_t>{-100, -5}));
  codes.reset();
  EXPECT_EQ(codes.step({-120, -9}), (std::vector<std::int8_t>{-120, -9}));
  Pooled<float> reals(Pooling::kMax, 1, 0);
  EXPECT_EQ(reals.step({-3.5f}), std::vector<float>{-3.5f});
  EXPECT_EQ(reals.step({-4.0f}), std::vector<float>{-3.5f});
}

TEST(Pool, FinalIsOfTheLastStepForwardAndOfTheFirstInReverse) {
  Pooled<std::int8_t> codes(Pooling::kFinal, 4, 3, 2);
  EXPECT_EQ(codes.step({1, 2, 3, -128}), (std::vector<std::int8_t>{1, 2, 3, -128})) << "one step is both ends";
  EXPECT_EQ(codes.step({5, 6, 7, 8}), (std::vector<std::int8_t>{5, 6, 3, -128}));
  EXPECT_EQ(codes.step({127, 0, 9, 9}), (std::vector<std::int8_t>{127, 0, 3, -128}));
  codes.reset();
  EXPECT_EQ(codes.step({0, 0, 9, 10}), (std::vector<std::int8_t>{0, 0, 9, 10}));
  Pooled<float> reverse(Pooling::kFinal, 1, 0);
  EXPECT_EQ(reverse.step({-3.5f}), std::vector<float>{-3.5f});
  EXPECT_EQ(reverse.step({4.0f}), std::vector<float>{-3.5f});
}

// (A42) At every step the mean so far, within half a step and symmetric about real 0.
template <typename T>
void check_mean(std::int32_t zero_point) {
  Pooled<T> pool(Pooling::kMean, 3, zero_point), mirrored(Pooling::kMean, 3, -zero_point);
  Random random(91);
  constexpr std::int32_t kLimit = std::numeric_limits<T>::max();
  std::int64_t sums[3] = {};
  for (int step = 1; step <= 500; ++step) {
    std::vector<T> x, opposite;
    for (std::int64_t& sum : sums) {
      x.push_back(static_cast<T>(random.between(-kLimit, kLimit)));
      opposite.push_back(static_cast<T>(-x.back()));
      sum += x.back() - zero_point;
    }
    const std::vector<T> y = pool.step(x), other = mirrored.step(opposite);
    for (std::size_t j = 0; j < 3; ++j) {
      const double mean = static_cast<double>(sums[j]) / step + zero_point;
      EXPECT_LE(std::abs(static_cast<double>(y[j]) - mean), 0.5 + 1e-9);
      EXPECT_EQ(int{y[j]}, -int{other[j]});
    }
  }
}

TEST(Pool, MeanOfCodes) {
  for (const std::int32_t zero_point : {0, 17, -100}) check_mean<std::int8_t>(zero_point);
  check_mean<std::int16_t>(0);
}

TEST(Pool, MeanHoldsAtTheEndsOfTheFormat) {
  for (const std::int32_t zero_point : {-128, 0, 127}) {
    Pooled<std::int8_t> pool(Pooling::kMean, 2, zero_point);
    for (int step = 0; step < 1000; ++step) EXPECT_EQ(pool.step({-128, 127}), (std::vector<std::int8_t>{-128, 127}));
  }
}

TEST(Pool, MeanOfReals) {
  Pooled<float> pool(Pooling::kMean, 1, 0);
  EXPECT_EQ(pool.step({1.0f}), std::vector<float>{1.0f});
  EXPECT_EQ(pool.step({2.0f}), std::vector<float>{1.5f});
  EXPECT_EQ(pool.step({6.0f}), std::vector<float>{3.0f});
  pool.reset();
  EXPECT_EQ(pool.step({-8.0f}), std::vector<float>{-8.0f});
}

TEST(Pool, NothingToPoolIsFine) {
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kMax})
    EXPECT_TRUE(Pooled<std::int8_t>(pooling, 0, 0).step({}).empty());
}

}  // namespace
}  // namespace quaver
