// An input of int16 codes: exact sums, and cells that give the bits of int8 codes where the low halves say nothing.
#include "quaver/cells/wide_input.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <vector>

#include "quaver/cells/feedforward/dense.h"
#include "quaver/cells/gru/int.h"
#include "quaver/cells/input_product.h"
#include "quaver/cells/lstm/int.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/cells/test_cells.h"
#include "quaver/core/error.h"
#include "quaver/fixed/activation.h"

namespace quaver {
namespace {

using namespace testing_support;

std::vector<std::int8_t> random_codes(std::size_t count, Random& random) {
  std::vector<std::int8_t> codes(count);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-127, 127));
  return codes;
}

const std::int8_t* bytes_of(const std::vector<std::int16_t>& codes) {
  return reinterpret_cast<const std::int8_t*>(codes.data());
}

TEST(WideInput, EveryCodeIsItsTwoHalves) {
  std::vector<std::int16_t> codes(65536);
  std::iota(codes.begin(), codes.end(), std::int16_t{-32768});
  std::vector<std::int8_t> low(codes.size()), high(codes.size());
  split_wide(bytes_of(codes), codes.size(), low.data(), high.data());
  for (std::size_t i = 0; i < codes.size(); ++i) ASSERT_EQ(codes[i], 256 * high[i] + (low[i] - kLowZeroPoint));
}

TEST(WideInput, ProductsAreExactOnEveryPath) {
  Random random(3);
  for (const auto& [rows, cols] : {std::pair<std::size_t, std::size_t>{1, 1}, {37, 19}, {16, 512}, {50, 130}}) {
    const std::vector<std::int8_t> weights = random_codes(rows * cols, random);
    std::vector<std::int32_t> b(rows);
    for (std::int32_t& code : b) code = static_cast<std::int32_t>(random.between(-1000000, 1000000));
    std::vector<std::int16_t> x(cols);
    for (std::int16_t& code : x)
      code = static_cast<std::int16_t>(random.below(5) == 0 ? -32768 : random.between(-32768, 32767));
    for (const Isa isa : paths_here()) {
      const InputProduct product(
          prepare_input({weights.data(), rows, cols}, WeightFormatId::kI8, b, 0, true, RowMultipliers{}), isa);
      std::vector<std::int32_t> acc(padded_rows(rows));
      AlignedVector<std::byte> scratch(product.scratch_bytes());
      product.run(bytes_of(x), acc.data(), scratch.data());
      for (std::size_t row = 0; row < rows; ++row) {
        std::int64_t sum = b[row];
        for (std::size_t c = 0; c < cols; ++c) sum += std::int64_t{weights[row * cols + c]} * x[c];
        ASSERT_EQ(acc[row], sum) << isa_name(isa) << " row " << row;
      }
    }
  }
}

TEST(WideInput, SumsBeyondInt32AreRefused) {
  const std::vector<std::int8_t> weights(517, 127);
  const auto make = [&](std::size_t cols, std::int32_t b) {
    const std::vector<std::int32_t> bias{b};
    return prepare_input({weights.data(), 1, cols}, WeightFormatId::kI8, bias, 0, true, RowMultipliers{});
  };
  EXPECT_NO_THROW(make(515, 0));
  EXPECT_THROW(make(517, 0), Error);
  constexpr std::int32_t kLeft = std::numeric_limits<std::int32_t>::max() - 515 * 127 * 32768;
  EXPECT_NO_THROW(make(515, -kLeft));
  EXPECT_THROW(make(515, -kLeft - 1), Error);
}

// Codes 256 x at a 256th of x's step, without biases: the same products, rounded the same way.
template <typename Cell, typename Params>
void expect_bits_of_narrow(Params params, std::size_t n_in) {
  params.x = {0.04f, 0};
  params.sums = kWholeSums;
  Params wide = params;
  wide.wide_input = true;
  wide.x.scale = params.x.scale / 256;
  for (const Isa isa : paths_here()) {
    const Cell narrow_cell(params, isa), wide_cell(wide, isa);
    Running<Cell> narrow_run(narrow_cell), wide_run(wide_cell), observed_run(wide_cell);
    PointNames observer;
    Random random(8);
    for (int t = 0; t < 60; ++t) {
      const std::vector<std::int8_t> x = random_codes(n_in, random);
      const std::vector<std::int16_t> x16 = [&] {
        std::vector<std::int16_t> codes;
        for (const std::int8_t code : x) codes.push_back(static_cast<std::int16_t>(256 * code));
        return codes;
      }();
      const auto* expected = narrow_run.step(x.data());
      const auto* found = wide_run.step(bytes_of(x16));
      const auto* seen = observed_run.step(bytes_of(x16), &observer);
      for (std::size_t j = 0; j < narrow_cell.output_size(); ++j) {
        ASSERT_EQ(found[j], expected[j]) << isa_name(isa) << " step " << t;
        ASSERT_EQ(seen[j], expected[j]) << isa_name(isa) << " step " << t << " observed";
      }
    }
  }
}

TEST(WideInput, CodesOfWholeStepsGiveTheBitsOfInt8) {
  constexpr std::size_t kIn = 19, kUnits = 37;
  Random random(5);
  const Floats scales{0.003f};
  {
    const std::vector<std::int8_t> W = random_codes(4 * kUnits * kIn, random);
    const std::vector<std::int8_t> R = random_codes(4 * kUnits * kUnits, random);
    const std::vector<std::int32_t> b(4 * kUnits);
    for (const bool peephole : {false, true}) {
      LstmIntParams params;
      params.shape = {.n_in = kIn, .n_cell = kUnits, .n_out = kUnits, .peephole = peephole};
      params.W = {W.data(), 4 * kUnits, kIn};
      params.R = {R.data(), 4 * kUnits, kUnits};
      params.b = b;
      params.W_scales = params.R_scales = params.P_scales = scales;
      const std::vector<std::int16_t> P(3 * kUnits, 55);
      if (peephole) params.P = P;
      params.h = {1.0f / 128, 0};
      params.cell_integer_bits = 2;
      expect_bits_of_narrow<LstmInt>(params, kIn);
    }
  }
  {
    const std::vector<std::int8_t> W = random_codes(3 * kUnits * kIn, random);
    const std::vector<std::int8_t> R = random_codes(3 * kUnits * kUnits, random);
    const std::vector<std::int32_t> b(3 * kUnits), b_recurrent(kUnits);
    for (const bool after : {true, false}) {
      GruIntParams params;
      params.shape = {kIn, kUnits, after};
      params.W = {W.data(), 3 * kUnits, kIn};
      params.R = {R.data(), 3 * kUnits, kUnits};
      params.b = b;
      params.b_recurrent = b_recurrent;
      params.W_scales = params.R_scales = scales;
      expect_bits_of_narrow<GruInt>(params, kIn);
    }
  }
}

TEST(WideInput, AnRnnTakesIt) {
  constexpr std::size_t kIn = 19, kUnits = 37;
  Random random(7);
  const std::vector<std::int8_t> W = random_codes(kUnits * kIn, random), R(kUnits * kUnits);
  const std::vector<std::int32_t> b(kUnits, 1000);
  const Floats scales{0.003f};
  RnnIntParams params;
  params.n_in = kIn;
  params.n = kUnits;
  params.W = {W.data(), kUnits, kIn};
  params.R = {R.data(), kUnits, kUnits};
  params.b = b;
  params.W_scales = params.R_scales = scales;
  params.x = {0x1p-13f, 0};
  params.wide_input = true;
  params.sums = kWholeSums;
  std::vector<std::int16_t> x(kIn);
  for (std::int16_t& code : x) code = static_cast<std::int16_t>(random.between(-32768, 32767));
  for (const Isa isa : paths_here()) {
    const RnnInt cell(params, isa);
    Running<RnnInt> running(cell);
    running.step(bytes_of(x));
    const std::span<const std::int16_t> h = running.part<std::int16_t>(0);
    for (std::size_t row = 0; row < kUnits; ++row) {
      std::int64_t sum = b[row];
      for (std::size_t c = 0; c < kIn; ++c) sum += std::int64_t{W[row * kIn + c]} * x[c];
      const Multiplier m = Multiplier::from_real(static_cast<double>(0.003f * 0x1p-13f / 0x1p-12f));
      const auto pre = saturate<std::int16_t>(m.apply(static_cast<std::int32_t>(sum)));
      ASSERT_EQ(h[row], tanh_q0_15(pre, 3)) << isa_name(isa) << " row " << row;
    }
  }
}

TEST(WideInput, ADenseLayerTakesIt) {
  Random random(6);
  const std::vector<std::int8_t> W = random_codes(5 * 7, random);
  const std::vector<std::int32_t> b{10, -2000, 300000, 0, 5};
  const Floats scales{0.01f};
  DenseIntParams params{{W.data(), 5, 7}, b, scales, {0x1p-12f, 0}, {0x1p-8f, 0}};
  params.wide_input = true;
  const std::vector<std::int16_t> x{-32768, 32767, 255, -256, -1, 0, 12345};
  for (const Isa isa : paths_here()) {
    const DenseInt dense(params, isa);
    AlignedVector<std::byte> scratch(dense.scratch_bytes());
    std::vector<std::int16_t> y(5);
    dense.run(bytes_of(x), y.data(), scratch.data());
    for (std::size_t row = 0; row < 5; ++row) {
      std::int64_t sum = b[row];
      for (std::size_t c = 0; c < 7; ++c) sum += std::int64_t{W[row * 7 + c]} * x[c];
      const Multiplier m = Multiplier::from_real(static_cast<double>(0.01f * 0x1p-12f / 0x1p-8f));
      EXPECT_EQ(y[row], saturate<std::int16_t>(m.apply(static_cast<std::int32_t>(sum)))) << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace quaver
