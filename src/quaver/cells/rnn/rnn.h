// rnn.h - one time step of the vanilla RNN, in float (tanh, relu) and in integers (tanh).
//
//   h = f(W x + b + R h)
// Integers: as the GRU's candidate without a gate: sums Q3.12, h int16 Q0.15 with an affine int8 copy. A relu state has
// no bound, hence no such format: validate() refuses it for integer schemes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/copied_state.h"
#include "quaver/cells/input_product.h"
#include "quaver/cells/linear_ref.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/elementwise/elementwise.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

struct RnnFloatParams {
  std::size_t n_in = 0;
  std::size_t n = 0;
  bool relu = false;          // else tanh
  MatrixView<const float> W;  // [n, n_in]
  MatrixView<const float> R;  // [n, n]
  std::span<const float> b;   // [n]
};

class RnnRef {
 public:
  using Input = float;
  using Output = float;
  explicit RnnRef(const RnnFloatParams& params);
  std::size_t output_size() const { return n_; }
  std::vector<StatePart> state_parts() const { return {{.name = "h", .type = NumberType::kF32, .count = n_}}; }
  std::size_t scratch_bytes() const { return align_up(n_ * sizeof(float)); }
  void reset(std::byte* state) const noexcept;
  const float* step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept;

 private:
  std::size_t n_;
  bool relu_;
  LinearRef W_, R_;
  std::vector<float> b_;
};

struct RnnIntParams {
  std::size_t n_in = 0;
  std::size_t n = 0;
  MatrixView<const std::int8_t> W, R;
  std::span<const std::int32_t> b;  // scale s_x s_W a row
  std::span<const float> W_scales, R_scales;
  Affine x;
  Affine h{0x1p-7f, 0};                         // the state's int8 copy
  WeightFormatId format = WeightFormatId::kI8;  // of W and R
  SumLimits sums = kCutHalves;                  // how the sums are cut off
  Curve curve = Curve::kTanh;                   // of Q3.12
  bool wide_input = false;                      // int16 codes, zero point 0
  bool wide_output = false;                     // the state itself, int16 in Q0.15, else its int8 copy (A46)
};

// All of an RNN's integer step but its matrices.
struct RnnConstants {
  std::size_t n = 0;              // units
  SumLimits limits = kWholeSums;  // of the first addend (A16)
  Curve curve = Curve::kTanh;     // of Q3.12
  StateCodes codes;               // of the state's copy (A27)
  bool wide_output = false;       // the state is handed on, else its copy (A46)
};
// The integer step (prepared_product.h); both products become steps of Q3.12.
struct RnnPrepared {
  RnnConstants constants;
  PreparedInput W;    // [n, n_in] of x
  PreparedProduct R;  // [n, n] of the copy of h
};
RnnPrepared prepare(const RnnIntParams& params);  // Error when a sum can leave int32

class RnnInt {
 public:
  using Input = std::int8_t;
  using Output = std::int8_t;
  RnnInt(const RnnPrepared& prepared, Isa isa);  // packs for `isa`
  RnnInt(const RnnIntParams& params, Isa isa) : RnnInt(prepare(params), isa) {}
  std::size_t output_size() const { return constants_.n; }
  PackedWeights weights() const { return {W_.weights(), R_.weights()}; }
  std::vector<StatePart> state_parts() const { return {state_.h_part(), state_.copy_part()}; }
  std::size_t scratch_bytes() const {
    return 2 * align_up(padded_rows(constants_.n) * sizeof(std::int32_t)) + W_.scratch_bytes();
  }
  void reset(std::byte* state) const noexcept { state_.reset(state); }
  // Returns the output, of a wide one its int16 codes as bytes.
  const std::int8_t* step(const std::int8_t* x, std::byte* state, std::byte* scratch,
                          Observer* observer) const noexcept;

 private:
  RnnConstants constants_;
  CopiedState state_;
  const ElementwisePath* elementwise_;
  InputProduct W_;
  PackedMatrix R_;
  AlignedVector<std::int32_t> B_R_;
  RowMultipliers r_W_, r_R_;
};

}  // namespace quaver
