#include "quaver/kernels/norm/norm.h"

#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
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

std::span<const LayerNormPath> layer_norm_paths() {
  static const std::array paths{kScalarLayerNorm};
  return paths;
}

const LayerNormPath& layer_norm_path(Isa isa) { return find_path(layer_norm_paths(), isa); }

}  // namespace quaver
