// neon_pack.h - the registers of the NEON paths: 16 bytes of order.columns columns (neon_products.inc). Internal to
// kernels/.
#pragma once

#include "quaver/kernels/dispatch/packed_order.h"

namespace quaver {

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_registers(const PackedOrder& order) {
  if constexpr (has_planes(kFormat)) {
    return pack_planes(order, kFormat);
  } else if constexpr (kFormat == WeightFormatId::kI4) {
    return pack_nibbles(order, kTwosComplement);
  } else {
    return pack_fours(order, order.columns);
  }
}

}  // namespace quaver
