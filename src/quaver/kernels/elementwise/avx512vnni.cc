// The functions of scalar.cc on 32 lanes: vector.inc.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/unrolled.h"
#include "quaver/kernels/elementwise/lane_constants.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/dispatch/avx512_lanes.inc"

#include "quaver/kernels/elementwise/curves.inc"
#include "quaver/kernels/elementwise/state_codes.inc"

#include "quaver/kernels/elementwise/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

#include "quaver/kernels/elementwise/choices.inc"

}  // namespace

const ElementwisePath kAvx512VnniElementwise = row_of(Isa::kAvx512Vnni);

}  // namespace quaver

#endif
