// pack256.h - what both paths with registers of 256 bits pack alike: blocks of 16 units. Internal to
// kernels/recurrent_step.
#pragma once

#include "quaver/kernels/recurrent_step/paths.h"

namespace quaver {

inline constexpr std::size_t kBlock256 = 16, kColumnStep256 = 4;

inline AlignedVector<std::int8_t> pack_bytes256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_unsigned_fours({weights, gates, kBlock256}, kColumnStep256);
}
template <WeightFormatId kFormat, std::size_t kRun>
AlignedVector<std::int8_t> pack_runs256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_runs({weights, gates, kBlock256}, kFormat, kRun);
}
inline AlignedVector<std::int8_t> pack_signs256(MatrixView<const std::int8_t> weights, std::size_t gates) {
  return pack_nibbles_of_signs({weights, gates, kBlock256});
}

}  // namespace quaver
