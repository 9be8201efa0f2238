// NEON without the dot-product extension.
#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/matvec/neon_pack.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

#include "quaver/kernels/dispatch/neon_products.inc"

#include "quaver/kernels/matvec/neon.inc"

template <WeightFormatId kFormat>
constexpr MatvecProduct kProduct{pack_neon<kFormat>, run<kFormat>};

}  // namespace

const MatvecPath kNeonMatvec{Isa::kNeon,
                             {kProduct<kI8>,
                              {{kI4, kProduct<kI4>},
                               {kTernary, kProduct<kTernary>},
                               {kQuaternary, kProduct<kQuaternary>},
                               {kBinary, kProduct<kBinary>}}}};

}  // namespace quaver

#endif
