#include "quaver/cells/input_product.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "quaver/cells/scratch.h"
#include "quaver/cells/wide_input.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

// 256 (W high) + W (low + 128) + b in one accumulator: as large as W x + b itself.
void expect_wide_sums_fit(MatrixView<const std::int8_t> W, std::span<const std::int32_t> b) {
  constexpr std::int64_t kMostCode = 32768, kMostSum = std::numeric_limits<std::int32_t>::max();
  for (std::size_t row = 0; row < W.rows(); ++row) {
    std::int64_t most = b.empty() ? 0 : std::abs(std::int64_t{b[row]});
    for (const std::int8_t w : W.row(row)) most += kMostCode * std::abs(w);
    if (most > kMostSum)
      throw_bad_input(concat("row ", row, " of a matrix that reads int16 codes can sum up to ", most,
                             ", more than int32 holds; give its input int8 codes"));
  }
}

}  // namespace

PreparedInput prepare_input(MatrixView<const std::int8_t> W, WeightFormatId format, std::span<const std::int32_t> b,
                            std::int32_t zero_point, bool wide, RowMultipliers multipliers) {
  if (wide) expect_wide_sums_fit(W, b);
  return {prepare_product(W, format, b, wide ? kLowZeroPoint : zero_point, std::move(multipliers)), wide};
}

InputProduct::InputProduct(const PreparedInput& prepared, Isa isa)
    : W_(prepared.product.weights, prepared.product.format, isa), B_(prepared.product.bias), wide_(prepared.wide) {}

std::size_t InputProduct::scratch_bytes() const {
  return wide_ ? align_up(2 * W_.cols()) + align_up(padded_rows(rows()) * sizeof(std::int32_t)) : 0;
}

void InputProduct::run(const std::int8_t* x, std::int32_t* acc, std::byte* scratch) const noexcept {
  if (!wide_) return W_.run(x, B_.data(), acc);
  auto* low = reinterpret_cast<std::int8_t*>(scratch);
  std::int8_t* high = low + W_.cols();
  auto* high_sums = reinterpret_cast<std::int32_t*>(scratch + align_up(2 * W_.cols()));
  split_wide(x, W_.cols(), low, high);
  W_.run(low, B_.data(), acc);
  std::fill_n(high_sums, padded_rows(rows()), 0);
  W_.run(high, high_sums, high_sums);
  for (std::size_t row = 0; row < rows(); ++row) acc[row] += kHighFactor * high_sums[row];
}

}  // namespace quaver
