#include "quaver/kernels/sign_magnitude/sign_magnitude.h"

#include <array>

#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/sign_magnitude/paths.h"

namespace quaver {

std::span<const SignMagnitudePath> sign_magnitude_paths() {
#if defined(__x86_64__)
  static const std::array paths{kScalarSignMagnitude, kAvx2SignMagnitude, kAvx512VnniSignMagnitude};
#elif defined(__aarch64__)
  static const std::array paths{kScalarSignMagnitude, kNeonSignMagnitude};
#else
  static const std::array paths{kScalarSignMagnitude};
#endif
  return paths;
}

const SignMagnitudePath& sign_magnitude_path(Isa isa) { return find_path(sign_magnitude_paths(), isa); }

const SignMagnitudePath& sign_magnitude_path_for(int bits) {
  return bits <= kVectorWordBits ? sign_magnitude_path(chosen_isa()) : sign_magnitude_paths()[0];
}

}  // namespace quaver
