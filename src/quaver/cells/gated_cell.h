// gated_cell.h - how inputs enter the steps of a cell with gates, the same for LSTM and GRU: of one state, of several
// at once, or before their steps as one product; with codes of 8 bits or of 16 (A45).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/cells/observer.h"
#include "quaver/cells/scratch.h"
#include "quaver/cells/wide_input.h"
#include "quaver/core/check.h"
#include "quaver/core/matrix_view.h"
#include "quaver/core/team.h"
#include "quaver/fixed/quantization.h"
#include "quaver/kernels/matvec/matvec.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

// Cell derives from it, and has
//     advance(streams, states, count, memory, observer)  the steps of `count` streams whose inputs have entered
//     output(state), weight_bytes()
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
    cell().advance(&stream, &state, 1, behind_inputs(memory), observer);
    return cell().output(state);
  }
  // `count` <= kCellGroup independent states, each by its x: the weights are read once for all.
  void step_streams(const std::int8_t* const* x, std::byte* const* states, std::size_t count,
                    WorkingMemory memory) const noexcept {
    QUAVER_DCHECK(count <= kCellGroup);
    std::array<CellStream, kCellGroup> streams{};
    enter(x, count, memory, streams.data());
    cell().advance(streams.data(), states, count, behind_inputs(memory), nullptr);
  }
  // Steps whose inputs are known before: keep_inputs() computes the input halves of `count` <= kCellGroup of them, in
  // any order, as one product and keeps them in `memory`; step_kept() advances `count` states by those from `first` on.
  void keep_inputs(const std::int8_t* const* x, std::size_t count, WorkingMemory memory) const noexcept;
  void step_kept(std::size_t first, std::byte* const* states, std::size_t count, WorkingMemory memory) const noexcept {
    QUAVER_DCHECK(first + count <= kCellGroup);
    const Inputs inputs = lay_out(memory);
    if (count == 1) {  // without the array
      CellStream stream;
      stream.input_sums = inputs.sums + first * sums_size_;
      return cell().advance(&stream, states, 1, behind_inputs(memory), nullptr);
    }
    std::array<CellStream, kCellGroup> streams{};
    for (std::size_t s = 0; s < count; ++s) streams[s].input_sums = inputs.sums + (first + s) * sums_size_;
    cell().advance(streams.data(), states, count, behind_inputs(memory), nullptr);
  }

 protected:
  GatedCell(const RecurrentStep& step, SumLimits limits) : step_(&step), limits_(limits) {}

  // W [gates units, n_in] with biases in units of the products; multipliers(x_scale): to the gates' steps. wide: x has
  // int16 codes and the zero point 0. Error when a sum can leave int32.
  template <typename Multipliers>
  void set_input(MatrixView<const std::int8_t> W, std::size_t gates, std::span<const std::int32_t> b, Affine x,
                 bool wide, Multipliers multipliers) {
    x_size_ = step_->operand_bytes(W.cols());
    W_ = GateMatrix(*step_, W, gates, fold_zero_point(W, b, wide ? kLowZeroPoint : x.zero_point), multipliers(x.scale));
    if (wide) W_high_ = W_.with(W, fold_zero_point(W, {}, 0), multipliers(kHighFactor * x.scale));
    sums_size_ = gates * W_.padded();
    input_bytes_ = lay_out(nullptr).used;
  }

  std::size_t input_bytes() const { return input_bytes_; }  // of working memory, in front of the cell's own

  const RecurrentStep* step_;
  GateMatrix W_;  // with folded biases and multipliers

 private:
  struct Inputs {
    std::byte* operands;  // kCellGroup
    std::int32_t* sums;   // [kCellGroup, gates, padded]
    std::int8_t* halves;  // [2, n_in] of a wide input
    std::size_t used;
  };

  const Cell& cell() const { return static_cast<const Cell&>(*this); }
  bool wide() const { return W_high_.cols() > 0; }

  Inputs lay_out(std::byte* memory) const noexcept {
    Scratch pieces(memory);
    Inputs inputs{};
    inputs.operands = pieces.take<std::byte>(kCellGroup * x_size_);
    inputs.sums = pieces.take<std::int32_t>(kCellGroup * sums_size_);
    inputs.halves = pieces.take<std::int8_t>(2 * W_high_.cols());
    inputs.used = pieces.used();
    return inputs;
  }
  WorkingMemory behind_inputs(WorkingMemory memory) const noexcept {
    memory.bytes += input_bytes_;
    return memory;
  }

  void enter(const std::int8_t* const* x, std::size_t count, WorkingMemory memory, CellStream* streams) const noexcept {
    const Inputs inputs = lay_out(memory);
    if (wide()) keep_inputs(x, count, memory);
    for (std::size_t s = 0; s < count; ++s) {
      if (wide()) {
        streams[s].input_sums = inputs.sums + s * sums_size_;
      } else {
        std::byte* operand = inputs.operands + s * x_size_;
        step_->prepare(x[s], W_.cols(), operand);
        streams[s].x = operand;
      }
    }
  }

  GateMatrix W_high_;          // of a wide input's high halves, else empty
  SumLimits limits_;           // of the sums' halves
  std::size_t x_size_ = 0;     // bytes of an operand
  std::size_t sums_size_ = 0;  // of one step
  std::size_t input_bytes_ = 0;
};

template <typename Cell, typename CellStream>
void GatedCell<Cell, CellStream>::keep_inputs(const std::int8_t* const* x, std::size_t count,
                                              WorkingMemory memory) const noexcept {
  QUAVER_DCHECK(count <= kCellGroup);
  const Inputs inputs = lay_out(memory);
  const std::size_t cols = W_.cols();
  std::int8_t *low = inputs.halves, *high = low + cols;
  std::array<const std::byte*, kCellGroup> operands{};
  std::array<std::int32_t*, kCellGroup> sums{};
  for (std::size_t t = 0; t < count; ++t) {
    std::byte* operand = inputs.operands + t * x_size_;
    if (wide()) split_wide(x[t], cols, low, high);
    step_->prepare(wide() ? low : x[t], cols, operand);
    operands[t] = operand;
    sums[t] = inputs.sums + t * sums_size_;
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
