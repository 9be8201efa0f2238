// neon_pack.h - the layout of the NEON paths: blocks of 8 units, registers of 4 rows and 4 columns. Internal to
// kernels/recurrent_step.
#pragma once

#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {

inline constexpr std::size_t kNeonBlock = 8;

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights, std::size_t gates) {
  const PackedOrder order{weights, gates, kNeonBlock};
  if constexpr (has_planes(kFormat)) {
    return pack_planes(order, kFormat);
  } else if constexpr (kFormat == WeightFormatId::kI4) {
    return pack_nibbles(order, kTwosComplement);
  } else {
    return pack_fours(order, 4);
  }
}

}  // namespace quaver
