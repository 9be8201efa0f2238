#include "quaver/kernels/elementwise/elementwise.h"

#include <array>

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {

std::span<const ElementwisePath> elementwise_paths() {
  static const std::array paths{kScalarElementwise};
  return paths;
}

const ElementwisePath& elementwise_path(Isa isa) { return find_path(elementwise_paths(), isa); }

}  // namespace quaver
