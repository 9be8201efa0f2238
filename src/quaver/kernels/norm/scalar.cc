#include <cstddef>
#include <cstdint>

#include "quaver/fixed/rounding.h"
#include "quaver/kernels/norm/paths.h"

namespace quaver {
namespace {

// (A28) |1024 q - mean10| <= 2^26, so |q'| <= 2^26 and |q' L + b| < 2^42.
void layer_norm(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias, const LayerNormRule& rule,
                std::size_t n, std::int16_t* out_q3_12) noexcept {
  std::int64_t sum = 0;
  std::int64_t sum_of_squares = 0;
  for (std::size_t j = 0; j < n; ++j) {
    sum += in[j];
    sum_of_squares += in[j] * in[j];
  }
  const Centre centre = centre_of(sum, sum_of_squares, n, rule.variance_guard);
  for (std::size_t j = 0; j < n; ++j) {
    const std::int32_t normal = centre.inverse.apply(1024 * in[j] - centre.mean10);
    const std::int64_t scaled = std::int64_t{normal} * weight[j] + bias[j];
    const auto t = saturate<std::int32_t>(divide_rounded(scaled, 1024));
    out_q3_12[j] = saturate<std::int16_t>(rule.to_q3_12.apply(t));
  }
}

}  // namespace

const LayerNormPath kScalarLayerNorm{Isa::kScalar, layer_norm};

}  // namespace quaver
