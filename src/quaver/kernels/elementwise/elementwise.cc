#include "quaver/kernels/elementwise/elementwise.h"

#include <array>

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {

std::span<const ElementwisePath> elementwise_paths() {
#if defined(__x86_64__)
  static const std::array paths{kScalarElementwise, kAvx2Elementwise, kAvx512VnniElementwise};
#elif defined(__aarch64__)
  static const std::array paths{kScalarElementwise, kNeonElementwise, kNeonDotElementwise};
#else
  static const std::array paths{kScalarElementwise};
#endif
  return paths;
}

const ElementwisePath& elementwise_path(Isa isa) { return find_path(elementwise_paths(), isa); }

}  // namespace quaver
