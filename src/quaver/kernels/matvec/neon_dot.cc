// NEON with the dot-product extension: four products and their sum in one instruction.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/planes.h"
#include "quaver/kernels/matvec/neon_pack.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

#define QUAVER_NEON_DOT
#include "quaver/kernels/dispatch/begin_neon_dot.inc"

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/matvec/neon.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const MatvecPath kNeonDotMatvec{Isa::kNeonDot, {{pack_neon<kI8>, run<kI8>}, {{kI4, {pack_neon<kI4>, run<kI4>}}}}};

}  // namespace quaver

#endif
