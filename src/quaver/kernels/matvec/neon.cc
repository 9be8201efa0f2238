// NEON without the dot-product extension.
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

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/matvec/neon.inc"

}  // namespace

const MatvecPath kNeonMatvec{Isa::kNeon, {{pack_neon<kI8>, run<kI8>}, {{kI4, {pack_neon<kI4>, run<kI4>}}}}};

}  // namespace quaver

#endif
