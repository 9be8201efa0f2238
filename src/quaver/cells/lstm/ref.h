// ref.h - one time step of the LSTM in float, all 16 variants, written as the equations read (docs/cells/lstm.md).
//
//   a_g = W_g x + R_g h (+ P_g .* c)          g in i, f, o, c; the output gate's peephole sees the new cell
//   a_g = L_g .* norm(a_g) + b_g  or  a_g + b_g
//   c   = sigmoid(a_f) .* c + sigmoid(a_i) .* tanh(a_c)      CIFG: sigmoid(a_i) becomes 1 - sigmoid(a_f)
//   m   = sigmoid(a_o) .* tanh(c);   h = W_projection m + b_projection  or  h = m
// norm(a) = (a - mean) / sqrt(variance + 1e-8). The state is h[n_out] then c[n_cell].
#pragma once

#include <cstddef>
#include <vector>

#include "quaver/cells/linear_ref.h"
#include "quaver/cells/lstm/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"

namespace quaver {

inline constexpr float kLayerNormEpsilon = 1e-8f;

class LstmRef {
 public:
  using Input = float;
  using Output = float;
  explicit LstmRef(const LstmFloatParams& params);  // views of matching shapes: the model's validate() saw to it

  std::size_t output_size() const { return shape_.n_out; }
  std::vector<StatePart> state_parts() const;
  std::size_t scratch_bytes() const;
  void reset(std::byte* state) const noexcept;  // h = c = 0
  // Advances the state by x[n_in]; returns h[n_out], which lives in the state.
  const float* step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept;

 private:
  struct Buffers;
  Buffers lay_out(std::byte* scratch) const noexcept;

  LstmShape shape_;
  LinearRef W_, R_, W_projection_;
  std::vector<float> b_, P_, L_, b_projection_;
  float cell_clip_, projection_clip_;
};

}  // namespace quaver
