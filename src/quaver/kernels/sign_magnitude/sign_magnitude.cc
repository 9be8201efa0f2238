#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/sign_magnitude/paths.h"

namespace quaver {

std::span<const SignMagnitudePath> sign_magnitude_paths() {
  static const std::vector paths = table_of(kSignMagnitudeTable);
  return paths;
}

const SignMagnitudePath& sign_magnitude_path(Isa isa) { return find_path(sign_magnitude_paths(), isa); }

const SignMagnitudePath& sign_magnitude_path_for(int bits) {
  return bits <= kVectorWordBits ? sign_magnitude_path(chosen_isa()) : sign_magnitude_paths()[0];
}

}  // namespace quaver
