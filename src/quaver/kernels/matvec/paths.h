// paths.h - the rows of matvec's table, one a file. Internal to kernels/matvec.
#pragma once

#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

extern const MatvecPath kScalarMatvec;
#if defined(__x86_64__)
extern const MatvecPath kAvx2Matvec;
extern const MatvecPath kAvx512VnniMatvec;
#elif defined(__aarch64__)
extern const MatvecPath kNeonMatvec;
extern const MatvecPath kNeonDotMatvec;
#endif

}  // namespace quaver
