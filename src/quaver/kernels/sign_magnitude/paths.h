// paths.h - the rows of this kernel's table, one a file. Internal to kernels/sign_magnitude.
#pragma once

#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const SignMagnitudePath kScalarSignMagnitude;
#if defined(__x86_64__)
extern const SignMagnitudePath kAvx2SignMagnitude, kAvx512VnniSignMagnitude;
inline constexpr const SignMagnitudePath* kSignMagnitudeTable[]{&kScalarSignMagnitude, &kAvx2SignMagnitude,
                                                                &kAvx512VnniSignMagnitude};
#elif defined(__aarch64__)
extern const SignMagnitudePath kNeonSignMagnitude;
inline constexpr const SignMagnitudePath* kSignMagnitudeTable[]{&kScalarSignMagnitude, &kNeonSignMagnitude};
#else
inline constexpr const SignMagnitudePath* kSignMagnitudeTable[]{&kScalarSignMagnitude};
#endif

}  // namespace quaver
