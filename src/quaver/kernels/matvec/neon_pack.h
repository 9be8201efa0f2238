// neon_pack.h - the layout of both NEON paths: 16 rows a block, units of 4 rows and 4 columns. Internal.
#pragma once

#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

inline AlignedVector<std::int8_t> pack_neon(MatrixView<const std::int8_t> weights) {
  AlignedVector<std::int8_t> packed;
  for (std::size_t block = 0; block < padded_rows(weights.rows()); block += kRowBlock) {
    for (std::size_t first = 0; first < weights.cols(); first += 4) {
      for (std::size_t r = block; r < block + kRowBlock; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(r < weights.rows() && c < weights.cols() ? weights(r, c) : std::int8_t{0});
      }
    }
  }
  return packed;
}

}  // namespace quaver
