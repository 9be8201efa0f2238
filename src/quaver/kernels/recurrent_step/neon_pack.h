// neon_pack.h - the layout of the NEON paths: blocks of 8 units. Internal to
// kernels/recurrent_step.
#pragma once

#include "quaver/kernels/dispatch/neon_pack.h"
#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {

inline constexpr std::size_t kNeonBlock = 8;

// kColumns: of a row, side by side.
template <std::size_t kColumns, WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_registers<kFormat>({.weights = weights, .gates = gates, .block = kNeonBlock, .columns = kColumns});
}

}  // namespace quaver
