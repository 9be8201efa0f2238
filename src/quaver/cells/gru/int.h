// int.h - one time step of the GRU in integers, both reset forms: the same order of statements as ref.h.
//
// Ours (docs/arithmetic.md, section Cells; docs/cells/gru.md has the error budget). Formats: x int8 affine; weights
// int8, scale a row or any block of rows; sums Q4.11 and Q3.12; gates Q0.15; the state h int16 Q0.15 with an affine
// int8 copy as the matrix product's input and, unless that is wide, the output. |h| <= 1 because h is a convex mix of
// tanh values and its start: the state needs no calibration, its copy gains by it. State: h i16, then its copy h8.
//
// Two ways, the same bits: without an observer a step is one pass of recurrent_step.h (two with reset before, whose
// candidate reads all of r .* h); with one, sums of gates and then elementwise.h's functions on whole rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quaver/cells/gated_cell.h"
#include "quaver/cells/gru/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/elementwise/elementwise.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

class GruInt : public GatedCell<GruInt, GruStream> {
 public:
  // Folds zero points, derives multipliers and packs weights for `isa`. Error when a sum can leave int32.
  GruInt(const GruIntParams& params, Isa isa);

  std::size_t output_size() const { return shape_.n; }
  std::size_t weight_bytes() const;  // read by one step
  std::vector<StatePart> state_parts() const;
  std::size_t scratch_bytes() const;
  void reset(std::byte* state) const noexcept;
  void restore_derived(std::byte* state) const noexcept;  // h8 from h
  // Of the last step: h8[n], of a wide output the int16 codes h[n] as bytes.
  const std::int8_t* output(std::byte* state) const {
    return wide_output_ ? reinterpret_cast<const std::int8_t*>(h_of(state)) : h8_of(state);
  }

 private:
  friend GatedCell;
  struct Pass;
  struct Rows;
  Pass lay_out_pass(std::byte* scratch) const noexcept;
  Rows lay_out_rows(std::byte* scratch) const noexcept;

  std::int16_t* h_of(std::byte* state) const { return reinterpret_cast<std::int16_t*>(state); }
  std::int8_t* h8_of(std::byte* state) const {
    return reinterpret_cast<std::int8_t*>(state + align_up(shape_.n * sizeof(std::int16_t)));
  }
  void join(const Pass& buffers, std::size_t index, std::byte* state, GruStream& stream) const noexcept;
  void pass(GruStream* streams, std::size_t count, WorkingMemory memory) const noexcept;
  void advance(GruStream* streams, std::byte* const* states, std::size_t count, WorkingMemory memory,
               Observer* observer) const noexcept;
  void compose(std::byte* scratch, const GruStream& stream, std::byte* state, Observer* observer) const noexcept;

  GruShape shape_;
  const ElementwisePath* elementwise_;
  std::size_t h_size_;      // bytes of an operand
  GateMatrix R_;            // all gates (reset after), or z and r (reset before)
  GateMatrix R_candidate_;  // reset before only: it reads r .* h
  GruRule rule_;
  double h_scale_;
  bool wide_output_;
  bool one_pass_ = false;
};

}  // namespace quaver
