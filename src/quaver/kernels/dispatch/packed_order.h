// packed_order.h - the orders in which paths lay out weights: rows in blocks, of which registers hold several columns
// of several rows. Internal to kernels/.
//
// The rows of a recurrent cell belong to gates, as many of each, and a block has those of `block` units; a matrix
// without gates has one, whose units are its rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quaver/core/aligned.h"
#include "quaver/core/matrix_view.h"
#include "quaver/kernels/dispatch/nibbles.h"
#include "quaver/kernels/dispatch/planes.h"

namespace quaver {

// A block's rows of one gate as they come, or in two registers of 32-bit lanes, woven as narrowing to 16 bits wants
// them: position p of the block is unit woven_unit(p).
enum class UnitOrder { kWoven, kPlain };
constexpr std::size_t woven_unit(std::size_t position, std::size_t block) {
  if (block == 1) return 0;
  const std::size_t half = block / 2, second = position / half, lane = position % half;
  return 8 * (lane / 4) + 4 * second + lane % 4;
}

// The weight at a place of the packed order; 0 beyond the last unit or column.
struct PackedOrder {
  MatrixView<const std::int8_t> weights;
  std::size_t gates, block;
  std::size_t columns = 4;  // of a row that lie side by side
  UnitOrder order = UnitOrder::kWoven;

  std::size_t units() const { return weights.rows() / gates; }
  std::size_t blocks() const { return (units() + block - 1) / block; }
  std::size_t rows() const { return blocks() * gates * block; }  // with those beyond the last unit
  std::int8_t at(std::size_t b, std::size_t gate, std::size_t position, std::size_t col) const {
    const std::size_t unit = b * block + (order == UnitOrder::kWoven ? woven_unit(position, block) : position);
    return unit < units() && col < weights.cols() ? weights(gate * units() + unit, col) : std::int8_t{0};
  }
};

// Rows as files have them (fixed/weight_format.h), unit by unit those of its gates: for products without vectors.
AlignedVector<std::int8_t> pack_rows(MatrixView<const std::int8_t> weights, std::size_t gates, WeightFormatId format);

// Units of order.columns columns of every row, 4 for products of four bytes. step: columns are padded to a multiple.
AlignedVector<std::int8_t> pack_fours(const PackedOrder& order, std::size_t step);
// The same as w + 128, unsigned.
AlignedVector<std::int8_t> pack_unsigned_fours(const PackedOrder& order, std::size_t step);
// The same of four bits: the lower halves of the bytes hold these columns, the upper ones the next, columns padded to a
// multiple of both. flipped: see pair_of_nibbles().
AlignedVector<std::int8_t> pack_nibbles(const PackedOrder& order, std::uint8_t flipped);
// The same of two bits or one: a byte holds a row's fields of columns that lie order.columns apart (planes.h); columns
// are padded to whole bytes, with any code.
AlignedVector<std::int8_t> pack_planes(const PackedOrder& order, WeightFormatId format);
// Weights of four bits, with kPlusEight, or of two, for registers of 32 bytes: where a block has `run` units of
// plane_columns(format) columns, those of one register lie one behind the other.
AlignedVector<std::int8_t> pack_runs(const PackedOrder& order, WeightFormatId format, std::size_t run);
// Of one bit for tables of sums of four columns: 32 rows by 8 columns a register of 32 bytes, the first four columns in
// the lower halves of the bytes; byte 4 i + j is row i of the j-th 8 rows. A block's rows beyond a multiple of 32, and
// columns beyond the last, are -1.
AlignedVector<std::int8_t> pack_nibbles_of_signs(const PackedOrder& order);

}  // namespace quaver
