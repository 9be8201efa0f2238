// neon_pack.h - the layout of both NEON paths: blocks of 16 rows. Internal to kernels/matvec.
#pragma once

#include "quaver/kernels/dispatch/neon_pack.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights) {
  return pack_registers<kFormat>({.weights = weights, .gates = 1, .block = kRowBlock, .order = UnitOrder::kPlain});
}

}  // namespace quaver
