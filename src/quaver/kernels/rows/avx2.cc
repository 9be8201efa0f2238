// scalar.cc on vectors of 32 bytes: vector.inc.
#if defined(__x86_64__)

#include <cstddef>

#include "quaver/kernels/rows/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 32;

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/rows/vector.inc"

#include "quaver/kernels/dispatch/end_target.inc"

}  // namespace

const RowsPath kAvx2Rows{Isa::kAvx2, dots, add_weighted, add_outer, add};

}  // namespace quaver

#endif
