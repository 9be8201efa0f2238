// ref.h - one time step of the GRU in float, both reset forms (docs/cells/gru.md).
//
//   z = sigmoid(W_z x + b_z + R_z h + b'_z);   r = sigmoid(W_r x + b_r + R_r h + b'_r)
//   linear_before_reset:   n = tanh(W_h x + b_h + r .* (R_h h + b'_h))
//   otherwise:             n = tanh(W_h x + b_h + R_h (r .* h) + b'_h)
//   h = n + z .* (h - n)
#pragma once

#include <cstddef>
#include <vector>

#include "quaver/cells/gru/params.h"
#include "quaver/cells/linear_ref.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"

namespace quaver {

class GruRef {
 public:
  using Input = float;
  using Output = float;
  explicit GruRef(const GruFloatParams& params);

  std::size_t output_size() const { return shape_.n; }
  std::vector<StatePart> state_parts() const;
  std::size_t scratch_bytes() const;
  void reset(std::byte* state) const noexcept;
  // Advances the state by x[n_in]; returns h[n], which lives in the state.
  const float* step(const float* x, std::byte* state, std::byte* scratch, Observer* observer) const noexcept;

 private:
  struct Buffers;
  Buffers lay_out(std::byte* scratch) const noexcept;

  GruShape shape_;
  LinearRef W_, R_zr_, R_h_;
  std::vector<float> b_, b_recurrent_;
};

}  // namespace quaver
