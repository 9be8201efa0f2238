#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/frames/constants.h"
#include "quaver/kernels/frames/paths.h"

namespace quaver {
namespace {

#include "quaver/kernels/dispatch/begin_avx512vnni.inc"

#include "quaver/kernels/dispatch/avx512_lanes.inc"

#include "quaver/kernels/frames/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const FramesPath kAvx512VnniFrames{Isa::kAvx512Vnni, code, decode, are_finite};

}  // namespace quaver

#endif
