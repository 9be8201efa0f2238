// The integer LSTM against real numbers, in all 16 variants, and against itself on every path.
#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "quaver/cells/lstm/test_lstm.h"
#include "quaver/core/error.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr std::int16_t kMin16 = std::numeric_limits<std::int16_t>::min();
constexpr std::int16_t kMax16 = std::numeric_limits<std::int16_t>::max();

LstmShape sized(LstmShape shape, std::size_t n_in, std::size_t n_cell, std::size_t n_out) {
  shape.n_in = n_in;
  shape.n_cell = n_cell;
  shape.n_out = shape.projection ? n_out : n_cell;
  return shape;
}

// Frames with the deviation a normalised feature has.
Floats frames(Random& random, std::size_t steps, std::size_t n_in) { return normal(random, steps * n_in, 1.0); }

class LstmVariants : public testing::TestWithParam<LstmShape> {};

// ---- against real numbers

// The float cell and the budget's equations are two readings of the same text that differ by float32 arithmetic: sums
// of at most 128 products near 1 lose 128 2^-24 = 7.6e-6, twice a step.
constexpr double kFloatArithmetic = 2e-5;

struct Budgets {
  Held h, c;
};

// (A39, A40) Steps of the integer cell, each measured from its own state: one step's error, not what adds up.
Budgets hold_to_budget(const RandomLstm& real, const Floats& x, WeightScales weight_scales,
                       SumLimits sums = kWholeSums) {
  const LstmShape& shape = real.shape;
  const CodedLstm coded(real, x, weight_scales, sums);
  const LstmIntParams params = coded.params();
  const LstmInt cell(params, Isa::kScalar);
  const LstmRef float_cell(real.params());
  const LstmBudget<Reading::kWorst> worst(real.params(), params);
  const LstmBudget<Reading::kExpected> expected(real.params(), params);
  Running<LstmInt> running(cell);
  Running<LstmRef> float_running(float_cell);
  Budgets budgets;
  for (std::size_t t = 0; t * shape.n_in < x.size(); ++t) {
    const std::span<const float> frame(x.data() + t * shape.n_in, shape.n_in);
    const auto h = running.part<std::int8_t>(0);
    const auto c = running.part<std::int16_t>(1);
    auto bound = worst.decoded(h, c);
    auto likely = expected.decoded(h, c);
    for (std::size_t j = 0; j < h.size(); ++j) float_running.part<float>(0)[j] = static_cast<float>(bound.h[j].value);
    for (std::size_t j = 0; j < c.size(); ++j) float_running.part<float>(1)[j] = static_cast<float>(bound.c[j].value);
    worst.step(frame, bound);
    expected.step(frame, likely);
    float_running.step(frame.data());
    running.step(codes_of(frame, params.x).data());
    const auto found = worst.decoded(h, c);
    for (std::size_t j = 0; j < h.size(); ++j) {
      EXPECT_NEAR(static_cast<double>(float_running.part<float>(0)[j]), bound.h[j].value, kFloatArithmetic);
      budgets.h.add(found.h[j].value - bound.h[j].value, bound.h[j].error, likely.h[j].error);
    }
    for (std::size_t j = 0; j < c.size(); ++j) {
      EXPECT_NEAR(static_cast<double>(float_running.part<float>(1)[j]), bound.c[j].value, kFloatArithmetic);
      budgets.c.add(found.c[j].value - bound.c[j].value, bound.c[j].error, likely.c[j].error);
    }
  }
  const auto print = [](const char* name, const Held& held) {
    std::printf("  %s: worst error %.2g, %2.0f %% of its bound; rms %.2f of expected", name, held.worst_error,
                100 * held.worst_ratio, held.expected_ratio());
  };
  std::printf("  %2zux%2zux%2zu per %s", shape.n_in, shape.n_cell, shape.n_out,
              weight_scales == WeightScales::kPerRow ? "row " : "gate");
  print("h", budgets.h);
  print("c", budgets.c);
  std::printf("\n");
  EXPECT_LE(budgets.h.worst_ratio, 1.0);
  EXPECT_LE(budgets.c.worst_ratio, 1.0);
  return budgets;
}

TEST_P(LstmVariants, OneStepStaysInItsBudget) {
  constexpr std::size_t kSizes[][3] = {{1, 1, 1}, {3, 5, 2}, {17, 33, 20}, {40, 64, 32}};
  for (const auto& [n_in, n_cell, n_out] : kSizes) {
    for (const WeightScales weight_scales : {WeightScales::kPerGate, WeightScales::kPerRow}) {
      Random random(31);
      const RandomLstm real(sized(GetParam(), n_in, n_cell, n_out), 1.0, random);
      const Budgets budgets = hold_to_budget(real, frames(random, 60, n_in), weight_scales);
      if (n_cell < 30) continue;  // too few roundings for their mean to be near what is expected of it
      for (const double ratio : {budgets.h.expected_ratio(), budgets.c.expected_ratio()}) {
        EXPECT_GT(ratio, 0.8);
        EXPECT_LT(ratio, 1.2);
      }
    }
  }
}

TEST_P(LstmVariants, ClipsStayInTheirBudget) {
  Random random(32);
  RandomLstm real(sized(GetParam(), 9, 14, 8), 2.0, random);
  const Floats x = frames(random, 60, 9);
  for (const float cell_clip : {0.0f, 0.37f}) {
    for (const float projection_clip : {0.0f, 0.21f}) {
      if (projection_clip > 0 && !real.shape.projection) continue;
      real.cell_clip = cell_clip;
      real.projection_clip = projection_clip;
      hold_to_budget(real, x, WeightScales::kPerRow);
    }
  }
}

// Saturated gates, every one of them, are still within the budget: clipping is part of it.
TEST_P(LstmVariants, SaturatedGatesStayInTheirBudget) {
  Random random(33);
  const RandomLstm real(sized(GetParam(), 9, 14, 8), 12.0, random);
  const Floats x = frames(random, 60, 9);
  for (const SumLimits sums : {kWholeSums, kCutHalves}) hold_to_budget(real, x, WeightScales::kPerGate, sums);
}

// Fed by its own state for 1000 steps, the cell keeps its distance from the float one.
TEST_P(LstmVariants, DoesNotDrift) {
  constexpr std::size_t kStreams = 16, kSteps = 1000, kWindow = 20;
  Random random(34);
  RandomLstm real(sized(GetParam(), 12, 32, 16), 1.0, random);
  // A strong peephole can hold the forget gate open while its cell grows without bound, in float too; no format of the
  // cell state lasts then, so such networks are none of this test's.
  for (float& weight : real.P) weight *= 0.25f;
  const CodedLstm coded(real, frames(random, 1000, 12), WeightScales::kPerRow);
  const LstmInt cell(coded.params(), chosen_isa());
  const LstmRef float_cell(real.params());
  const Affine h_format = coded.params().h;
  const LstmBudget<Reading::kExpected> budget(real.params(), coded.params());
  LstmBudget<Reading::kExpected>::State likely;  // of the first stream; none differs much
  likely.h.resize(real.shape.n_out);
  likely.c.resize(real.shape.n_cell);
  std::vector<double> squares(kSteps, 0), expected_squares(kSteps, 0);
  for (std::size_t stream = 0; stream < kStreams; ++stream) {
    Running<LstmInt> running(cell);
    Running<LstmRef> float_running(float_cell);
    for (std::size_t t = 0; t < kSteps; ++t) {
      const Floats x = frames(random, 1, 12);
      const float* expected = float_running.step(x.data());
      const std::int8_t* found = running.step(codes_of(x, coded.params().x).data());
      for (std::size_t j = 0; j < real.shape.n_out; ++j) {
        const double h = static_cast<double>(h_format.scale) * (found[j] - h_format.zero_point);
        squares[t] += (h - static_cast<double>(expected[j])) * (h - static_cast<double>(expected[j]));
      }
      if (stream > 0) continue;
      budget.step(x, likely);
      for (const auto& number : likely.h) expected_squares[t] += number.error * number.error * double{kStreams};
    }
  }
  const auto sum = [](const std::vector<double>& values, std::size_t step) {
    return std::accumulate(values.data() + step - kWindow, values.data() + step, 0.0);
  };
  const auto error = [&](std::size_t step) {  // root mean square over the streams and the steps up to this one
    return std::sqrt(sum(squares, step) / static_cast<double>(kWindow * kStreams * real.shape.n_out));
  };
  const auto codes = [&](std::size_t step) { return error(step) / static_cast<double>(h_format.scale); };
  const double ratio = std::sqrt(sum(squares, kSteps) / sum(expected_squares, kSteps));
  std::printf("  rms error of h in codes at step 20: %.2f, 100: %.2f, 1000: %.2f (%.2f of expected)\n", codes(20),
              codes(100), codes(1000), ratio);
  EXPECT_LE(error(1000), 2 * error(100));
  EXPECT_LT(ratio, 2.0) << "roundings of a cell that changes slowly are alike from step to step, which adds to them";
}

// ---- against itself

struct Stream {
  std::vector<std::int8_t> h;
  std::vector<std::int16_t> c;
  bool operator==(const Stream&) const = default;
};

// h and c after every step, from a state filled with h0 and c0.
Stream run(const LstmInt& cell, std::size_t n_in, std::span<const std::int8_t> x, std::int8_t h0, std::int16_t c0) {
  Running<LstmInt> running(cell);
  std::ranges::fill(running.part<std::int8_t>(0), h0);
  std::ranges::fill(running.part<std::int16_t>(1), c0);
  Stream stream;
  for (std::size_t t = 0; t * n_in < x.size(); ++t) {
    const std::int8_t* h = running.step(x.data() + t * n_in);
    EXPECT_EQ(h, running.part<std::int8_t>(0).data());
    stream.h.insert(stream.h.end(), h, h + cell.output_size());
    stream.c.insert(stream.c.end(), running.part<std::int16_t>(1).begin(), running.part<std::int16_t>(1).end());
  }
  return stream;
}

TEST_P(LstmVariants, EveryPathGivesTheSameBitsFromEveryExtreme) {
  constexpr std::size_t kSizes[][3] = {{1, 1, 1}, {2, 15, 3}, {16, 16, 16}, {33, 17, 9}, {65, 70, 48}};
  for (const auto& [n_in, n_cell, n_out] : kSizes) {
    for (const auto& [gain, sums] :
         {std::pair{1.0, kCutHalves}, std::pair{20.0, kCutHalves}, std::pair{20.0, kWholeSums}}) {
      Random random(35);
      RandomLstm real(sized(GetParam(), n_in, n_cell, n_out), gain, random);
      real.cell_clip = gain > 1 ? 0 : 0.5f;
      const CodedLstm coded(real, frames(random, 40, n_in), WeightScales::kPerRow, sums);
      const LstmInt scalar(coded.params(), Isa::kScalar);
      std::vector<std::int8_t> inputs[4];
      for (std::size_t i = 0; i < 12 * n_in; ++i) {
        inputs[0].push_back(-128);
        inputs[1].push_back(127);
        inputs[2].push_back(random.below(2) == 0 ? -128 : 127);
        inputs[3].push_back(static_cast<std::int8_t>(random.between(-128, 127)));
      }
      for (const auto& x : inputs) {
        for (const auto& [h0, c0] : {std::pair{std::int8_t{-128}, kMin16},
                                     {std::int8_t{127}, kMax16},
                                     {std::int8_t{-128}, kMax16},
                                     {std::int8_t{3}, std::int16_t{-5}}}) {
          const Stream expected = run(scalar, n_in, x, h0, c0);
          for (const Isa isa : other_paths())
            EXPECT_EQ(run(LstmInt(coded.params(), isa), n_in, x, h0, c0), expected) << isa_name(isa);
        }
      }
    }
  }
}

// More input halves are kept at once where their weights come from memory: two streams, as many steps as there is room
// for, and in the next turn fewer.
TEST(LstmInt, KeepsTheInputsOfManyStepsOfWeightsFromMemory) {
  constexpr std::size_t kIn = 70'000, kCells = 32, kStreams = 2, kSteps = kMostKeptSteps / kStreams, kMore = 3;
  Random random(41);
  const RandomLstm real(sized({}, kIn, kCells, kCells), 1.0, random);
  const CodedLstm coded(real, frames(random, 2, kIn), WeightScales::kPerRow);
  const auto codes = codes_of(frames(random, (kSteps + kMore) * kStreams, kIn), coded.params().x);
  const auto input = [&](std::size_t step, std::size_t s) { return codes.data() + (step * kStreams + s) * kIn; };
  for (const Isa isa : all_isas()) {
    if (!isa_supported(isa)) continue;
    const LstmInt cell(coded.params(), isa);
    ASSERT_EQ(cell.kept_steps(), kMostKeptSteps);
    std::vector<Running<LstmInt>> alone(kStreams, Running<LstmInt>(cell)), together = alone;
    std::vector<std::byte*> states;
    for (Running<LstmInt>& stream : together) states.push_back(stream.state().data());
    AlignedVector<std::byte> memory(cell.run_scratch_bytes());
    for (const auto& [first, count] : {std::pair{std::size_t{0}, kSteps}, {kSteps, kMore}}) {
      std::vector<const std::int8_t*> x;
      for (std::size_t step = first; step < first + count; ++step) {
        for (std::size_t s = 0; s < kStreams; ++s) x.push_back(input(step, s));
      }
      cell.keep_inputs(x.data(), x.size(), memory.data());
      for (std::size_t step = first; step < first + count; ++step) {
        cell.step_kept((step - first) * kStreams, states.data(), kStreams, memory.data());
        for (std::size_t s = 0; s < kStreams; ++s) {
          const std::int8_t* h = alone[s].step(input(step, s));
          EXPECT_TRUE(std::equal(h, h + kCells, cell.output(states[s]))) << isa_name(isa) << " " << step;
        }
      }
    }
  }
}

// A scale a gate, or the same scale for each of its rows: no special case inside.
TEST_P(LstmVariants, ScalesMayBeRepeated) {
  Random random(36);
  const RandomLstm real(sized(GetParam(), 6, 10, 7), 1.0, random);
  const CodedLstm coded(real, frames(random, 40, 6), WeightScales::kPerGate);
  const LstmIntParams params = coded.params();
  LstmIntParams repeated = params;
  const auto repeat = [](std::span<const float> scales, std::size_t count) {
    Floats result;
    for (const float scale : scales) result.insert(result.end(), count / scales.size(), scale);
    return result;
  };
  const Floats W_scales = repeat(params.W_scales, params.W.rows()), R_scales = repeat(params.R_scales, params.R.rows());
  const Floats projection_scales =
      params.shape.projection ? repeat(params.W_projection_scales, params.shape.n_out) : Floats();
  repeated.W_scales = W_scales;
  repeated.R_scales = R_scales;
  repeated.W_projection_scales = projection_scales;
  const auto x = codes_of(frames(random, 20, 6), params.x);
  const LstmInt one(params, Isa::kScalar), many(repeated, Isa::kScalar);
  EXPECT_EQ(run(one, 6, x, 0, 0), run(many, 6, x, 0, 0));
}

TEST_P(LstmVariants, TheStateIsAllThatIsRemembered) {
  Random random(37);
  const RandomLstm real(sized(GetParam(), 6, 10, 7), 1.0, random);
  const CodedLstm coded(real, frames(random, 40, 6), WeightScales::kPerGate);
  const auto x = codes_of(frames(random, 30, 6), coded.params().x);
  const LstmInt cell(coded.params(), chosen_isa());
  const auto frame = [&](std::size_t t) { return x.data() + t * 6; };
  Running<LstmInt> whole(cell), first(cell), second(cell);
  for (std::size_t t = 0; t < 30; ++t) whole.step(frame(t));
  for (std::size_t t = 0; t < 11; ++t) first.step(frame(t));
  second.state() = first.state();  // a copy goes on elsewhere
  for (std::size_t t = 11; t < 30; ++t) second.step(frame(t));
  EXPECT_EQ(second.state(), whole.state());
  cell.reset(whole.state().data());  // and a reset state has forgotten
  for (const std::int8_t h : whole.part<std::int8_t>(0)) EXPECT_EQ(h, coded.params().h.zero_point);
  for (const std::int16_t c : whole.part<std::int16_t>(1)) EXPECT_EQ(c, 0);
}

TEST_P(LstmVariants, FloatAndIntegerCellsShowTheSamePoints) {
  Random random(38);
  const LstmShape shape = sized(GetParam(), 3, 4, 2);
  const RandomLstm real(shape, 1.0, random);
  const Floats x = frames(random, 10, 3);
  const CodedLstm coded(real, x, WeightScales::kPerGate);
  const LstmRef float_cell(real.params());
  const LstmInt cell(coded.params(), Isa::kScalar);
  PointNames float_points, points;
  Running<LstmRef>(float_cell).step(x.data(), &float_points);
  Running<LstmInt>(cell).step(codes_of(x, coded.params().x).data(), &points);
  EXPECT_EQ(points.text, float_points.text);
  std::string expected;
  const auto gate = [&](const char* letter) {
    if (shape.layer_norm) expected += std::string("gate_") + letter + ":4 ";
    expected += std::string("pre_") + letter + ":4 act_" + letter + ":4 ";
  };
  gate("f");
  if (!shape.cifg) gate("i");
  gate("c");
  expected += "cell:4 ";
  gate("o");
  if (shape.projection) expected += "hidden:4 ";
  EXPECT_EQ(points.text, expected);
}

INSTANTIATE_TEST_SUITE_P(All, LstmVariants, testing::ValuesIn(lstm_variants(1, 1, 1)),
                         [](const auto& variant) { return variant_name(variant.param); });

// ---- at the cliffs

// One cell whose gates are held open or shut by their biases: the cell state walks to its end and stays there.
class HeldGates {
 public:
  HeldGates(std::int32_t i, std::int32_t o, std::int32_t f, std::int32_t c) : b_{i, o, f, c} {}
  LstmIntParams params(int cell_integer_bits, std::int32_t cell_clip) const {
    LstmIntParams params;
    params.shape = {1, 1, 1};
    params.W = {zero_, 4, 1};
    params.R = {zero_, 4, 1};
    params.b = b_;
    params.W_scales = {&scale_, 1};
    params.R_scales = {&scale_, 1};
    params.x = {1.0f, 0};
    params.h = {1.0f / 127, 0};
    params.cell_integer_bits = cell_integer_bits;
    params.cell_clip = cell_clip;
    return params;
  }

 private:
  std::int32_t b_[4];
  std::int8_t zero_[4] = {};
  float scale_ = 1.0f;  // so a bias of 8 saturates its gate
};

TEST(LstmInt, TheCellStopsAtItsFormatsEnds) {
  for (int bits = 0; bits <= 6; ++bits) {
    for (const int direction : {-1, 1}) {
      for (const std::int32_t clip : {0, 1, 1000, 32767}) {
        const HeldGates gates(8, 8, 8, 8 * direction);
        const LstmInt cell(gates.params(bits, clip), chosen_isa());
        Running<LstmInt> running(cell);
        const std::int8_t x = 0;
        std::int16_t before = 0;
        for (int step = 0; step < 400; ++step) {
          running.step(&x);
          const std::int16_t c = running.part<std::int16_t>(1)[0];
          EXPECT_LE(std::abs(c), clip > 0 ? clip : 32768);
          EXPECT_GE(direction * c, direction * before) << "no wrap around";
          before = c;
        }
        EXPECT_EQ(before, clip > 0 ? clip * direction : direction > 0 ? kMax16 : kMin16);
      }
    }
  }
}

TEST(LstmInt, AnOutputClampKeepsToItsCodes) {
  const HeldGates gates(8, 8, 8, 8);
  LstmIntParams params = gates.params(3, 0);
  params.output_low = -30;
  params.output_high = 25;
  const LstmInt cell(params, chosen_isa());
  Running<LstmInt> running(cell);
  const std::int8_t x = 0;
  std::int8_t h = 0;
  for (int step = 0; step < 50; ++step) h = *running.step(&x);
  EXPECT_EQ(h, 25);
}

TEST(LstmInt, RefusesSumsThatCanLeave32Bits) {
  const HeldGates fits(0, 0, 0, std::numeric_limits<std::int32_t>::max());
  EXPECT_NO_THROW(LstmInt(fits.params(3, 0), Isa::kScalar)) << "zero weights add nothing";
  Random random(39);
  const RandomLstm real({8, 4, 4}, 1.0, random);
  const CodedLstm coded(real, frames(random, 20, 8), WeightScales::kPerGate);
  LstmIntParams params = coded.params();
  std::vector<std::int32_t> b(params.b.begin(), params.b.end());
  b[5] = std::numeric_limits<std::int32_t>::max();
  params.b = b;
  EXPECT_THROW(LstmInt(params, Isa::kScalar), Error);
}

TEST(LstmInt, CountsTheWeightsOfAStep) {
  Random random(40);
  const RandomLstm real({16, 16, 16, false, false, false, true}, 1.0, random);
  const CodedLstm coded(real, frames(random, 20, 16), WeightScales::kPerGate);
  EXPECT_GE(LstmInt(coded.params(), Isa::kScalar).weight_bytes(), 4u * 16 * 32 + 16 * 16);
}

}  // namespace
}  // namespace quaver
