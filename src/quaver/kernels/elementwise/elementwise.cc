#include "quaver/kernels/elementwise/elementwise.h"

#include <cmath>

#include "quaver/core/check.h"
#include "quaver/kernels/dispatch/path_table.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {

StateCodes StateCodes::from(const Affine& format) {
  constexpr int kMostShift = 16;
  QUAVER_DCHECK(format.scale >= kFinestStateScale);
  // 2^-15 / scale = 2^-(15+exponent) / fraction, 1 / fraction in (1, 2]: a factor in (1/2, 1] before the shift.
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(format.scale), &exponent);
  StateCodes codes;
  codes.zero_point = format.zero_point;
  codes.shift = 14 + exponent;
  codes.excess = static_cast<std::int16_t>(std::lround(std::ldexp(0.5 / fraction - 1, 15)));
  if (codes.shift > kMostShift)
    codes.excess = -(1 << 14), codes.shift = kMostShift;  // |h| <= 1 is less than half a step
  return codes;
}

std::span<const ElementwisePath> elementwise_paths() {
  static const std::vector paths = table_of(kElementwiseTable);
  return paths;
}

const ElementwisePath& elementwise_path(Isa isa) { return find_path(elementwise_paths(), isa); }

}  // namespace quaver
