// kept_inputs.h - the input halves of steps whose inputs are known before, as one product: the same for every gated
// cell, whether its input has codes of 8 bits or of 16.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "quaver/cells/scratch.h"
#include "quaver/cells/wide_input.h"
#include "quaver/core/check.h"
#include "quaver/core/team.h"
#include "quaver/kernels/recurrent_step/recurrent_step.h"

namespace quaver {

// Where a cell keeps them in its working memory: kCellGroup operands of operand_bytes, sums [kCellGroup, gates,
// padded], and for a wide input the bytes of both its halves: [2, cols].
struct KeptInputs {
  std::byte* operands;
  std::size_t operand_bytes;
  std::int32_t* sums;
  std::int8_t* halves;

  std::int32_t* at(const GateMatrix& W, std::size_t step) const { return sums + step * W.rows().gates * W.padded(); }
};

// x: `count` <= kCellGroup inputs of W.cols() codes. W_high: of a wide input (A45), else without columns. team, which
// may be null, shares the blocks of units.
inline void keep_input_halves(const RecurrentStepPath& path, const GateMatrix& W, const GateMatrix& W_high,
                              SumLimits limits, const std::int8_t* const* x, std::size_t count, const KeptInputs& kept,
                              Team* team) noexcept {
  QUAVER_DCHECK(count <= kCellGroup);
  std::array<const std::byte*, kCellGroup> operands{};
  std::array<std::int32_t*, kCellGroup> sums{};
  for (std::size_t t = 0; t < count; ++t) {
    std::byte* operand = kept.operands + t * kept.operand_bytes;
    const std::int8_t* codes = x[t];
    if (W_high.cols() > 0) {
      split_wide(x[t], W.cols(), kept.halves, kept.halves + W.cols());
      codes = kept.halves;
    }
    path.prepare(codes, W.cols(), operand);
    operands[t] = operand;
    sums[t] = kept.at(W, t);
  }
  share_blocks(team, W.blocks(), [&](std::size_t first, std::size_t end) {
    path.sums(W.rows(), operands.data(), count, W.padded(), {first, end}, limits, sums.data());
  });
  if (W_high.cols() == 0) return;
  for (std::size_t t = 0; t < count; ++t) {
    split_wide(x[t], W.cols(), kept.halves, kept.halves + W.cols());
    path.prepare(kept.halves + W.cols(), W.cols(), kept.operands);
    share_blocks(team, W.blocks(), [&](std::size_t first, std::size_t end) {
      path.next_sums(W_high.rows(), kept.operands, W.padded(), {first, end}, limits, sums[t]);
    });
  }
}

}  // namespace quaver
