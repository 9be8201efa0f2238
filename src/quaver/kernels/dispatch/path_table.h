// path_table.h - look-up in a kernel's table of paths. Internal to kernels/.
#pragma once

#include <span>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

template <typename Path>
const Path& find_path(std::span<const Path> paths, Isa isa) {
  for (const Path& path : paths) {
    if (path.isa == isa) return path;
  }
  throw_usage(concat("a kernel has no path for '", isa_name(isa), "' in this build; all have 'scalar'"));
}

}  // namespace quaver
