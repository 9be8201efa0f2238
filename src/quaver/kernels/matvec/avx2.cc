// y = W x. Products: avx2_products.inc.
#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/matvec/pack256.h"
#include "quaver/kernels/matvec/paths.h"

namespace quaver {
namespace {

using enum WeightFormatId;

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/bytes256.inc"

#include "quaver/kernels/dispatch/avx2_products.inc"

#include "quaver/kernels/dispatch/packed256.inc"

#include "quaver/kernels/dispatch/signs256.inc"

#include "quaver/kernels/matvec/matvec256.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const MatvecPath kAvx2Matvec{Isa::kAvx2,
                             {{pack_bytes256, run<kI8>},
                              {{kI4, {pack_runs256<kI4, kRunUnits<kI4>>, run<kI4>}},
                               {kTernary, {pack_runs256<kTernary, kRunUnits<kTernary>>, run<kTernary>}},
                               {kQuaternary, {pack_runs256<kQuaternary, kRunUnits<kQuaternary>>, run<kQuaternary>}},
                               {kBinary, {pack_signs256, run<kBinary>}}}}};

}  // namespace quaver

#endif
