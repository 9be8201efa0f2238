// row_scales.h - from a tensor's list of scales to one multiplier a row.
#pragma once

#include <span>
#include <vector>

#include "quaver/core/check.h"
#include "quaver/fixed/multiplier.h"

namespace quaver {

// scales.size() divides rows; each scale covers rows / size consecutive rows (tensor.h). effective(row, scale) is the
// real factor, computed in float32 (A30).
template <typename Effective>
RowMultipliers row_multipliers(std::size_t rows, std::span<const float> scales, Effective effective) {
  QUAVER_DCHECK(!scales.empty() && rows % scales.size() == 0);
  const std::size_t block = rows / scales.size();
  std::vector<Multiplier> multipliers(rows);
  for (std::size_t row = 0; row < rows; ++row)
    multipliers[row] = Multiplier::from_real(static_cast<double>(effective(row, scales[row / block])));
  return RowMultipliers::from(multipliers);
}

}  // namespace quaver
