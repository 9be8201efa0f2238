// recurrent_step.h - the inside of an LSTM's or GRU's time step as one pass over the weights: matrix products,
// requantization, activations, state update and the output's codes of a block of units while it is in registers.
//
// A cell has two halves, W x and R h, each a matrix [gates n, cols] whose row block g belongs to gate g. Here the rows
// are cut into blocks of `block` units (a vector's worth of int16 lanes), and a block holds the rows of all its gates,
// interleaved by column: one block's products end with everything that its units need, and the weights are read once,
// front to back. What a block computes is, unit by unit and bit by bit, elementwise.h's composition:
//     sum  = sat16(clamp(m_W.apply(acc_W), low, high) + m_R.apply(acc_R))                               (A16, A17)
//     LSTM = A10, A11, A21, A22, A23     GRU = A10, A11, A20, A24, A25, A26, A27
// All paths return the same bits. Functions work on some blocks: threads may share a step by blocks, given that nobody
// overwrites an operand that others still read; operands are copies, so the state itself may be.
//
// An operand is x or h as a path's products read it (unsigned, widened, padded): prepare() makes it.
// Halves of sums are int32 in rows of padded(n) elements, gate after gate; lanes beyond n are 0. Where they are cut off
// is handed in (SumLimits): one code for LiteRT's rule and for whole sums. Several streams (independent states) in one
// call share each read of the weights.
//
// Weights are codes of a weight format, a byte each. A product may pack them closer, as those of i4 and of fewer bits
// do: less to read, the same sums (A43, A48). One RecurrentStep is one path's implementation for one format; both
// halves of a cell have the same.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "quaver/core/aligned.h"
#include "quaver/core/matrix_view.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/kernels/dispatch/format_table.h"
#include "quaver/kernels/elementwise/elementwise.h"

namespace quaver {

struct RecurrentStep;

// GateRows::fetch_ahead of weights that an L3 cache holds; of such as come from memory it is more.
inline constexpr std::size_t kFetchFromCache = 4096;

// What a path reads of one half: plain pointers, so that no inline function is called inside a target region.
struct GateRows {
  const std::int8_t* weights = nullptr;
  const std::int32_t* bias = nullptr;         // folded, in the order of the weights' rows
  const std::int32_t* mantissa = nullptr;     // of the rows' multipliers
  const std::int32_t* left_shift = nullptr;   // max(exponent, 0); null where all rows shrink
  const std::int32_t* right_shift = nullptr;  // max(-exponent, 0)
  // Of rows that shrink on a path with unsigned sums, else null: 2^(k-1) - mantissa - 1 for a shift by k. There the
  // bias has 2^31 more and mantissas are doubled, all mod 2^32 (shrink() of the path's lanes). One mantissa more can be
  // read.
  const std::int32_t* rounding = nullptr;
  std::size_t cols = 0;
  std::size_t gates = 0;
  std::size_t block_bytes = 0;  // of weights
  std::int32_t reach = 0;       // what m.apply() leaves of any accumulator lies within +-reach
  bool shrinks = true;          // GateMatrix::shrinks()
  WeightFormatId format{};
  std::size_t fetch_ahead = 0;  // bytes; 0: an L2 cache holds the weights, so that it does not pay
};

// One half of a cell, packed for a path.
class GateMatrix {
 public:
  GateMatrix() = default;
  // weights [gates units, cols], codes of step's format, of i4 at most 2^16 columns (A43); bias: folded
  // (fold_zero_point), at least one a row; m: one a row. step: of recurrent_step().
  GateMatrix(const RecurrentStep& step, MatrixView<const std::int8_t> weights, std::size_t gates,
             std::span<const std::int32_t> bias, const RowMultipliers& m);
  // The same packed weights, of which `weights` is the view that they were made from, with other constants.
  GateMatrix with(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                  const RowMultipliers& m) const;

  std::size_t bytes() const { return weights_ == nullptr ? 0 : weights_->size(); }  // read once a step
  std::size_t cols() const { return cols_; }
  std::size_t padded() const { return blocks_ * block_; }  // length of a row of sums
  std::size_t blocks() const { return blocks_; }
  GateRows rows() const;
  // Every multiplier shifts right and every sum lies within 2^30: what the one-pass steps need. Scale ratios of real
  // cells are far below 1/2, and sums of 2^16 columns of bytes fit.
  bool shrinks() const { return shrinks_; }

 private:
  void set_constants(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                     const RowMultipliers& m);

  const RecurrentStep* step_ = nullptr;
  std::shared_ptr<const AlignedVector<std::int8_t>> weights_;
  AlignedVector<std::int32_t> bias_, mantissa_, left_shift_, right_shift_, rounding_;
  std::size_t cols_ = 0, gates_ = 0, block_ = 1, blocks_ = 0, block_bytes_ = 0;
  std::int32_t reach_ = 0;
  bool shrinks_ = true;
};

// The blocks [first, end), front to back or back to front. Weights larger than a cache that are always read front to
// back leave just those in it that come last again; turned round, a step begins with what the one before it read last.
struct Blocks {
  std::size_t first = 0, end = 0;
  bool backwards = false;
};

// The curves that one-pass steps are built for, each a copy of their code. Cells with others compose their steps of
// sums and elementwise.h's functions.
inline constexpr std::array kStepCurves{CellCurves{}};
constexpr bool has_step(const CellCurves& curves) {
  return std::ranges::find(kStepCurves, curves) != kStepCurves.end();
}

// The constants of an LSTM without layer norm and peephole.
struct LstmRule {
  std::size_t units = 0;
  SumLimits limits = kWholeSums;
  bool cifg = false;           // gates i o f c, or o f c
  int cell_integer_bits = 0;   // m of c in Qm.(15-m), 0..6
  std::int32_t cell_clip = 0;  // of c's codes, 1..32767; 0: none
  Multiplier output;           // of o tanh(c); exponent < 0
  OutputCodes codes;           // zero point an int8 code
  CellCurves curves{};         // one of kStepCurves
};

// The constants of a GRU.
struct GruRule {
  std::size_t units = 0;
  SumLimits limits = kWholeSums;  // of a gate's halves; with reset after the candidate's recurrent half is sat16'd
  int reset_shift = 15;           // reset after: 18 - m, u in Qm.(15-m) to Q3.12 (A24); m = 3..7
  StateCodes codes;               // of h8 and of r .* h
  CellCurves curves{};            // one of kStepCurves
};

// One state's part in a step.
struct LstmStream {
  const std::byte* x = nullptr;              // operand, unless input_sums is given
  const std::int32_t* input_sums = nullptr;  // [gates, padded]: the input half, computed before
  const std::byte* h = nullptr;              // operand
  std::int16_t* c = nullptr;                 // [units]
  std::int8_t* out = nullptr;                // [units]: h, or m before a projection
};

struct GruStream {
  const std::byte* x = nullptr;
  const std::int32_t* input_sums = nullptr;
  std::byte* h8 = nullptr;     // operand of h8; for the candidate: of reset
  std::int16_t* h = nullptr;   // [units]
  std::int8_t* out = nullptr;  // [units] h8
  // Reset before only: what the gates leave for the candidate.
  std::int8_t* reset = nullptr;       // [units] r .* h
  std::int16_t* update = nullptr;     // [padded] z
  std::int32_t* candidate = nullptr;  // [padded] its input half, in the order of the path's registers
};

struct RecurrentStep {
  WeightFormatId format;      // of what pack() makes
  std::size_t block;          // units
  std::int32_t operand_bias;  // operands hold x + this; GateMatrix takes it out of the folded bias
  bool unsigned_sums;  // rows that shrink are requantized from the sum + 2^31, without a sign (GateRows::rounding)
  std::size_t (*operand_bytes)(std::size_t cols) noexcept;
  AlignedVector<std::int8_t> (*pack)(MatrixView<const std::int8_t> weights, std::size_t gates);
  void (*prepare)(const std::int8_t* x, std::size_t cols, std::byte* operand) noexcept;

  // The first addend: sums[s][g, j] = clamp(m.apply(acc), low, high), one operand a stream.                  (A16)
  void (*sums)(const GateRows& half, const std::byte* const* operands, std::size_t streams, std::size_t padded,
               Blocks blocks, SumLimits limits, std::int32_t* const* sums) noexcept;
  // One between, of one stream: sums[g, j] = clamp(sums[g, j] + m.apply(acc), low, high).                    (A17)
  void (*next_sums)(const GateRows& half, const std::byte* operand, std::size_t padded, Blocks blocks, SumLimits limits,
                    std::int32_t* sums) noexcept;
  // The last one, of one stream: gates[g, j] = sat16(sums[g, j] + m.apply(acc)).                             (A17)
  void (*last_sums)(const GateRows& half, const std::byte* operand, std::size_t padded, Blocks blocks,
                    const std::int32_t* sums, std::int16_t* gates) noexcept;

  // All of it for halves that shrink and kStepCurves. recurrent: of the input's gates.
  void (*lstm)(const LstmRule& rule, const GateRows& input, const GateRows& recurrent, const LstmStream* streams,
               std::size_t count, Blocks blocks) noexcept;
  void (*gru_after)(const GruRule& rule, const GateRows& input, const GateRows& recurrent, const GruStream* streams,
                    std::size_t count, Blocks blocks) noexcept;
  // recurrent: of z and r; then, from reset's operand, of the candidate.
  void (*gru_gates)(const GruRule& rule, const GateRows& input, const GateRows& recurrent, const GruStream* streams,
                    std::size_t count, Blocks blocks) noexcept;
  void (*gru_candidate)(const GruRule& rule, const GateRows& recurrent, const GruStream* streams, std::size_t count,
                        Blocks blocks) noexcept;
};

struct RecurrentStepPath {
  Isa isa;
  FormatTable<RecurrentStep> steps;
};
std::span<const RecurrentStepPath> recurrent_step_paths();  // row 0 is scalar
const RecurrentStep& recurrent_step(Isa isa, WeightFormatId format);

}  // namespace quaver
