// NEON with the dot-product extension: four products and their sum in one instruction.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

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

template <WeightFormatId kFormat>
constexpr MatvecProduct kProduct{pack_neon<kFormat>, run<kFormat>};

}  // namespace

const MatvecPath kNeonDotMatvec{Isa::kNeonDot,
                                {kProduct<kI8>,
                                 {{kI4, kProduct<kI4>},
                                  {kTernary, kProduct<kTernary>},
                                  {kQuaternary, kProduct<kQuaternary>},
                                  {kBinary, kProduct<kBinary>}}}};

}  // namespace quaver

#endif
