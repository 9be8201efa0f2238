// int.h - one time step of the GRU in integers, both reset forms: the same order of statements as ref.h.
//
// Ours (docs/arithmetic.md, section Cells; docs/cells/gru.md has the error budget). Formats: x int8 affine; weights
// int8, scale a row or any block of rows; sums Q3.12; gates Q0.15; the state h int16 Q0.15 with an int8 copy, scale
// 1/128, as the matrix product's input and the output. |h| <= 1 because h is a convex mix of tanh values and its start:
// no calibration. State: h i16, then its copy h8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quaver/cells/gru/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/elementwise/elementwise.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

class GruInt {
 public:
  using Input = std::int8_t;
  using Output = std::int8_t;
  // Folds zero points, derives multipliers and packs weights for `isa`. Error when a sum can leave int32.
  GruInt(const GruIntParams& params, Isa isa);

  std::size_t output_size() const { return shape_.n; }
  std::size_t weight_bytes() const;  // read by one step
  std::vector<StatePart> state_parts() const;
  std::size_t scratch_bytes() const;
  void reset(std::byte* state) const noexcept;
  void restore_derived(std::byte* state) const noexcept;  // h8 from h
  // Advances the state by x[n_in]; returns h8[n], which lives in the state.
  const std::int8_t* step(const std::int8_t* x, std::byte* state, std::byte* scratch,
                          Observer* observer) const noexcept;

 private:
  struct Buffers;
  Buffers lay_out(std::byte* scratch) const noexcept;

  GruShape shape_;
  const ElementwisePath* elementwise_;
  PackedMatrix W_;
  PackedMatrix R_;            // all gates (reset after), or z and r (reset before)
  PackedMatrix R_candidate_;  // reset before only: it reads r .* h
  AlignedVector<std::int32_t> B_W_, B_R_, B_candidate_;
  RowMultipliers r_W_, r_R_, r_candidate_;
};

}  // namespace quaver
