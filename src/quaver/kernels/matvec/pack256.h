// pack256.h - the layout of both paths with registers of 256 bits: blocks of up to 64 rows, of which a register holds 8
// rows and 4 columns, as bytes w + 128, unsigned. Of four bits and of two blocks have 16 rows, of one bit 32
// (packed_order.h). Internal.
#pragma once

#include "quaver/kernels/dispatch/packed_order.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

inline constexpr std::size_t kPackedBlockRows = 64;
inline constexpr std::size_t kPackedColumnStep = 4;
constexpr std::size_t packed_cols(std::size_t cols) {
  return (cols + kPackedColumnStep - 1) / kPackedColumnStep * kPackedColumnStep;
}

inline std::int8_t weight_or_zero(MatrixView<const std::int8_t> weights, std::size_t row, std::size_t col) {
  return row < weights.rows() && col < weights.cols() ? weights(row, col) : std::int8_t{0};
}

inline AlignedVector<std::int8_t> pack_bytes256(MatrixView<const std::int8_t> weights) {
  const std::size_t rows = padded_rows(weights.rows()), cols = packed_cols(weights.cols());
  AlignedVector<std::int8_t> packed;
  packed.reserve(rows * cols);
  for (std::size_t block = 0; block < rows; block += kPackedBlockRows) {
    const std::size_t end = std::min(rows, block + kPackedBlockRows);
    for (std::size_t first = 0; first < cols; first += 4) {
      for (std::size_t r = block; r < end; ++r) {
        for (std::size_t c = first; c < first + 4; ++c)
          packed.push_back(static_cast<std::int8_t>(weight_or_zero(weights, r, c) ^ -128));
      }
    }
  }
  return packed;
}

// kRun: as pack_runs() has it.
template <WeightFormatId kFormat, std::size_t kRun>
AlignedVector<std::int8_t> pack_runs256(MatrixView<const std::int8_t> weights) {
  return pack_runs({.weights = weights, .gates = 1, .block = kRowBlock, .order = UnitOrder::kPlain}, kFormat, kRun);
}
inline AlignedVector<std::int8_t> pack_signs256(MatrixView<const std::int8_t> weights) {
  constexpr std::size_t kRegisterRows = 32;
  return pack_nibbles_of_signs({.weights = weights, .gates = 1, .block = kRegisterRows, .order = UnitOrder::kPlain});
}

}  // namespace quaver
