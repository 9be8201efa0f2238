// paths.h - the rows of matvec's table, one a file. Internal to kernels/matvec.
#pragma once

#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

// Scalar first, then as all_isas() has them.
extern const MatvecPath kScalarMatvec;
#if defined(__x86_64__)
extern const MatvecPath kAvx2Matvec, kAvxVnniMatvec, kAvx512VnniMatvec;
inline constexpr const MatvecPath* kMatvecTable[]{&kScalarMatvec, &kAvx2Matvec, &kAvxVnniMatvec, &kAvx512VnniMatvec};
#elif defined(__aarch64__)
extern const MatvecPath kNeonMatvec, kNeonDotMatvec;
inline constexpr const MatvecPath* kMatvecTable[]{&kScalarMatvec, &kNeonMatvec, &kNeonDotMatvec};
#else
inline constexpr const MatvecPath* kMatvecTable[]{&kScalarMatvec};
#endif

}  // namespace quaver
