// The integer GRU against real numbers, in both reset forms, and against itself on every path.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "quaver/cells/gru/test_gru.h"
#include "quaver/core/error.h"
#include "quaver/fixed/activation.h"
#include "quaver/fixed/q_format.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr Affine kInput{10.0f / 255, -3};  // about -5 .. 5, beyond any of the normal inputs below

Floats frames(Random& random, std::size_t steps, std::size_t n_in) { return normal(random, steps * n_in, 1.0); }

// Both reset forms, as version 1 of the model file has them and with whole sums and formats of their own.
struct Form {
  bool reset_after, of_version_one;
};

class GruForms : public testing::TestWithParam<Form> {
 protected:
  GruShape shape(std::size_t n_in, std::size_t n) const { return {n_in, n, GetParam().reset_after}; }
  static GruFormats formats() {
    if (GetParam().of_version_one) return {};
    return {affine_i8(-0.99, 0.98), 5, kWholeSums};
  }
};

// ---- against real numbers

// The float cell differs from the budget's equations by float32 arithmetic: sums of 128 products near 1 lose 7.6e-6.
constexpr double kFloatArithmetic = 2e-5;

// (A36) Steps of the integer cell, each measured from its own state: one step's error, not what adds up.
Held hold_to_budget(const RandomGru& real, const CodedGru& coded, const Floats& x,
                    Operands operands = Operands::kRounded) {
  const std::size_t n_in = real.shape.n_in, n = real.shape.n;
  const GruIntParams params = coded.params();
  const GruInt cell(params, Isa::kScalar);
  const GruRef float_cell(real.params());
  const GruBudget<Reading::kWorst> worst(real.params(), params, operands);
  const GruBudget<Reading::kExpected> expected(real.params(), params, operands);
  Running<GruInt> running(cell);
  Running<GruRef> float_running(float_cell);
  Held held;
  for (std::size_t t = 0; t * n_in < x.size(); ++t) {
    const std::span<const float> frame(x.data() + t * n_in, n_in);
    const auto h = running.part<std::int16_t>(0);
    auto bound = worst.decoded(h);
    auto likely = expected.decoded(h);
    for (std::size_t j = 0; j < n; ++j) float_running.part<float>(0)[j] = static_cast<float>(bound[j].value);
    worst.step(frame, bound);
    expected.step(frame, likely);
    float_running.step(frame.data());
    running.step(codes_of(frame, kInput).data());
    for (std::size_t j = 0; j < n; ++j) {
      EXPECT_NEAR(static_cast<double>(float_running.part<float>(0)[j]), bound[j].value, kFloatArithmetic);
      held.add(h[j] * Q0_15::kStep - bound[j].value, bound[j].error, likely[j].error);
    }
  }
  std::printf("  %2zux%3zu, %zu scales: worst error of a step %.2g, %2.0f %% of its bound; rms %.2f of expected\n",
              n_in, n, params.W_scales.size(), held.worst_error, 100 * held.worst_ratio, held.expected_ratio());
  EXPECT_LE(held.worst_ratio, 1.0);
  return held;
}

TEST_P(GruForms, OneStepStaysInItsBudget) {
  for (const auto& [n_in, n] : {std::pair<std::size_t, std::size_t>{1, 1}, {3, 5}, {17, 33}, {40, 128}}) {
    for (const WeightScales weight_scales : {WeightScales::kPerGate, WeightScales::kPerRow}) {
      Random random(51);
      const RandomGru real(shape(n_in, n), 1.5, random);
      const CodedGru coded(real, kInput, weight_scales, formats());
      const Held held = hold_to_budget(real, coded, frames(random, 80, n_in));
      if (n < 30) continue;  // too few roundings for their mean to be near what is expected of it
      EXPECT_GT(held.expected_ratio(), 0.8);
      EXPECT_LT(held.expected_ratio(), 1.2);
    }
  }
}

TEST_P(GruForms, SaturatedSumsStayInTheirBudget) {
  Random random(52);
  RandomGru real(shape(6, 20), 25.0, random);
  for (float& weight : real.W) weight *= 20;
  hold_to_budget(real, CodedGru(real, kInput, WeightScales::kPerGate, formats()), frames(random, 80, 6));
}

// Without the errors that come in from outside, most of a step's, what the inside adds is held as closely.
TEST_P(GruForms, TheInsideAloneStaysInItsBudget) {
  for (const auto& [n_in, n] : {std::pair<std::size_t, std::size_t>{1, 1}, {3, 5}, {17, 33}, {40, 128}}) {
    Random random(60);
    const CodedGru coded(RandomGru(shape(n_in, n), 1.5, random), kInput, WeightScales::kPerRow, formats());
    Floats x;
    for (std::size_t i = 0; i < 80 * n_in; ++i)
      x.push_back(kInput.scale * static_cast<float>(random.between(-128, 127) - kInput.zero_point));
    const Held held = hold_to_budget(coded.decoded(), coded, x, Operands::kExact);
    if (n < 30) continue;
    EXPECT_GT(held.expected_ratio(), 0.8);
    EXPECT_LT(held.expected_ratio(), 1.2);
  }
}

// ---- against the recipe

// One step as docs/cells/gru.md writes it, a unit at a time: no folded zero point, no kernels, 64-bit sums.
class WrittenGru {
 public:
  explicit WrittenGru(const GruIntParams& params) : params_(params), h_(params.shape.n, 0) {}
  const std::vector<std::int16_t>& step(const std::int8_t* x) {
    const std::size_t n = params_.shape.n;
    std::vector<std::int16_t> z(n), r(n), next(n);
    std::vector<std::int8_t> copies(n), reset(n);
    for (std::size_t j = 0; j < n; ++j) copies[j] = code_of_state(h_[j]);
    for (std::size_t j = 0; j < n; ++j) {
      z[j] = sigmoid_q0_15(saturate<std::int16_t>(cut(input(x, j)) + cut(recurrent(copies, j, 0x1p-11f))), 4);
      r[j] = sigmoid_q0_15(saturate<std::int16_t>(cut(input(x, n + j)) + cut(recurrent(copies, n + j, 0x1p-11f))), 4);
      reset[j] = code_of_product(r[j], h_[j]);
    }
    const int m = params_.candidate_integer_bits;
    for (std::size_t j = 0; j < n; ++j) {
      const std::int32_t u =
          params_.shape.linear_before_reset
              ? divide_by_pot(r[j] * saturate<std::int16_t>(recurrent(copies, 2 * n + j, std::ldexp(1.0f, m - 15))),
                              18 - m)
              : recurrent(reset, 2 * n + j, 0x1p-12f);
      const int candidate = tanh_q0_15(saturate<std::int16_t>(std::int64_t{cut(input(x, 2 * n + j))} + u), 3);
      next[j] = saturate<std::int16_t>(candidate + divide_by_pot(z[j] * (h_[j] - candidate), 15));
    }
    h_ = next;
    return h_;
  }

 private:
  // (A27) the step of h over that of its codes, in 1/2..1 with 15 bits and a power of two
  std::int8_t code_of_state(std::int16_t h) const {
    const double factor = 0x1p-15 / static_cast<double>(params_.h.scale);
    int shift = 0;
    while (std::ldexp(factor, shift) <= 0.5) ++shift;
    const double excess = std::round(std::ldexp(std::ldexp(factor, shift) - 1, 15));
    return code(round_half_away(std::ldexp(h + std::floor(h * excess / 32768 + 0.5), -shift)));
  }
  std::int8_t code_of_product(std::int16_t r, std::int16_t h) const {  // (A25); C division cuts toward 0
    return code_of_state(static_cast<std::int16_t>(r * h / (1 << 15)));
  }
  std::int8_t code(double steps) const {
    return static_cast<std::int8_t>(std::clamp(steps + params_.h.zero_point, -128.0, 127.0));
  }
  std::int32_t cut(std::int32_t half) const { return std::clamp(half, params_.sums.low, params_.sums.high); }
  Multiplier multiplier(std::span<const float> scales, std::size_t row, float input_scale, float step) const {
    return Multiplier::from_real(
        static_cast<double>(scales[row * scales.size() / (3 * params_.shape.n)] * input_scale / step));
  }
  std::int32_t input(const std::int8_t* x, std::size_t row) const {
    const float step = row < 2 * params_.shape.n ? 0x1p-11f : 0x1p-12f;  // of z and r, of the candidate
    if (params_.wide_input) return wide_input(x, row, step);
    std::int64_t sum = params_.b[row];
    for (std::size_t k = 0; k < params_.shape.n_in; ++k) sum += params_.W(row, k) * (x[k] - params_.x.zero_point);
    return multiplier(params_.W_scales, row, params_.x.scale, step).apply(static_cast<std::int32_t>(sum));
  }
  // (A45)
  std::int32_t wide_input(const std::int8_t* x, std::size_t row, float step) const {
    std::int64_t low = params_.b[row], high = 0;
    for (std::size_t k = 0; k < params_.shape.n_in; ++k) {
      std::int16_t code;
      std::memcpy(&code, x + 2 * k, sizeof code);
      const int floor = code >= 0 ? code / 256 : -((255 - code) / 256);
      high += params_.W(row, k) * floor;
      low += params_.W(row, k) * (code - 256 * floor);
    }
    return multiplier(params_.W_scales, row, params_.x.scale, step).apply(static_cast<std::int32_t>(low)) +
           multiplier(params_.W_scales, row, 256 * params_.x.scale, step).apply(static_cast<std::int32_t>(high));
  }
  std::int32_t recurrent(const std::vector<std::int8_t>& operand, std::size_t row, float step) const {
    std::int64_t sum = params_.b_recurrent[row];
    for (std::size_t k = 0; k < operand.size(); ++k) sum += params_.R(row, k) * (operand[k] - params_.h.zero_point);
    return multiplier(params_.R_scales, row, params_.h.scale, step).apply(static_cast<std::int32_t>(sum));
  }

  GruIntParams params_;
  std::vector<std::int16_t> h_;
};

TEST_P(GruForms, GivesTheBitsOfTheWrittenRecipe) {
  for (const double gain : {1.0, 6.0, 40.0}) {
    for (const WeightScales weight_scales : {WeightScales::kPerGate, WeightScales::kPerRow}) {
      Random random(61);
      RandomGru real(shape(19, 37), gain, random);
      for (float& weight : real.W) weight *= static_cast<float>(gain);
      const CodedGru coded(real, kInput, weight_scales, formats());
      const GruInt cell(coded.params(), chosen_isa());
      Running<GruInt> running(cell);
      WrittenGru written(coded.params());
      for (int t = 0; t < 200; ++t) {
        std::vector<std::int8_t> x(19);
        for (std::int8_t& code : x)
          code = static_cast<std::int8_t>(t % 7 == 0 ? (random.below(2) == 0 ? -128 : 127) : random.between(-128, 127));
        running.step(x.data());
        const auto h = running.part<std::int16_t>(0);
        ASSERT_EQ(std::vector<std::int16_t>(h.begin(), h.end()), written.step(x.data())) << "step " << t;
      }
    }
  }
}

TEST_P(GruForms, AWideInputGivesTheBitsOfTheWrittenRecipe) {
  Random random(62);
  const CodedGru coded(RandomGru(shape(19, 37), 1, random), kInput, WeightScales::kPerRow, formats());
  GruIntParams params = coded.params();
  params.wide_input = true;
  params.sums = kWholeSums;
  params.x = {kInput.scale / 256, 0};
  const GruInt cell(params, chosen_isa());
  Running<GruInt> running(cell), observed(cell);
  WrittenGru written(params);
  PointNames observer;
  for (int t = 0; t < 200; ++t) {
    std::vector<std::int16_t> x(19);
    for (std::int16_t& code : x)
      code = static_cast<std::int16_t>(t % 7 == 0 ? (random.below(2) == 0 ? -32768 : 32767)
                                                  : random.between(-32768, 32767));
    const auto* bytes = reinterpret_cast<const std::int8_t*>(x.data());
    running.step(bytes);
    observed.step(bytes, &observer);
    const auto h = running.part<std::int16_t>(0), other = observed.part<std::int16_t>(0);
    ASSERT_EQ(std::vector<std::int16_t>(h.begin(), h.end()), written.step(bytes)) << "step " << t;
    ASSERT_TRUE(std::ranges::equal(h, other)) << "step " << t;
  }
}

// (A37) A network whose recurrent part contracts: the error after any number of steps stays below one bound.
TEST_P(GruForms, ErrorsOfAContractingNetworkDoNotAddUp) {
  constexpr std::size_t kIn = 12, kUnits = 24, kSteps = 1000;
  Random random(53);
  const RandomGru real(shape(kIn, kUnits), 0.25, random);
  const CodedGru coded(real, kInput, WeightScales::kPerRow, formats());
  const GruInt cell(coded.params(), chosen_isa());
  const GruBudget<Reading::kWorst> worst(real.params(), coded.params());
  const GruBudget<Reading::kExpected> expected(real.params(), coded.params());
  Running<GruInt> running(cell);
  auto bound = worst.decoded(running.part<std::int16_t>(0));
  auto likely = expected.decoded(running.part<std::int16_t>(0));
  Held held;
  std::vector<double> bounds, errors;
  for (std::size_t t = 0; t < kSteps; ++t) {
    const Floats x = uniform(random, kIn, -2.5, 2.5);
    worst.step(x, bound);  // from their own state and error, never from the integer one
    expected.step(x, likely);
    running.step(codes_of(x, kInput).data());
    double worst_bound = 0, worst_error = 0;
    for (std::size_t j = 0; j < kUnits; ++j) {
      const double error = std::abs(running.part<std::int16_t>(0)[j] * Q0_15::kStep - bound[j].value);
      held.add(error, bound[j].error, likely[j].error);
      worst_bound = std::max(worst_bound, bound[j].error);
      worst_error = std::max(worst_error, error);
    }
    bounds.push_back(worst_bound);
    errors.push_back(worst_error);
  }
  EXPECT_LE(held.worst_ratio, 1.0);
  const auto largest = [](const std::vector<double>& values, std::size_t first, std::size_t last) {
    return *std::max_element(values.data() + first, values.data() + last);
  };
  for (const std::size_t step : {10u, 100u, 1000u})
    std::printf("  up to step %4zu: worst error %.2g, bound %.2g\n", step, largest(errors, 0, step),
                largest(bounds, 0, step));
  std::printf("  %2.0f %% of the bound; rms %.2f of expected\n", 100 * held.worst_ratio, held.expected_ratio());
  EXPECT_GT(held.expected_ratio(), 0.8);
  EXPECT_LT(held.expected_ratio(), 1.2);
  EXPECT_LE(largest(bounds, 500, kSteps), 1.05 * largest(bounds, 20, 500)) << "the bound itself comes to rest";
}

// Fed by its own state for 1000 steps, a network of the usual weights keeps its distance from the float one.
TEST_P(GruForms, DoesNotDrift) {
  constexpr std::size_t kStreams = 16, kSteps = 1000, kWindow = 20, kIn = 16, kUnits = 64;
  Random random(54);
  const RandomGru real(shape(kIn, kUnits), 1.0, random);
  const CodedGru coded(real, kInput, WeightScales::kPerRow, formats());
  const GruInt cell(coded.params(), chosen_isa());
  const GruRef float_cell(real.params());
  const GruBudget<Reading::kExpected> budget(real.params(), coded.params());
  std::vector<GruBudget<Reading::kExpected>::Number> likely(kUnits);  // of the first stream; none differs much
  std::vector<double> squares(kSteps, 0), signal(kSteps, 0), expected_squares(kSteps, 0);
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    Running<GruInt> running(cell);
    Running<GruRef> float_running(float_cell);
    for (std::size_t t = 0; t < kSteps; ++t) {
      const Floats x = frames(random, 1, kIn);
      const float* expected = float_running.step(x.data());
      running.step(codes_of(x, kInput).data());
      for (std::size_t j = 0; j < kUnits; ++j) {
        const double h = running.part<std::int16_t>(0)[j] * Q0_15::kStep, wanted = static_cast<double>(expected[j]);
        squares[t] += (h - wanted) * (h - wanted);
        signal[t] += wanted * wanted;
      }
      if (stream > 0) continue;
      budget.step(x, likely);
      for (const auto& h : likely) expected_squares[t] += h.error * h.error * static_cast<double>(kStreams);
    }
  }
  const auto sum = [](const std::vector<double>& values, std::size_t step) {
    return std::accumulate(values.data() + step - kWindow, values.data() + step, 0.0);
  };
  const auto error = [&](std::size_t step) {
    return std::sqrt(sum(squares, step) / static_cast<double>(kWindow * kStreams * kUnits));
  };
  const double ratio = std::sqrt(sum(squares, kSteps) / sum(expected_squares, kSteps));
  std::printf("  rms error of h at step 20: %.2g, 100: %.2g, 1000: %.2g (%.2f of expected; SQNR %.1f dB)\n", error(20),
              error(100), error(1000), ratio, 10 * std::log10(sum(signal, kSteps) / sum(squares, kSteps)));
  EXPECT_LE(error(1000), 2 * error(100));
  EXPECT_GT(ratio, 0.8);
  EXPECT_LT(ratio, 1.2);
}

// ---- against itself

// h and its copy after every step, from a state filled with h0.
std::vector<std::int16_t> run(const GruInt& cell, std::size_t n_in, std::span<const std::int8_t> x, std::int16_t h0) {
  Running<GruInt> running(cell);
  std::ranges::fill(running.part<std::int16_t>(0), h0);
  restore_derived(cell, running.state().data());
  std::vector<std::int16_t> stream;
  for (std::size_t t = 0; t * n_in < x.size(); ++t) {
    const std::int8_t* h8 = running.step(x.data() + t * n_in);
    EXPECT_EQ(h8, running.part<std::int8_t>(1).data());
    const auto h = running.part<std::int16_t>(0);
    stream.insert(stream.end(), h.begin(), h.end());
    stream.insert(stream.end(), h8, h8 + h.size());
  }
  return stream;
}

TEST_P(GruForms, EveryPathGivesTheSameBitsFromEveryExtreme) {
  for (const auto& [n_in, n] : {std::pair<std::size_t, std::size_t>{1, 1}, {2, 15}, {16, 16}, {33, 17}, {65, 70}}) {
    for (const double gain : {1.0, 40.0}) {
      Random random(55);
      RandomGru real(shape(n_in, n), gain, random);
      for (float& weight : real.W) weight *= static_cast<float>(gain);
      const CodedGru coded(real, kInput, WeightScales::kPerRow, formats());
      const GruInt scalar(coded.params(), Isa::kScalar);
      std::vector<std::int8_t> inputs[4];
      for (std::size_t i = 0; i < 12 * n_in; ++i) {
        inputs[0].push_back(-128);
        inputs[1].push_back(127);
        inputs[2].push_back(random.below(2) == 0 ? -128 : 127);
        inputs[3].push_back(static_cast<std::int8_t>(random.between(-128, 127)));
      }
      for (const auto& x : inputs) {
        for (const int h0 : {-32768, -32767, 0, 32767}) {
          const auto expected = run(scalar, n_in, x, static_cast<std::int16_t>(h0));
          for (const Isa isa : other_paths())
            EXPECT_EQ(run(GruInt(coded.params(), isa), n_in, x, static_cast<std::int16_t>(h0)), expected)
                << isa_name(isa);
        }
      }
    }
  }
}

TEST_P(GruForms, TheStateIsAllThatIsRemembered) {
  Random random(56);
  const RandomGru real(shape(6, 10), 1.0, random);
  const CodedGru coded(real, kInput, WeightScales::kPerGate, formats());
  const auto x = codes_of(frames(random, 30, 6), kInput);
  const GruInt cell(coded.params(), chosen_isa());
  const auto frame = [&](std::size_t t) { return x.data() + t * 6; };
  Running<GruInt> whole(cell), first(cell), second(cell);
  for (std::size_t t = 0; t < 30; ++t) whole.step(frame(t));
  for (std::size_t t = 0; t < 11; ++t) first.step(frame(t));
  // A copy goes on elsewhere; the derived part may be left out and made again.
  std::ranges::copy(first.part<std::int16_t>(0), second.part<std::int16_t>(0).begin());
  restore_derived(cell, second.state().data());
  for (std::size_t t = 11; t < 30; ++t) second.step(frame(t));
  EXPECT_EQ(second.state(), whole.state());
  EXPECT_TRUE(cell.state_parts()[1].derived());
  cell.reset(whole.state().data());
  for (const std::int16_t h : whole.part<std::int16_t>(0)) EXPECT_EQ(h, 0);
  for (const std::int8_t h : whole.part<std::int8_t>(1)) EXPECT_EQ(h, formats().h.zero_point);
}

TEST_P(GruForms, FloatAndIntegerCellsShowTheSamePoints) {
  Random random(57);
  const RandomGru real(shape(3, 4), 1.0, random);
  const CodedGru coded(real, kInput, WeightScales::kPerGate, formats());
  const GruRef float_cell(real.params());
  const GruInt cell(coded.params(), Isa::kScalar);
  const Floats x = frames(random, 1, 3);
  PointNames float_points, points;
  Running<GruRef>(float_cell).step(x.data(), &float_points);
  Running<GruInt>(cell).step(codes_of(x, kInput).data(), &points);
  const std::string reset = GetParam().reset_after ? "recurrent_h:4 " : "reset:4 ";
  EXPECT_EQ(points.text, "pre_z:4 pre_r:4 act_z:4 act_r:4 " + reset + "pre_h:4 act_h:4 state:4 ");
  EXPECT_EQ(points.text, float_points.text);
}

// Gates and candidate at their ends, from either end of the state: h never leaves [-1, 1] and never wraps.
TEST_P(GruForms, TheStateStaysBetweenMinusOneAndOne) {
  for (const int z_sign : {-1, 1}) {
    for (const int candidate_sign : {-1, 1}) {
      const std::int32_t b[] = {8 * z_sign, 8, 8 * candidate_sign};
      const std::int8_t zero[3] = {};
      const std::int32_t no_bias[3] = {};
      const float scale = 1.0f;
      const GruIntParams params{shape(1, 1), {zero, 3, 1},         {zero, 3, 1},         b,
                                no_bias,     std::span(&scale, 1), std::span(&scale, 1), {1.0f, 0}};
      const GruInt cell(params, chosen_isa());
      for (const int h0 : {-32768, 32767}) {
        Running<GruInt> running(cell);
        running.part<std::int16_t>(0)[0] = static_cast<std::int16_t>(h0);
        restore_derived(cell, running.state().data());
        const std::int8_t x = 0;
        const int candidate = candidate_sign * tanh_q0_15(32767, 3);
        int distance = std::abs(candidate - h0);
        for (int step = 0; step < 300; ++step) {
          running.step(&x);
          const int nearer = candidate - running.part<std::int16_t>(0)[0];
          EXPECT_LE(std::abs(nearer), distance) << "towards the candidate";
          EXPECT_GE(static_cast<std::int64_t>(nearer) * (candidate - h0), 0) << "and not beyond it";
          distance = std::abs(nearer);
        }
        EXPECT_LE(distance, z_sign < 0 ? 1 : 65535) << "a shut gate takes the candidate";
      }
    }
  }
}

TEST_P(GruForms, RefusesSumsThatCanLeave32Bits) {
  Random random(58);
  const RandomGru real(shape(8, 4), 1.0, random);
  const CodedGru coded(real, kInput, WeightScales::kPerGate, formats());
  EXPECT_NO_THROW(GruInt(coded.params(), Isa::kScalar));
  for (const std::size_t row : {0u, 5u, 11u}) {
    GruIntParams params = coded.params();
    std::vector<std::int32_t> b(params.b.begin(), params.b.end());
    b[row] = std::numeric_limits<std::int32_t>::max();
    params.b = b;
    EXPECT_THROW(GruInt(params, Isa::kScalar), Error) << row;
    params = coded.params();
    std::vector<std::int32_t> b_recurrent(params.b_recurrent.begin(), params.b_recurrent.end());
    b_recurrent[row] = std::numeric_limits<std::int32_t>::min();
    params.b_recurrent = b_recurrent;
    EXPECT_THROW(GruInt(params, Isa::kScalar), Error) << row;
  }
}

TEST_P(GruForms, CountsTheWeightsOfAStep) {
  Random random(59);
  const RandomGru real(shape(16, 16), 1.0, random);
  const CodedGru coded(real, kInput, WeightScales::kPerGate, formats());
  EXPECT_GE(GruInt(coded.params(), Isa::kScalar).weight_bytes(), 3u * 16 * 32);
}

INSTANTIATE_TEST_SUITE_P(All, GruForms,
                         testing::Values(Form{true, false}, Form{false, false}, Form{true, true}, Form{false, true}),
                         [](const auto& form) {
                           return std::string(form.param.reset_after ? "reset_after" : "reset_before") +
                                  (form.param.of_version_one ? "_version_1" : "");
                         });

}  // namespace
}  // namespace quaver
