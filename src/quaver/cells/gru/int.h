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

#include "quaver/cells/copied_state.h"
#include "quaver/cells/gated_cell.h"
#include "quaver/cells/gru/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/elementwise/elementwise.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

class GruInt : public GatedCell<GruInt, GruStream> {
 public:
  GruInt(const GruPrepared& prepared, Isa isa);  // packs for `isa`
  GruInt(const GruIntParams& params, Isa isa) : GruInt(prepare(params), isa) {}

  std::size_t output_size() const { return constants_.shape.n; }
  std::size_t weight_bytes() const { return W_.bytes() + R_.bytes() + R_candidate_.bytes(); }  // read by one step
  PackedWeights weights() const { return {weights_of(W_), weights_of(R_), weights_of(R_candidate_)}; }
  std::vector<StatePart> state_parts() const { return {state_.h_part(), state_.copy_part()}; }
  void reset(std::byte* state) const noexcept { state_.reset(state); }
  // Of the last step: h8[n], of a wide output the int16 codes h[n] as bytes.
  const std::int8_t* output(std::byte* state) const { return state_.output(state, constants_.wide_output); }

 private:
  friend GatedCell;
  struct Pass;
  struct Rows;
  Pass lay_out_pass(std::byte* scratch) const noexcept;
  Rows lay_out_rows(std::byte* scratch) const noexcept;

  const std::int8_t* recurrent_input(std::byte* state) const { return state_.copy(state); }
  void join(const Pass& buffers, std::size_t index, std::byte* state, GruStream& stream) const noexcept;
  void pass(const Pass& buffers, GruStream* streams, std::byte* const* states, std::size_t count,
            WorkingMemory memory) const noexcept;
  void compose(std::byte* scratch, const GruStream& stream, std::byte* state, Observer* observer) const noexcept;

  GruConstants constants_;
  CopiedState state_;
  GateMatrix R_candidate_;  // reset before only: it reads r .* h
};

extern template class GatedCell<GruInt, GruStream>;

}  // namespace quaver
