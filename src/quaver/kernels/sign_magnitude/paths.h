// paths.h - the rows of this kernel's table, one a file. Internal to kernels/sign_magnitude.
#pragma once

#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

namespace quaver {

extern const SignMagnitudePath kScalarSignMagnitude;
#if defined(__x86_64__)
extern const SignMagnitudePath kAvx2SignMagnitude;
extern const SignMagnitudePath kAvx512VnniSignMagnitude;
#elif defined(__aarch64__)
extern const SignMagnitudePath kNeonSignMagnitude;
#endif

}  // namespace quaver
