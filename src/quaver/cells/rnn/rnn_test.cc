// The integer RNN against real numbers, and against itself on every path.
#include "quaver/cells/rnn/rnn.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <numeric>
#include <tuple>
#include <vector>

#include "quaver/cells/error_budget.h"
#include "quaver/cells/test_cells.h"
#include "quaver/core/error.h"
#include "quaver/fixed/q_format.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr Affine kInput{10.0f / 255, 5};
struct RandomRnn {
  RandomRnn(std::size_t inputs, std::size_t units, double recurrent_gain, Random& random, bool of_version_one = false)
      : n_in(inputs), n(units) {
    if (of_version_one) {
      h = {0x1p-7f, 0};
      sums = kCutHalves;
    }
    W = normal(random, n * n_in, 0.6 / std::sqrt(static_cast<double>(n_in)));
    R = normal(random, n * n, recurrent_gain / std::sqrt(static_cast<double>(n)));
    b = uniform(random, n, -0.3, 0.3);
    W_scales = weight_scales(W, n, kI8Limit, b, static_cast<double>(kInput.scale));
    R_scales = weight_scales(R, n, kI8Limit);
    W_codes = codes_of<std::int8_t>(W, W_scales, 1, kI8Limit);
    R_codes = codes_of<std::int8_t>(R, R_scales, 1, kI8Limit);
    b_codes = codes_of<std::int32_t>(b, W_scales, static_cast<double>(kInput.scale), 1 << 29);
  }
  RnnFloatParams real(bool relu = false) const { return {n_in, n, relu, {W.data(), n, n_in}, {R.data(), n, n}, b}; }
  RnnIntParams coded() const {
    RnnIntParams params{n_in,     n,     {W_codes.data(), n, n_in}, {R_codes.data(), n, n}, b_codes, W_scales,
                        R_scales, kInput};
    params.h = h;
    params.sums = sums;
    return params;
  }

  std::size_t n_in, n;
  Affine h = affine_i8(-0.99, 0.98);
  SumLimits sums = kWholeSums;
  Floats W, R, b, W_scales, R_scales;
  std::vector<std::int8_t> W_codes, R_codes;
  std::vector<std::int32_t> b_codes;
};

// (A41) The equation of the cell in tracked numbers.
template <Reading reading>
void budget_step(const RandomRnn& rnn, std::span<const float> x, std::vector<Tracked<reading>>& h) {
  using Number = Tracked<reading>;
  const double in_step = static_cast<double>(kInput.scale);
  std::vector<Number> inputs, copies;
  for (const float value : x) inputs.push_back(rounded(Number{static_cast<double>(value), 0}, in_step));
  const double copy_step = static_cast<double>(rnn.h.scale);
  for (const Number& value : h)
    copies.push_back(limited(rounded(rounded(value, 3 * 0x1p-15), copy_step), copy_step * (-128 - rnn.h.zero_point),
                             copy_step * (127 - rnn.h.zero_point)));
  const auto a = product<reading>(rnn.real().W, rnn.W_scales, inputs, coded<reading>(rnn.b, rnn.W_scales, in_step));
  const auto u = product<reading>(rnn.real().R, rnn.R_scales, copies, std::vector<Number>(rnn.n));
  for (std::size_t j = 0; j < rnn.n; ++j) {
    const double end = 8 - Q3_12::kStep;
    const Number half =
        limited(requantized(a[j], Q3_12::kStep), rnn.sums.low * Q3_12::kStep, rnn.sums.high * Q3_12::kStep);
    h[j] = tangent(limited(half + requantized(u[j], Q3_12::kStep), -8.0, end), Q3_12::kIntegerBits);
  }
}

class RnnForms : public testing::TestWithParam<bool> {};  // as version 1 of the model file has it?

TEST_P(RnnForms, OneStepStaysInItsBudget) {
  for (const auto& [n_in, n, gain] :
       {std::tuple<std::size_t, std::size_t, double>{1, 1, 0.9}, {3, 5, 0.9}, {40, 64, 0.9}, {6, 20, 25.0}}) {
    Random random(71);
    const RandomRnn rnn(n_in, n, gain, random, GetParam());
    const RnnInt cell(rnn.coded(), Isa::kScalar);
    const RnnRef float_cell(rnn.real());
    Running<RnnInt> running(cell);
    Running<RnnRef> float_running(float_cell);
    Held held;
    for (int t = 0; t < 80; ++t) {
      const Floats x = normal(random, n_in, 1.0);
      std::vector<Tracked<Reading::kWorst>> bound;
      std::vector<Tracked<Reading::kExpected>> likely;
      for (std::size_t j = 0; j < n; ++j) {
        const double h = running.part<std::int16_t>(0)[j] * Q0_15::kStep;
        bound.push_back({h, 0});
        likely.push_back({h, 0});
        float_running.part<float>(0)[j] = static_cast<float>(h);
      }
      budget_step(rnn, x, bound);
      budget_step(rnn, x, likely);
      float_running.step(x.data());
      running.step(codes_of(x, kInput).data());
      for (std::size_t j = 0; j < n; ++j) {
        EXPECT_NEAR(static_cast<double>(float_running.part<float>(0)[j]), bound[j].value, 2e-5);
        held.add(running.part<std::int16_t>(0)[j] * Q0_15::kStep - bound[j].value, bound[j].error, likely[j].error);
      }
    }
    std::printf("  %2zux%2zu: worst error of a step %.2g, %2.0f %% of its bound; rms %.2f of expected\n", n_in, n,
                held.worst_error, 100 * held.worst_ratio, held.expected_ratio());
    EXPECT_LE(held.worst_ratio, 1.0);
    if (n < 30) continue;
    EXPECT_GT(held.expected_ratio(), 0.8);
    EXPECT_LT(held.expected_ratio(), 1.2);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RnnForms, testing::Bool(),
                         [](const auto& form) { return form.param ? "version_1" : "whole"; });

TEST(Rnn, DoesNotDrift) {
  constexpr std::size_t kStreams = 16, kSteps = 1000, kWindow = 20, kUnits = 32;
  Random random(72);
  const RandomRnn rnn(8, kUnits, 0.9, random);
  const RnnInt cell(rnn.coded(), chosen_isa());
  const RnnRef float_cell(rnn.real());
  std::vector<double> squares(kSteps, 0);
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    Running<RnnInt> running(cell);
    Running<RnnRef> float_running(float_cell);
    for (double& square : squares) {
      const Floats x = normal(random, 8, 1.0);
      const float* expected = float_running.step(x.data());
      running.step(codes_of(x, kInput).data());
      for (std::size_t j = 0; j < kUnits; ++j) {
        const double error = running.part<std::int16_t>(0)[j] * Q0_15::kStep - static_cast<double>(expected[j]);
        square += error * error;
      }
    }
  }
  const auto error = [&](std::size_t step) {
    const double sum = std::accumulate(squares.data() + step - kWindow, squares.data() + step, 0.0);
    return std::sqrt(sum / static_cast<double>(kWindow * kStreams * kUnits));
  };
  std::printf("  rms error of h at step 20: %.2g, 100: %.2g, 1000: %.2g\n", error(20), error(100), error(1000));
  EXPECT_LE(error(1000), 2 * error(100));
}

TEST(Rnn, EveryPathGivesTheSameBitsFromEveryExtreme) {
  for (const auto& [n_in, n] : {std::pair<std::size_t, std::size_t>{1, 1}, {2, 15}, {16, 16}, {33, 17}, {65, 70}}) {
    for (const double gain : {1.0, 50.0}) {
      Random random(73);
      const RandomRnn rnn(n_in, n, gain, random, gain == 1.0);
      for (const int fill : {-128, 127, 0}) {
        for (const int h0 : {-32768, 0, 32767}) {
          const auto run = [&](Isa isa) {
            const RnnInt cell(rnn.coded(), isa);
            Running<RnnInt> running(cell);
            std::ranges::fill(running.part<std::int16_t>(0), static_cast<std::int16_t>(h0));
            restore_derived(cell, running.state().data());
            Random frames(74);
            std::vector<std::int16_t> stream;
            for (int t = 0; t < 12; ++t) {
              std::vector<std::int8_t> x(rnn.n_in, static_cast<std::int8_t>(fill));
              for (std::int8_t& code : x)
                if (fill == 0) code = static_cast<std::int8_t>(frames.between(-128, 127));
              const std::int8_t* h8 = running.step(x.data());
              stream.insert(stream.end(), h8, h8 + rnn.n);
              stream.insert(stream.end(), running.part<std::int16_t>(0).begin(), running.part<std::int16_t>(0).end());
            }
            return stream;
          };
          const auto expected = run(Isa::kScalar);
          for (const Isa isa : other_paths()) EXPECT_EQ(run(isa), expected) << isa_name(isa);
        }
      }
    }
  }
}

TEST(Rnn, TheStateIsAllThatIsRemembered) {
  Random random(75);
  const RandomRnn rnn(4, 6, 0.9, random);
  const RnnInt cell(rnn.coded(), chosen_isa());
  const auto x = codes_of(normal(random, 4 * 20, 1.0), kInput);
  Running<RnnInt> whole(cell), first(cell), second(cell);
  for (std::size_t t = 0; t < 20; ++t) whole.step(x.data() + t * 4);
  for (std::size_t t = 0; t < 7; ++t) first.step(x.data() + t * 4);
  std::ranges::copy(first.part<std::int16_t>(0), second.part<std::int16_t>(0).begin());
  restore_derived(cell, second.state().data());
  for (std::size_t t = 7; t < 20; ++t) second.step(x.data() + t * 4);
  EXPECT_EQ(second.state(), whole.state());
  cell.reset(whole.state().data());
  for (const std::int16_t h : whole.part<std::int16_t>(0)) EXPECT_EQ(h, 0);
  for (const std::int8_t h : whole.part<std::int8_t>(1)) EXPECT_EQ(h, rnn.h.zero_point);
}

TEST(Rnn, FloatAndIntegerCellsShowTheSamePoints) {
  Random random(76);
  const RandomRnn rnn(4, 6, 0.9, random);
  const RnnInt cell(rnn.coded(), Isa::kScalar);
  const RnnRef float_cell(rnn.real());
  const Floats x = normal(random, 4, 1.0);
  PointNames float_points, points;
  Running<RnnRef>(float_cell).step(x.data(), &float_points);
  Running<RnnInt>(cell).step(codes_of(x, kInput).data(), &points);
  EXPECT_EQ(points.text, "pre_h:6 state:6 ");
  EXPECT_EQ(points.text, float_points.text);
}

TEST(Rnn, ReluHasNoUpperEnd) {  // in float only
  const float one = 1.0f, bias = -0.5f;
  const RnnRef cell({1, 1, true, {&one, 1, 1}, {&one, 1, 1}, {&bias, 1}});
  Running<RnnRef> running(cell);
  const float x = 2.0f;
  EXPECT_EQ(*running.step(&x), 1.5f);
  EXPECT_EQ(*running.step(&x), 3.0f);
  const float minus = -9.0f;
  EXPECT_EQ(*running.step(&minus), 0.0f);
}

TEST(Rnn, RefusesSumsThatCanLeave32Bits) {
  Random random(77);
  RandomRnn rnn(4, 6, 0.9, random);
  EXPECT_NO_THROW(RnnInt(rnn.coded(), Isa::kScalar));
  rnn.b_codes[2] = std::numeric_limits<std::int32_t>::min();
  EXPECT_THROW(RnnInt(rnn.coded(), Isa::kScalar), Error);
}

}  // namespace
}  // namespace quaver
