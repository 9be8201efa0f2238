// int.h - one time step of the LSTM in integers, all 16 variants: the same order of statements as ref.h.
//
// Source: Li & Alvarez 2021 and its public implementation; bit for bit LiteRT's integer LSTM (tests: litert_goldens).
// Formats: x, h, m int8 affine; weights int8, scale a row or any block of rows; P, L int16; sums before the activation
// Q3.12; gates Q0.15; c int16 Qm.(15-m). Derivation: docs/arithmetic.md, docs/cells/lstm.md. State: h i8, then c i16;
// with a wide output h i16 in Q0.15, c, then the copy h8 that R reads (A46).
//
// Two ways, the same bits: without layer norm, peephole, wide output and observer a step is one pass of
// recurrent_step.h, block by block; else its sums of gates and then elementwise.h's functions on whole rows, which
// those want to see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quaver/cells/copied_state.h"
#include "quaver/cells/gated_cell.h"
#include "quaver/cells/lstm/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/matvec/matvec.h"
#include "quaver/kernels/norm/norm.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

class LstmInt : public GatedCell<LstmInt, LstmStream> {
 public:
  LstmInt(const LstmPrepared& prepared, Isa isa);  // packs for `isa`
  LstmInt(const LstmIntParams& params, Isa isa) : LstmInt(prepare(params), isa) {}

  std::size_t output_size() const { return shape().n_out; }
  std::size_t weight_bytes() const { return W_.bytes() + R_.bytes() + W_projection_.bytes(); }  // read by one step
  PackedWeights weights() const { return {weights_of(W_), weights_of(R_), W_projection_.weights()}; }
  std::vector<StatePart> state_parts() const;
  void reset(std::byte* state) const noexcept;  // h is the code of real 0, its zero point; c = 0
  // Of the last step: h[n_out], of a wide output int16 codes as bytes.
  const std::int8_t* output(std::byte* state) const { return reinterpret_cast<const std::int8_t*>(state); }

 private:
  friend GatedCell;
  struct Pass;
  struct Rows;
  Pass lay_out_pass(std::byte* scratch) const noexcept;
  Rows lay_out_rows(std::byte* scratch) const noexcept;
  const LstmShape& shape() const { return constants_.shape; }
  // What R reads: h, or the copy of a wide h.
  std::int8_t* h_of(std::byte* state) const {
    return constants_.wide_output ? wide_h_.copy(state) : reinterpret_cast<std::int8_t*>(state);
  }
  const std::int8_t* recurrent_input(std::byte* state) const { return h_of(state); }
  std::int16_t* c_of(std::byte* state) const { return reinterpret_cast<std::int16_t*>(state + c_offset_); }
  void join(const Pass& buffers, std::size_t index, std::byte* state, LstmStream& stream) const noexcept;
  void pass(const Pass& buffers, LstmStream* streams, std::byte* const* states, std::size_t count,
            WorkingMemory memory) const noexcept;
  void compose(std::byte* scratch, const LstmStream& stream, std::byte* state, Observer* observer) const noexcept;
  void set_wide_h(const std::int16_t* o, const std::int16_t* tanh_c, std::byte* state) const noexcept;
  // acc: [padded rows] of the projection.
  void project(std::int32_t* acc, const std::int8_t* m, std::byte* state, Observer* observer) const noexcept;

  LstmConstants constants_;
  const LayerNormPath* layer_norm_;
  PackedMatrix W_projection_;
  AlignedVector<std::int32_t> B_projection_;
  RowMultipliers r_projection_;
  std::size_t c_offset_;
  CopiedState wide_h_;  // of a wide output
};

extern template class GatedCell<LstmInt, LstmStream>;

}  // namespace quaver
