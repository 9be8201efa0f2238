#include "quaver/kernels/rows/rows.h"

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/rows/paths.h"

namespace quaver {

std::span<const RowsPath> rows_paths() {
  static const std::vector paths = table_of(kRowsTable);
  return paths;
}

const RowsPath& rows_path(Isa isa) { return find_path(rows_paths(), isa); }

}  // namespace quaver
