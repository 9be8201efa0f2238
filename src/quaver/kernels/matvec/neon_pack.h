// neon_pack.h - the layout of both NEON paths: 16 rows a block, units of 4 rows and 4 columns (two of them, if of
// four bits: one in the lower halves of the bytes, the next in the upper ones). Internal.
#pragma once

#include "quaver/kernels/dispatch/nibbles.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

template <WeightFormatId kFormat>
AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights) {
  using enum WeightFormatId;
  const auto weight = [&](std::size_t r, std::size_t c) {
    return r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0};
  };
  AlignedVector<std::int8_t> packed;
  for (std::size_t block = 0; block < padded_rows(weights.rows()); block += kRowBlock) {
    for (std::size_t first = 0; first < weights.cols(); first += kFormat == kI4 ? 8 : 4) {
      for (std::size_t r = block; r < block + kRowBlock; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(kFormat == kI4 ? pair_of_nibbles(weight(r, c), weight(r, c + 4), kTwosComplement)
                                          : weight(r, c));
      }
    }
  }
  return packed;
}

}  // namespace quaver
