// An output of int16 codes (A46): the state itself, whose int8 copy is what the recurrence reads.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "quaver/cells/gru/int.h"
#include "quaver/cells/lstm/int.h"
#include "quaver/cells/rnn/rnn.h"
#include "quaver/cells/test_cells.h"
#include "quaver/fixed/activation.h"
#include "quaver/fixed/rounding.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {
namespace {

using namespace testing_support;

constexpr std::size_t kIn = 19, kUnits = 37;
constexpr Affine kCopy{0.6f / 128, -9};

std::vector<std::int8_t> random_codes(std::size_t count, Random& random) {
  std::vector<std::int8_t> codes(count);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(random.between(-127, 127));
  return codes;
}

// Everything that the parameters of a cell point to.
struct Weights {
  explicit Weights(std::size_t gates) : random(11) {
    W = random_codes(gates * kUnits * kIn, random);
    R = random_codes(gates * kUnits * kUnits, random);
    b.assign(gates * kUnits, 700);
    b_recurrent.assign(kUnits, -300);
    P.assign(3 * kUnits, 55);
    L.assign(gates * kUnits, 1000);
  }
  template <typename Params>
  void give(Params& params, std::size_t gates) const {
    params.W = {W.data(), gates * kUnits, kIn};
    params.R = {R.data(), gates * kUnits, kUnits};
    params.b = b;
    params.W_scales = params.R_scales = scales;
    params.x = {0.04f, 3};
    params.h = kCopy;
    params.sums = kWholeSums;
  }
  Random random;
  std::vector<std::int8_t> W, R;
  std::vector<std::int32_t> b, b_recurrent;
  std::vector<std::int16_t> P, L;
  Floats scales{0.003f};
};

std::int8_t copy_of(std::int16_t h) {
  std::int8_t code;
  elementwise_path(Isa::kScalar).state_codes(&h, StateCodes::from(kCopy), 1, &code);
  return code;
}

// Cells whose state is int16 anyway: the same state, and another part of it is handed on.
template <typename Cell, typename Params>
void expect_the_state(Params params) {
  Params wide = params;
  wide.wide_output = true;
  for (const Isa isa : paths_here()) {
    const Cell narrow_cell(params, isa), wide_cell(wide, isa);
    Running<Cell> narrow_run(narrow_cell), wide_run(wide_cell);
    Random random(8);
    for (int t = 0; t < 60; ++t) {
      const std::vector<std::int8_t> x = random_codes(kIn, random);
      const std::int8_t* copy = narrow_run.step(x.data());
      const auto* found = reinterpret_cast<const std::int16_t*>(wide_run.step(x.data()));
      const std::span<const std::int16_t> h = narrow_run.template part<std::int16_t>(0);
      for (std::size_t j = 0; j < kUnits; ++j) {
        ASSERT_EQ(found[j], h[j]) << isa_name(isa) << " step " << t;
        ASSERT_EQ(copy[j], copy_of(found[j])) << isa_name(isa) << " step " << t;
      }
    }
  }
}

TEST(WideOutput, OfGruAndRnnIsTheirState) {
  const Weights weights(3);
  for (const bool after : {true, false}) {
    GruIntParams params;
    params.shape = {kIn, kUnits, after};
    weights.give(params, 3);
    params.b_recurrent = weights.b_recurrent;
    expect_the_state<GruInt>(params);
  }
  const Weights of_rnn(1);
  RnnIntParams params;
  params.n_in = kIn;
  params.n = kUnits;
  of_rnn.give(params, 1);
  expect_the_state<RnnInt>(params);
}

class GateCodes final : public Observer {
 public:
  std::map<std::string, std::vector<std::int16_t>, std::less<>> points;
  void at(std::string_view, std::string_view, std::size_t) override {}
  void real(std::string_view, std::span<const float>) override {}
  void codes(std::string_view, std::span<const std::int8_t>, double, std::int32_t) override {}
  void codes(std::string_view point, std::span<const std::int16_t> codes, double) override {
    points[std::string(point)].assign(codes.begin(), codes.end());
  }
};

// From any state, a step of the wide cell has the cell state of the narrow one; its h is o tanh(c) rounded once, and
// what the next step reads is the copy of that.
TEST(WideOutput, OfAnLstmIsItsStateBeforeTheCopy) {
  for (const unsigned variant : {0u, 1u, 2u, 3u, 4u, 7u}) {
    LstmIntParams params;
    params.shape = {.n_in = kIn, .n_cell = kUnits, .n_out = kUnits};
    params.shape.cifg = (variant & 1) != 0;
    params.shape.peephole = (variant & 2) != 0;
    params.shape.layer_norm = (variant & 4) != 0;
    const std::size_t gates = params.shape.gate_count();
    const Weights weights(gates);
    weights.give(params, gates);
    const Floats one{0.001f};
    if (params.shape.peephole) params.P = std::span(weights.P).first(params.shape.peephole_count() * kUnits);
    params.P_scales = params.L_scales = one;
    if (params.shape.layer_norm) params.L = std::span(weights.L).first(gates * kUnits);
    params.gate_scale.fill(3e-4f);
    params.cell_integer_bits = 2;
    LstmIntParams wide = params;
    wide.wide_output = true;
    for (const Isa isa : paths_here()) {
      const LstmInt narrow_cell(params, isa), wide_cell(wide, isa);
      Running<LstmInt> narrow_run(narrow_cell), wide_run(wide_cell), observed_run(wide_cell);
      ASSERT_EQ(wide_cell.state_parts().size(), 3u);
      Random random(8);
      for (int t = 0; t < 40; ++t) {
        const std::vector<std::int8_t> x = random_codes(kIn, random);
        std::ranges::copy(wide_run.part<std::int8_t>(2), narrow_run.part<std::int8_t>(0).begin());
        std::ranges::copy(wide_run.part<std::int16_t>(1), narrow_run.part<std::int16_t>(1).begin());
        narrow_run.step(x.data());
        const auto* found = reinterpret_cast<const std::int16_t*>(wide_run.step(x.data()));
        GateCodes seen;
        const auto* observed = reinterpret_cast<const std::int16_t*>(observed_run.step(x.data(), &seen));
        const std::vector<std::int16_t>&o = seen.points.at("act_o"), &c = seen.points.at("cell");
        for (std::size_t j = 0; j < kUnits; ++j) {
          ASSERT_EQ(wide_run.part<std::int16_t>(1)[j], narrow_run.part<std::int16_t>(1)[j]) << variant << " step " << t;
          ASSERT_EQ(c[j], wide_run.part<std::int16_t>(1)[j]) << variant << " step " << t;
          ASSERT_EQ(found[j], divide_by_pot(o[j] * tanh_q0_15(c[j], 2), 15)) << variant << " step " << t;
          ASSERT_EQ(observed[j], found[j]) << variant << " step " << t;
          ASSERT_EQ(wide_run.part<std::int8_t>(2)[j], copy_of(found[j])) << variant << " step " << t;
        }
      }
      // What a saved state lacks comes from what it has.
      const std::vector<std::int8_t> copy(wide_run.part<std::int8_t>(2).begin(), wide_run.part<std::int8_t>(2).end());
      std::ranges::fill(wide_run.part<std::int8_t>(2), std::int8_t{77});
      restore_derived(wide_cell, wide_run.state().data());
      EXPECT_TRUE(std::ranges::equal(wide_run.part<std::int8_t>(2), copy));
      wide_cell.reset(wide_run.state().data());
      EXPECT_EQ(wide_run.part<std::int16_t>(0)[3], 0);
      EXPECT_EQ(wide_run.part<std::int8_t>(2)[3], kCopy.zero_point);
    }
  }
}

}  // namespace
}  // namespace quaver
