// test_gru.h - random GRUs, their integer form, and the error budget of a step. Test-only.
#pragma once

#include <string>
#include <vector>

#include "quaver/cells/error_budget.h"
#include "quaver/cells/gru/int.h"
#include "quaver/cells/gru/ref.h"
#include "quaver/cells/test_cells.h"

namespace quaver::testing_support {

class RandomGru {
 public:
  // Uniform weights: input ones within +-1 / sqrt(n_in), recurrent ones within +-recurrent_gain / sqrt(n).
  RandomGru(const GruShape& shape, double recurrent_gain, Random& random);
  explicit RandomGru(const GruShape& gru) : shape(gru) {}
  GruFloatParams params() const;

  GruShape shape;
  Floats W, R, b, b_recurrent;
};

// What an integer GRU may choose.
struct GruFormats {
  Affine h{0x1p-7f, 0};            // of the state's copy
  int candidate_integer_bits = 3;  // of R h + b' before the reset gate
  SumLimits sums = kCutHalves;
};

class CodedGru {
 public:
  CodedGru(const RandomGru& real, const Affine& x, WeightScales weight_scales, const GruFormats& formats);
  GruIntParams params() const;
  RandomGru decoded() const;  // the network that the codes stand for exactly

 private:
  GruShape shape_;
  Affine x_;
  GruFormats formats_;
  std::vector<std::int8_t> W_, R_;
  std::vector<std::int32_t> b_, b_recurrent_;
  Floats W_scales_, R_scales_;
};

// Whether x, weights and biases are rounded to their codes, or lie on them, which leaves the errors of the inside.
enum class Operands { kRounded, kExact };

// (A34 to A36) The equations of the cell in tracked numbers.
template <Reading reading>
class GruBudget {
 public:
  using Number = Tracked<reading>;
  GruBudget(const GruFloatParams& real, const GruIntParams& coded, Operands operands = Operands::kRounded);
  // Codes taken at their word: no error yet.
  std::vector<Number> decoded(std::span<const std::int16_t> h) const;
  void step(std::span<const float> x, std::vector<Number>& h) const;

 private:
  GruFloatParams real_;
  Affine x_format_;
  GruFormats formats_;
  double x_step_;  // by which x may have been rounded: 0 when it lies on its codes
  Floats W_steps_, R_steps_;
};

extern template class GruBudget<Reading::kWorst>;
extern template class GruBudget<Reading::kExpected>;

}  // namespace quaver::testing_support
