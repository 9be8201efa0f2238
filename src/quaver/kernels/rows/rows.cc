#include "quaver/kernels/rows/rows.h"

#include <array>

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/rows/paths.h"

namespace quaver {

std::span<const RowsPath> rows_paths() {
#if defined(__x86_64__)
  static const std::array paths{kScalarRows, kAvx2Rows, kAvx512VnniRows};
#elif defined(__aarch64__)
  static const std::array paths{kScalarRows, kNeonRows};
#else
  static const std::array paths{kScalarRows};
#endif
  return paths;
}

const RowsPath& rows_path(Isa isa) { return find_path(rows_paths(), isa); }

}  // namespace quaver
