#include "quaver/kernels/recurrent_step/recurrent_step.h"

#include <algorithm>
#include <limits>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {
namespace {

// Bytes ahead at which weights of so many bytes are fetched. A cell has two halves: up to half of a small L2 they are
// near; what a usual L3 of 32 MiB hardly holds beside other things comes from memory, which takes longer.
std::size_t fetch_ahead(std::size_t bytes) {
  constexpr std::size_t kKiB = 1024, kMiB = 1024 * kKiB;
  return bytes <= 256 * kKiB ? 0 : bytes <= 8 * kMiB ? kFetchFromCache : bytes <= 12 * kMiB ? 8 * kKiB : 16 * kKiB;
}

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
  const std::size_t units = weights.rows() / gates_, rows = blocks_ * gates_ * block_;
  // A factor of 0 gives 0 with any shift, and so may have one to the right.
  const auto right_shift = [&m](std::size_t row) { return m.mantissa[row] == 0 ? 1 : m.right_shift[row]; };
  shrinks_ = true;
  int least_shift = 31;
  std::vector<std::int32_t> sums_of_weights(weights.rows());
  for (std::size_t row = 0; row < weights.rows(); ++row) {
    std::int64_t magnitudes = 0;
    for (const std::int8_t w : weights.row(row)) {
      sums_of_weights[row] += w;
      magnitudes += std::abs(w);
    }
    const std::int64_t most = std::abs(std::int64_t{bias[row]}) + 128 * magnitudes;
    shrinks_ = shrinks_ && right_shift(row) > 0 && most < (std::int64_t{1} << 30);
    least_shift = std::min(least_shift, right_shift(row));
  }
  // A2 by a mantissa below 2^31 stays within 2^31, A3 then within 2^(31-k).
  reach_ = shrinks_ ? std::int32_t{1} << (31 - least_shift) : std::numeric_limits<std::int32_t>::max();

  const bool is_unsigned = shrinks_ && step_->unsigned_sums;
  for (AlignedVector<std::int32_t>* constants : {&bias_, &mantissa_, &left_shift_, &right_shift_, &rounding_})
    constants->clear();
  bias_.reserve(rows);
  mantissa_.reserve(rows + 1);
  right_shift_.reserve(rows);
  if (is_unsigned) rounding_.reserve(rows);
  if (!shrinks_) left_shift_.reserve(rows);
  const auto wrapped = [](std::int64_t value) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(value)); };
  for (std::size_t b = 0; b < blocks_; ++b) {
    for (std::size_t g = 0; g < gates_; ++g) {
      for (std::size_t p = 0; p < block_; ++p) {
        const std::size_t unit = b * block_ + woven_unit(p, block_), row = g * units + unit;
        const bool there = unit < units;
        // Mod 2^32, like the sums themselves (A15).
        const std::int64_t folded = there ? bias[row] - std::int64_t{step_->operand_bias} * sums_of_weights[row] : 0;
        const std::int64_t mantissa = there ? m.mantissa[row] : 0;
        const int shift = there ? right_shift(row) : 1;
        bias_.push_back(wrapped(is_unsigned ? folded + (std::int64_t{1} << 31) : folded));
        mantissa_.push_back(wrapped(is_unsigned ? 2 * mantissa : mantissa));
        right_shift_.push_back(shift);
        if (is_unsigned) {
          rounding_.push_back(wrapped((std::int64_t{1} << (shift - 1)) - mantissa - 1));
        } else if (!shrinks_) {
          left_shift_.push_back(there && mantissa != 0 ? m.left_shift[row] : 0);
        }
      }
    }
  }
  mantissa_.push_back(0);
}

GateRows GateMatrix::rows() const {
  return {.weights = weights_ == nullptr ? nullptr : weights_->data(),
          .bias = bias_.data(),
          .mantissa = mantissa_.data(),
          .left_shift = left_shift_.empty() ? nullptr : left_shift_.data(),
          .right_shift = right_shift_.data(),
          .rounding = rounding_.empty() ? nullptr : rounding_.data(),
          .cols = cols_,
          .gates = gates_,
          .block_bytes = block_bytes_,
          .reach = reach_,
          .shrinks = shrinks_,
          .format = step_->format,
          .fetch_ahead = fetch_ahead(bytes())};
}

}  // namespace quaver
