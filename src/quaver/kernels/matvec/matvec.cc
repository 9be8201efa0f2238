#include "quaver/kernels/matvec/matvec.h"

#include <algorithm>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/range.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {

std::span<const MatvecPath> matvec_paths() {
  static const std::vector paths = table_of(kMatvecTable);
  return paths;
}

PackedMatrix::PackedMatrix(MatrixView<const std::int8_t> weights, WeightFormatId format, Isa isa)
    : rows_(weights.rows()), cols_(weights.cols()), product_(&find_path(matvec_paths(), isa).products.of(format)) {
  data_ = product_->pack(weights);
}

void PackedMatrix::run(const std::int8_t* x, const std::int32_t* bias, std::int32_t* acc) const noexcept {
  if (rows_ == 0) return;
  product_->run(data_.data(), rows_, cols_, x, bias, acc);
}

AlignedVector<std::int32_t> fold_zero_point(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                            std::int32_t zero_point) {
  QUAVER_DCHECK(bias.empty() || bias.size() == weights.rows());
  AlignedVector<std::int32_t> folded(padded_rows(weights.rows()), 0);
  for (std::size_t r = 0; r < weights.rows(); ++r) {
    std::int64_t row_sum = 0;
    Range products;  // of every x: each product's interval holds 0, so this holds the partial sums as well
    for (const std::int8_t w : weights.row(r)) {
      row_sum += w;
      products = products + Range::of(w, w) * Range::all<std::int8_t>();
    }
    const Range start = Range::of(bias.empty() ? 0 : bias[r], bias.empty() ? 0 : bias[r]) -
                        Range::of(zero_point, zero_point) * Range::of(row_sum, row_sum);
    if (!start.fits(32) || !(start + products).fits(32)) {
      throw_bad_input(concat("row ", r, " of a ", weights.rows(), "x", weights.cols(),
                             " weight matrix can leave 32 bits: bias ", bias.empty() ? 0 : bias[r], ", zero point ",
                             zero_point, ", sum of weights ", row_sum, "; use a coarser bias scale or fewer columns"));
    }
    folded[r] = static_cast<std::int32_t>(start.low);
  }
  return folded;
}

}  // namespace quaver
