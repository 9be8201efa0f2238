// neon_pack.h - the layout of both NEON paths: 16 rows a block, registers of 4 rows and 4 columns (packed_order.h).
// Internal.
#pragma once

#include "quaver/kernels/dispatch/packed_order.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights) {
  const PackedOrder order{.weights = weights, .gates = 1, .block = kRowBlock, .order = UnitOrder::kPlain};
  if constexpr (has_planes(kFormat)) {
    return pack_planes(order, kFormat);
  } else if constexpr (kFormat == WeightFormatId::kI4) {
    return pack_nibbles(order, kTwosComplement);
  } else {
    return pack_fours(order, 4);
  }
}

}  // namespace quaver
