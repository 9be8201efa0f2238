#include "quaver/fixed/range.h"

#include "quaver/core/check.h"
#include "quaver/fixed/quantization.h"

namespace quaver {

bool matvec_fits_i32(std::int64_t cols, std::int64_t bias_low, std::int64_t bias_high) {
  QUAVER_DCHECK(cols >= 0 && bias_low <= bias_high);
  const Range product = Range::of(-kI8Limit, kI8Limit) * Range::all<std::int8_t>();
  return (Range::of(bias_low, bias_high) + product.times(cols)).fits(32) && Range::of(bias_low, bias_high).fits(32);
}

}  // namespace quaver
