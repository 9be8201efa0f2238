#include "quaver/kernels/elementwise/elementwise.h"

#include <array>
#include <cmath>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {

StateCodes StateCodes::from(const Affine& format) {
  constexpr int kMantissaBits = 15;
  const double scale = static_cast<double>(format.scale);
  QUAVER_DCHECK(scale >= 0x1p-15);
  int exponent = 0;
  const double fraction = std::frexp(0x1p-15 / scale, &exponent);
  StateCodes codes;
  codes.zero_point = format.zero_point;
  codes.mantissa = static_cast<std::int32_t>(std::lround(std::ldexp(fraction, kMantissaBits)));
  codes.shift = kMantissaBits - exponent;
  if (codes.mantissa == 1 << kMantissaBits) {
    codes.mantissa /= 2;
    --codes.shift;
  }
  if (codes.shift > 30) codes.mantissa = 0, codes.shift = 1;  // |h| <= 1 is less than half a step
  codes.product = Multiplier::from_real(0x1p-31 / scale);
  return codes;
}

std::span<const ElementwisePath> elementwise_paths() {
#if defined(__x86_64__)
  static const std::array paths{kScalarElementwise, kAvx2Elementwise, kAvx512VnniElementwise};
#elif defined(__aarch64__)
  static const std::array paths{kScalarElementwise, kNeonElementwise};
#else
  static const std::array paths{kScalarElementwise};
#endif
  return paths;
}

const ElementwisePath& elementwise_path(Isa isa) { return find_path(elementwise_paths(), isa); }

}  // namespace quaver
