// path_table.h - look-up in a kernel's table of paths. Internal to kernels/.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

// The table of a kernel, from the rows that its paths.h names.
template <typename Path, std::size_t kCount>
std::vector<Path> table_of(const Path* const (&rows)[kCount]) {
  std::vector<Path> table;
  for (const Path* row : rows) table.push_back(*row);
  return table;
}

// The path for `isa`, or for the nearest set that it extends. A new instruction set brings the kernels that it speeds
// up.
template <typename Path>
const Path& find_path(std::span<const Path> paths, Isa isa) {
  for (Isa at = isa;; at = extended_by(at)) {
    for (const Path& path : paths) {
      if (path.isa == at) return path;
    }
    if (at == Isa::kScalar)
      throw_usage(concat("a kernel has no path for '", isa_name(isa), "' in this build; all have 'scalar'"));
  }
}

}  // namespace quaver
