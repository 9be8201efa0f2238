// norm.h - layer normalization of an int16 row in integers, bit for bit LiteRT's                             (A28)
//
// Normalised values are N(0, 1), codes -3..3 would be no resolution, so they are kept times 2^10:
//   mean10 = 1024 sum(q) / n  (C division);   var = (sum(q^2) floor(2^20 / n) - mean10^2) / 2^20;
//   var < 1 becomes variance_guard;   q'[j] = inverse_sqrt(var).apply(1024 q[j] - mean10)
//   t[j] = sat32((q'[j] L[j] + b[j] +- 512) / 1024);   y[j] = sat16(to_q3_12.apply(t[j]))
// floor(2^20 / n) is exact for powers of two only: a known limit of the public kernel that we keep for equal bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/fixed/multiplier.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

struct LayerNormRule {
  std::int32_t variance_guard = 1;  // max(1, int(10000 s_L)) in float32, stands in for a variance below 1
  Multiplier to_q3_12;              // from s_L 2^12
  static LayerNormRule from_weight_scale(float weight_scale);  // in (0, 2^18), else Error
};

struct LayerNormPath {
  Isa isa;
  // 1 <= n <= 2^15. In place is allowed (out == in). weight: int16 codes L; bias: int32 at scale s_L 2^-10.
  void (*layer_norm)(const std::int16_t* in, const std::int16_t* weight, const std::int32_t* bias,
                     const LayerNormRule& rule, std::size_t n, std::int16_t* out_q3_12) noexcept;
};
std::span<const LayerNormPath> layer_norm_paths();  // row 0 is scalar
const LayerNormPath& layer_norm_path(Isa isa);

}  // namespace quaver
