#include <cstddef>
#include <cstdint>

#include "quaver/core/check.h"
#include "quaver/fixed/inverse_sqrt.h"
#include "quaver/fixed/rounding.h"
#include "quaver/kernels/norm/paths.h"

namespace quaver {
namespace {

// (A28) Widths: |mean10| <= 2^25; both terms of the variance are below 2^50, so it fits int32 after the division;
// |1024 q - mean10| < 2^26, so |q'| < 2^26 and |q' L + b| < 2^42.
void layer_norm(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, const LayerNormRule& rule,
                std::size_t n, std::int16_t* out_q3_12) noexcept {
  QUAVER_DCHECK(n >= 1 && n <= 32768);
  std::int64_t sum = 0;
  std::int64_t sum_of_squares = 0;
  for (std::size_t j = 0; j < n; ++j) {
    sum += in[j];
    sum_of_squares += in[j] * in[j];
  }
  const auto count = static_cast<std::int64_t>(n);
  const std::int64_t mean10 = 1024 * sum / count;
  const std::int64_t variance = (sum_of_squares * ((1 << 20) / count) - mean10 * mean10) / (1 << 20);
  const Multiplier inverse = inverse_sqrt(variance < 1 ? rule.variance_guard : static_cast<std::int32_t>(variance));
  for (std::size_t j = 0; j < n; ++j) {
    const std::int32_t normal = inverse.apply(static_cast<std::int32_t>(1024 * in[j] - mean10));
    const std::int64_t scaled = std::int64_t{normal} * weight[j] + bias[j];
    const auto t = saturate<std::int32_t>(divide_rounded(scaled, 1024));
    out_q3_12[j] = saturate<std::int16_t>(rule.to_q3_12.apply(t));
  }
}

}  // namespace

const LayerNormPath kScalarLayerNorm{Isa::kScalar, layer_norm};

}  // namespace quaver
