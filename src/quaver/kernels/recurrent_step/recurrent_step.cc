#include "quaver/kernels/recurrent_step/recurrent_step.h"

#include <algorithm>
#include <limits>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kNearBytes = std::size_t{256} << 10;  // half of a small L2: a cell has two halves

}  // namespace

std::span<const RecurrentStepPath> recurrent_step_paths() {
  static const std::vector paths = table_of(kRecurrentStepTable);
  return paths;
}

const RecurrentStep& recurrent_step(Isa isa, WeightFormatId format) {
  return find_path(recurrent_step_paths(), isa).steps.of(format);
}

GateMatrix::GateMatrix(const RecurrentStep& step, MatrixView<const std::int8_t> weights, std::size_t gates,
                       std::span<const std::int32_t> bias, const RowMultipliers& m)
    : step_(&step), cols_(weights.cols()), gates_(gates), block_(step.block) {
  QUAVER_DCHECK(gates > 0 && weights.rows() % gates == 0 && bias.size() >= weights.rows());
  const std::size_t units = weights.rows() / gates;
  blocks_ = (units + block_ - 1) / block_;
  weights_ = std::make_shared<const AlignedVector<std::int8_t>>(step.pack(weights, gates));
  block_bytes_ = bytes() / std::max<std::size_t>(blocks_, 1);
  set_constants(weights, bias, m);
}

GateMatrix GateMatrix::with(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                            const RowMultipliers& m) const {
  GateMatrix other = *this;
  other.set_constants(weights, bias, m);
  return other;
}

void GateMatrix::set_constants(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                               const RowMultipliers& m) {
  const std::size_t units = weights.rows() / gates_;
  bias_.clear();
  mantissa_.clear();
  left_shift_.clear();
  right_shift_.clear();
  shrinks_ = true;
  int least_shift = 31;
  for (std::size_t b = 0; b < blocks_; ++b) {
    for (std::size_t g = 0; g < gates_; ++g) {
      for (std::size_t p = 0; p < block_; ++p) {
        const std::size_t unit = b * block_ + woven_unit(p, block_), row = g * units + unit;
        const bool there = unit < units;
        std::int64_t sum = 0;
        if (there) {
          for (const std::int8_t w : weights.row(row)) sum += w;
        }
        // Mod 2^32, like the sums themselves (A15).
        const std::int64_t folded = (there ? bias[row] : 0) - step_->operand_bias * sum;
        bias_.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(folded)));
        // A factor of 0 gives 0 with any shift, and so may have one to the right.
        const bool zero = !there || m.mantissa[row] == 0;
        mantissa_.push_back(zero ? 0 : m.mantissa[row]);
        left_shift_.push_back(zero ? 0 : m.left_shift[row]);
        right_shift_.push_back(zero ? 1 : m.right_shift[row]);
        shrinks_ = shrinks_ && right_shift_.back() > 0;
        least_shift = std::min(least_shift, right_shift_.back());
      }
    }
  }
  // A2 by a mantissa below 2^31 stays within 2^31, A3 then within 2^(31-k).
  reach_ = shrinks_ ? std::int32_t{1} << (31 - least_shift) : std::numeric_limits<std::int32_t>::max();
}

GateRows GateMatrix::rows() const {
  return {.weights = weights_ == nullptr ? nullptr : weights_->data(),
          .bias = bias_.data(),
          .mantissa = mantissa_.data(),
          .left_shift = left_shift_.data(),
          .right_shift = right_shift_.data(),
          .cols = cols_,
          .gates = gates_,
          .block_bytes = block_bytes_,
          .reach = reach_,
          .shrinks = shrinks_,
          .format = step_->format,
          .is_far = bytes() > kNearBytes};
}

}  // namespace quaver
