// gated_cell.h - the steps of a cell with gates, the same for LSTM and GRU: how inputs enter, of one state, of several
// at once, or before their steps as one product, with codes of 8 bits or of 16 (A45); and how a step goes on, as one
// pass of recurrent_step.h, or row by row where an observer looks or the pass lacks what the cell has.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "quaver/cells/observer.h"
#include "quaver/cells/prepared_product.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/wide_input.h"
#include "quaver/core/check.h"
#include "quaver/core/team.h"
#include "quaver/kernels/elementwise/elementwise.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

// Cell derives from it, and has
//     output(state), weight_bytes()
//     recurrent_input(state)         the int8 codes that R reads
//     Pass, Rows                     working memory of a step that is one pass, and of one that is made row by row: no
//                                    step needs both. Each has `used`, a Pass `h`, kCellGroup operands of R
//     lay_out_pass(memory), lay_out_rows(memory)
//     join(pass, index, state, stream)                 what a pass needs of a state beside its input and its operand h
//     pass(pass, streams, states, count, memory)       the steps of `count` streams whose inputs have entered
//     compose(memory, stream, state, observer)         one step row by row, the same bits
// CellStream is its stream of recurrent_step.h.
template <typename Cell, typename CellStream>
class GatedCell {
 public:
  using Input = std::int8_t;
  using Output = std::int8_t;

  // Advances the state by x[n_in], of a wide input int16 codes as bytes; returns the output, which lives in the state.
  const std::int8_t* step(const std::int8_t* x, std::byte* state, WorkingMemory memory,
                          Observer* observer) const noexcept {
    CellStream stream;
    enter(&x, 1, memory, &stream);
    advance(&stream, &state, 1, behind_inputs(memory), observer);
    return cell().output(state);
  }
  // `count` <= kCellGroup independent states, each by its x: the weights are read once for all.
  void step_streams(const std::int8_t* const* x, std::byte* const* states, std::size_t count,
                    WorkingMemory memory) const noexcept {
    QUAVER_DCHECK(count <= kCellGroup);
    std::array<CellStream, kCellGroup> streams{};
    enter(x, count, memory, streams.data());
    advance(streams.data(), states, count, behind_inputs(memory), nullptr);
  }
  // Steps whose inputs are known before: keep_inputs() computes the input halves of `count` <= kept_steps() of them, in
  // any order, as one product and keeps them in `memory`; step_kept() advances `count` <= kCellGroup states by those
  // from `first` on.
  std::size_t kept_steps() const { return W_.rows().fetch_ahead > kFetchFromCache ? kMostKeptSteps : kCellGroup; }
  void keep_inputs(const std::int8_t* const* x, std::size_t count, WorkingMemory memory) const noexcept;
  void step_kept(std::size_t first, std::byte* const* states, std::size_t count, WorkingMemory memory) const noexcept {
    QUAVER_DCHECK(count <= kCellGroup && first + count <= kept_steps());
    if (count == 1) {  // without the array
      CellStream stream;
      stream.input_sums = kept_sums(memory, first);
      return advance(&stream, states, 1, behind_inputs(memory), nullptr);
    }
    std::array<CellStream, kCellGroup> streams{};
    for (std::size_t s = 0; s < count; ++s) streams[s].input_sums = kept_sums(memory, first + s);
    advance(streams.data(), states, count, behind_inputs(memory), nullptr);
  }

  std::size_t scratch_bytes() const;  // of step() and step_streams()
  // The same, and what keep_inputs() keeps, which only sequences need: 0.5 MiB of an LSTM with 1024 units.
  std::size_t run_scratch_bytes() const {
    return kept_operands_offset() + (kept_steps() > kCellGroup ? kept_steps() * x_size_ : 0);
  }

 protected:
  // Packs W and R, each of whole gates of as many units; W_high: of the high halves of a wide x (A45), else without
  // rows. limits: where halves of sums are cut off.
  GatedCell(const PreparedProduct& W, const PreparedProduct& W_high, const PreparedProduct& R, std::size_t units,
            SumLimits limits, Isa isa)
      : elementwise_(&elementwise_path(isa)),
        step_(&recurrent_step(isa, W.format)),
        W_(packed(W, units)),
        R_(packed(R, units)),
        h_size_(step_->operand_bytes(R.weights.cols())),
        limits_(limits),
        x_size_(step_->operand_bytes(W.weights.cols())),
        sums_size_(W.weights.rows() / units * W_.padded()) {
    if (W_high.weights.rows() > 0) W_high_ = W_.with(W.weights, W_high.bias, W_high.multipliers);
    input_bytes_ = lay_out(nullptr).used;
  }
  // The last statement of a Cell's constructor, when it knows its own working memory.
  void lay_out_kept_sums();

  GateMatrix packed(const PreparedProduct& product, std::size_t units) const {
    return {*step_, product.weights, product.weights.rows() / units, product.bias, product.multipliers};
  }
  static std::span<const std::byte> weights_of(const GateMatrix& half) {
    if (half.bytes() == 0) return {};
    return std::as_bytes(std::span(half.rows().weights, half.bytes()));
  }
  // Part of a step over the blocks of units, shared by the team where it gains by that.
  template <typename Part>
  void share(std::size_t count, WorkingMemory memory, const Part& part) const noexcept {
    share_blocks(team_for(memory.team, count * cell().weight_bytes()), R_.blocks(),
                 [&](std::size_t first, std::size_t end) {
                   part(Blocks{first, end, memory.backwards});
                 });
  }
  // The input halves of a stream's sums, in `sums` [gates, padded] unless they were computed before.
  const std::int32_t* input_sums(const CellStream& stream, std::int32_t* sums) const noexcept {
    if (stream.input_sums != nullptr) return stream.input_sums;
    step_->sums(W_.rows(), &stream.x, 1, W_.padded(), {0, W_.blocks()}, limits_, &sums);
    return sums;
  }
  static void report(Observer* observer, std::string_view point, const std::int16_t* values, std::size_t count,
                     double scale) {
    if (observer != nullptr) observer->codes(point, std::span(values, count), scale);
  }

  const ElementwisePath* elementwise_;
  const RecurrentStep* step_;
  GateMatrix W_, R_;       // with folded biases and multipliers
  std::size_t h_size_;     // bytes of an operand of R
  bool one_pass_ = false;  // whether a step may be one

 private:
  struct Inputs {
    std::byte* operands;  // kCellGroup
    std::int8_t* halves;  // [2, n_in] of a wide input
    std::size_t used;
  };

  const Cell& cell() const { return static_cast<const Cell&>(*this); }
  bool wide() const { return W_high_.cols() > 0; }

  Inputs lay_out(std::byte* memory) const noexcept {
    Scratch pieces(memory);
    Inputs inputs{};
    inputs.operands = pieces.take<std::byte>(kCellGroup * x_size_);
    inputs.halves = pieces.take<std::int8_t>(2 * W_high_.cols());
    inputs.used = pieces.used();
    return inputs;
  }
  // [gates, padded], of the index-th of kept_steps().
  std::int32_t* kept_sums(std::byte* memory, std::size_t index) const noexcept {
    return reinterpret_cast<std::int32_t*>(memory + sums_offset_) + index * sums_size_;
  }
  // Of more than kCellGroup steps, behind their sums.
  std::size_t kept_operands_offset() const {
    return sums_offset_ + align_up(kept_steps() * sums_size_ * sizeof(std::int32_t));
  }
  WorkingMemory behind_inputs(WorkingMemory memory) const noexcept {
    memory.bytes += input_bytes_;
    return memory;
  }

  void advance(CellStream* streams, std::byte* const* states, std::size_t count, WorkingMemory memory,
               Observer* observer) const noexcept;
  void enter(const std::int8_t* const* x, std::size_t count, WorkingMemory memory, CellStream* streams) const noexcept {
    const Inputs inputs = lay_out(memory);
    if (wide()) keep_inputs(x, count, memory);
    for (std::size_t s = 0; s < count; ++s) {
      if (wide()) {
        streams[s].input_sums = kept_sums(memory, s);
      } else {
        std::byte* operand = inputs.operands + s * x_size_;
        step_->prepare(x[s], W_.cols(), operand);
        streams[s].x = operand;
      }
    }
  }

  GateMatrix W_high_;            // of a wide input's high halves, else empty
  SumLimits limits_;             // of the sums' halves
  std::size_t x_size_;           // bytes of an operand
  std::size_t sums_size_;        // of one step
  std::size_t input_bytes_ = 0;  // of working memory, in front of the cell's own
  std::size_t sums_offset_ = 0;  // of the kept sums, behind them
};

// Not inline: they are compiled with the cell, where Pass and Rows are known.

template <typename Cell, typename CellStream>
std::size_t GatedCell<Cell, CellStream>::scratch_bytes() const {
  return wide() ? run_scratch_bytes() : sums_offset_;  // a wide input enters by its sums
}

template <typename Cell, typename CellStream>
void GatedCell<Cell, CellStream>::lay_out_kept_sums() {
  sums_offset_ = input_bytes_ + std::max(cell().lay_out_pass(nullptr).used, cell().lay_out_rows(nullptr).used);
}

template <typename Cell, typename CellStream>
void GatedCell<Cell, CellStream>::advance(CellStream* streams, std::byte* const* states, std::size_t count,
                                          WorkingMemory memory, Observer* observer) const noexcept {
  if (!one_pass_ || observer != nullptr) {
    for (std::size_t s = 0; s < count; ++s) cell().compose(memory, streams[s], states[s], observer);
    return;
  }
  const auto buffers = cell().lay_out_pass(memory);
  for (std::size_t s = 0; s < count; ++s) {
    // A copy: blocks write the state while others read it.
    step_->prepare(cell().recurrent_input(states[s]), R_.cols(), buffers.h + s * h_size_);
    cell().join(buffers, s, states[s], streams[s]);
  }
  cell().pass(buffers, streams, states, count, memory);
}

template <typename Cell, typename CellStream>
void GatedCell<Cell, CellStream>::keep_inputs(const std::int8_t* const* x, std::size_t count,
                                              WorkingMemory memory) const noexcept {
  QUAVER_DCHECK(count <= kept_steps());
  const Inputs inputs = lay_out(memory);
  const std::size_t cols = W_.cols();
  std::int8_t *low = inputs.halves, *high = low + cols;
  std::byte* const first_operand = kept_steps() > kCellGroup ? memory.bytes + kept_operands_offset() : inputs.operands;
  std::array<const std::byte*, kMostKeptSteps> operands{};
  std::array<std::int32_t*, kMostKeptSteps> sums{};
  for (std::size_t t = 0; t < count; ++t) {
    std::byte* operand = first_operand + t * x_size_;
    if (wide()) split_wide(x[t], cols, low, high);
    step_->prepare(wide() ? low : x[t], cols, operand);
    operands[t] = operand;
    sums[t] = kept_sums(memory, t);
  }
  Team* team = team_for(memory.team, count * cell().weight_bytes());
  share_blocks(team, W_.blocks(), [&](std::size_t first, std::size_t end) {
    step_->sums(W_.rows(), operands.data(), count, W_.padded(), {first, end}, limits_, sums.data());
  });
  for (std::size_t t = 0; wide() && t < count; ++t) {
    split_wide(x[t], cols, low, high);
    step_->prepare(high, cols, inputs.operands);
    share_blocks(team, W_.blocks(), [&](std::size_t first, std::size_t end) {
      step_->next_sums(W_high_.rows(), inputs.operands, W_.padded(), {first, end}, limits_, sums[t]);
    });
  }
}

}  // namespace quaver
