// scalar.cc on vectors of 16 bytes: vector.inc.
#if defined(__aarch64__)

#include <cstddef>

#include "quaver/kernels/rows/paths.h"

namespace quaver {
namespace {

constexpr std::size_t kBytes = 16;

#include "quaver/kernels/rows/vector.inc"

}  // namespace

const RowsPath kNeonRows{Isa::kNeon, dots, add_weighted, add_outer, add};

}  // namespace quaver

#endif
