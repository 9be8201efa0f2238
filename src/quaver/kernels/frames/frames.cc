#include "quaver/kernels/frames/frames.h"

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/frames/paths.h"

namespace quaver {

std::span<const FramesPath> frames_paths() {
  static const std::vector paths = table_of(kFramesTable);
  return paths;
}

const FramesPath& frames_path(Isa isa) { return find_path(frames_paths(), isa); }

}  // namespace quaver
