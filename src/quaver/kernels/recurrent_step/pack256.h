// pack256.h - what both paths with registers of 256 bits pack alike: blocks of 16 units. Internal to
// kernels/recurrent_step.
#pragma once

#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {

inline constexpr std::size_t kBlock256 = 16, kColumnStep256 = 4;

inline AlignedVector<std::int8_t> pack_bytes256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_unsigned_fours({weights, gates, kBlock256}, kColumnStep256);
}
// Of two bits; kRun: units of plane_columns(kFormat) columns that a register has one behind the other.
template <WeightFormatId kFormat, std::size_t kRun>
AlignedVector<std::int8_t> pack_fields256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  const std::size_t units = (weights.cols() + plane_columns(kFormat) - 1) / plane_columns(kFormat);
  return in_runs(pack_planes({weights, gates, kBlock256}, kFormat), units, 2 * gates, kRun);
}
inline AlignedVector<std::int8_t> pack_signs256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles_of_signs({weights, gates, kBlock256});
}

}  // namespace quaver
