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

#include "quaver/cells/gated_cell.h"
#include "quaver/cells/lstm/params.h"
#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/state_part.h"
#include "quaver/kernels/matvec/matvec.h"
#include "quaver/kernels/norm/norm.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

class LstmInt : public GatedCell<LstmInt, LstmStream> {
 public:
  // Folds zero points, derives multipliers and packs weights for `isa`. Error when a sum can leave int32.
  LstmInt(const LstmIntParams& params, Isa isa);

  std::size_t output_size() const { return shape_.n_out; }
  std::size_t weight_bytes() const;  // read by one step
  std::vector<StatePart> state_parts() const;
  std::size_t scratch_bytes() const;
  void reset(std::byte* state) const noexcept;            // h is the code of real 0, its zero point; c = 0
  void restore_derived(std::byte* state) const noexcept;  // h8 from h, of a wide output
  // Of the last step: h[n_out], of a wide output int16 codes as bytes.
  const std::int8_t* output(std::byte* state) const { return reinterpret_cast<const std::int8_t*>(state); }

 private:
  friend GatedCell;
  struct Pass;
  struct Rows;
  Pass lay_out_pass(std::byte* scratch) const noexcept;
  Rows lay_out_rows(std::byte* scratch) const noexcept;
  // What R reads: h, or the copy of a wide h.
  std::int8_t* h_of(std::byte* state) const { return reinterpret_cast<std::int8_t*>(state + h8_offset_); }
  std::int16_t* wide_h_of(std::byte* state) const { return reinterpret_cast<std::int16_t*>(state); }
  std::int16_t* c_of(std::byte* state) const { return reinterpret_cast<std::int16_t*>(state + c_offset_); }
  void join(const Pass& buffers, std::size_t index, std::byte* state, LstmStream& stream) const noexcept;
  void pass(const LstmStream* streams, std::size_t count, WorkingMemory memory) const noexcept;
  void advance(LstmStream* streams, std::byte* const* states, std::size_t count, WorkingMemory memory,
               Observer* observer) const noexcept;
  void compose(std::byte* scratch, const LstmStream& stream, std::byte* state, Observer* observer) const noexcept;
  void set_wide_h(const std::int16_t* o, const std::int16_t* tanh_c, std::byte* state) const noexcept;
  // acc: [padded rows] of the projection.
  void project(std::int32_t* acc, const std::int8_t* m, std::byte* state, Observer* observer) const noexcept;

  LstmShape shape_;
  const ElementwisePath* elementwise_;
  const LayerNormPath* layer_norm_;
  std::size_t h_size_;  // bytes of an operand
  GateMatrix R_;        // with folded biases and multipliers
  PackedMatrix W_projection_;
  AlignedVector<std::int32_t> B_projection_;
  RowMultipliers r_projection_;
  std::vector<std::int16_t> P_, L_;
  std::vector<std::int32_t> b_norm_;  // layer norm's shift
  std::array<Multiplier, 3> r_P_{};   // per peephole
  std::array<LayerNormRule, 4> norm_rule_{};
  std::array<double, 4> gate_scale_{};
  Multiplier r_m_;
  LstmRule rule_;
  bool wide_output_, one_pass_ = false;
  StateCodes h8_codes_;  // of a wide output
  std::size_t c_offset_, h8_offset_;
  OutputCodes m_codes_, h_codes_;
  double m_scale_;
  int cell_integer_bits_;
  std::int32_t cell_clip_;
};

}  // namespace quaver
