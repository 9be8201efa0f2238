// neon_pack.h - the layout of the NEON paths: blocks of 8 units, registers of 16 bytes. Internal to
// kernels/recurrent_step.
#pragma once

#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {

inline constexpr std::size_t kNeonBlock = 8;

// kColumns: of a row, side by side.
template <std::size_t kColumns, WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights, std::size_t gates) {
  const PackedOrder order{.weights = weights, .gates = gates, .block = kNeonBlock, .columns = kColumns};
  if constexpr (has_planes(kFormat)) {
    return pack_planes(order, kFormat);
  } else if constexpr (kFormat == WeightFormatId::kI4) {
    return pack_nibbles(order, kTwosComplement);
  } else {
    return pack_fours(order, kColumns);
  }
}

}  // namespace quaver
