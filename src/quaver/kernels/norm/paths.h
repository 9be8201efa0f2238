// paths.h - the rows of layer normalization's table, one a file. Internal to kernels/norm.
#pragma once

#include "quaver/kernels/norm/norm.h"

namespace quaver {

// (A28) What a row's sums say about every element: q'[j] = inverse.apply(1024 q[j] - mean10).
struct Centre {
  std::int32_t mean10;
  Multiplier inverse;  // 1 / sigma; its exponent is not positive
};
Centre centre_of(std::int64_t sum, std::int64_t sum_of_squares, std::size_t n, std::int32_t variance_guard) noexcept;

// Scalar first, then as all_isas() has them.
extern const LayerNormPath kScalarLayerNorm;
#if defined(__x86_64__)
extern const LayerNormPath kAvx2LayerNorm, kAvx512VnniLayerNorm;
inline constexpr const LayerNormPath* kLayerNormTable[]{&kScalarLayerNorm, &kAvx2LayerNorm, &kAvx512VnniLayerNorm};
#elif defined(__aarch64__)
extern const LayerNormPath kNeonLayerNorm;
inline constexpr const LayerNormPath* kLayerNormTable[]{&kScalarLayerNorm, &kNeonLayerNorm};
#else
inline constexpr const LayerNormPath* kLayerNormTable[]{&kScalarLayerNorm};
#endif

}  // namespace quaver
