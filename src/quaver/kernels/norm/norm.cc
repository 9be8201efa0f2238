#include "quaver/kernels/norm/norm.h"

#include <algorithm>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/inverse_sqrt.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/norm/paths.h"

namespace quaver {

LayerNormRule LayerNormRule::from_weight_scale(float weight_scale) {
  constexpr int kFractionBits = 12;
  constexpr float kTooLarge = 0x1p18f;  // the exponent below would leave a multiplier's range
  if (!(weight_scale > 0.0f && weight_scale < kTooLarge)) {
    throw_bad_input(concat("a layer norm weight has the scale ", weight_scale, ", expected more than 0 and less than ",
                           kTooLarge, "; is its weight tensor intact?"));
  }
  LayerNormRule rule;
  rule.variance_guard = static_cast<std::int32_t>(std::clamp(10000.0f * weight_scale, 1.0f, 0x1p30f));
  rule.to_q3_12 = Multiplier::from_real(static_cast<double>(weight_scale));
  if (rule.to_q3_12.mantissa != 0) rule.to_q3_12.exponent += kFractionBits;
  return rule;
}

// Widths: |mean10| <= 2^25; both terms of the variance are at most 2^50, so it fits int32 after the division.
Centre centre_of(std::int64_t sum, std::int64_t sum_of_squares, std::size_t n, std::int32_t variance_guard) noexcept {
  QUAVER_DCHECK(n >= 1 && n <= 32768);
  const auto count = static_cast<std::int64_t>(n);
  const std::int64_t mean10 = 1024 * sum / count;
  const std::int64_t variance = (sum_of_squares * ((1 << 20) / count) - mean10 * mean10) / (1 << 20);
  return {static_cast<std::int32_t>(mean10),
          inverse_sqrt(variance < 1 ? variance_guard : static_cast<std::int32_t>(variance))};
}

std::span<const LayerNormPath> layer_norm_paths() {
  static const std::vector paths = table_of(kLayerNormTable);
  return paths;
}

const LayerNormPath& layer_norm_path(Isa isa) { return find_path(layer_norm_paths(), isa); }

}  // namespace quaver
