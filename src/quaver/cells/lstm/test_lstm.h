// test_lstm.h - random LSTMs, their integer form from a float run's ranges, and the error budget of a step. Test-only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quaver/cells/error_budget.h"
#include "quaver/cells/lstm/int.h"
#include "quaver/cells/lstm/ref.h"
#include "quaver/cells/test_cells.h"

namespace quaver::testing_support {

// "cifg_peephole_norm_projection", "plain"
std::string variant_name(const LstmShape& shape);
// All 16 variants of one size; n_out is used with projection.
std::vector<LstmShape> lstm_variants(std::size_t n_in, std::size_t n_cell, std::size_t n_out);

class RandomLstm {
 public:
  // Weights of deviation gain / sqrt(columns), forget gates biased open.
  RandomLstm(const LstmShape& shape, double gain, Random& random);
  LstmFloatParams params() const;

  LstmShape shape;
  Floats W, R, b, P, L, W_projection, b_projection;
  float cell_clip = 0, projection_clip = 0;
};

// The smallest and largest value of every point a float cell reports.
class RangeObserver : public Observer {
 public:
  void at(std::string_view, std::string_view, std::size_t) override {}
  void real(std::string_view point, std::span<const float> values) override;
  void codes(std::string_view, std::span<const std::int8_t>, double, std::int32_t) override {}
  void codes(std::string_view, std::span<const std::int16_t>, double) override {}
  std::map<std::string, std::pair<double, double>, std::less<>> ranges;
};

class CodedLstm {
 public:
  // Ranges come from a float run over `steps` frames of x, [steps, n_in].
  CodedLstm(const RandomLstm& real, std::span<const float> x, WeightScales weight_scales, SumLimits sums = kWholeSums);
  LstmIntParams params() const;

 private:
  LstmShape shape_;
  std::vector<std::int8_t> W_, R_, W_projection_;
  std::vector<std::int16_t> P_, L_;
  std::vector<std::int32_t> b_, b_projection_;
  Floats W_scales_, R_scales_, P_scales_, L_scales_, W_projection_scales_;
  LstmIntParams formats_;  // without views
};

// (A39, A40) The equations of the cell in tracked numbers.
template <Reading reading>
class LstmBudget {
 public:
  using Number = Tracked<reading>;
  struct State {
    std::vector<Number> h, c;
  };
  LstmBudget(const LstmFloatParams& real, const LstmIntParams& coded) : real_(real), coded_(coded) {}
  // Codes taken at their word: no error yet.
  State decoded(std::span<const std::int8_t> h, std::span<const std::int16_t> c) const;
  void step(std::span<const float> x, State& state) const;

 private:
  std::vector<Number> sums(std::span<const float> x, const State& state) const;
  void add_peephole(std::size_t gate, const std::vector<Number>& c, std::vector<Number>& sums) const;
  void normalize(std::size_t gate, std::vector<Number>& sums) const;
  std::span<Number> gate(std::vector<Number>& sums, std::size_t g) const {
    return {sums.data() + g * real_.shape.n_cell, real_.shape.n_cell};
  }
  double sum_step(std::size_t g) const;
  Number limited_to(const Affine& affine, std::int32_t low, std::int32_t high, Number x) const;

  LstmFloatParams real_;
  LstmIntParams coded_;
};

extern template class LstmBudget<Reading::kWorst>;
extern template class LstmBudget<Reading::kExpected>;

}  // namespace quaver::testing_support
