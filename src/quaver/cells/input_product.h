// input_product.h - b + W x of a cell whose input has int8 codes, or int16 codes (a wide input, A45).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/cells/prepared_product.h"
#include "quaver/core/matrix_view.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

// acc = B + W x of int8 codes; of a wide x acc = B + W low + 256 W high (A45), with the zero point of low in B.
struct PreparedInput {
  PreparedProduct product;
  bool wide = false;
};
// b: one a row, in units of the products; wide: zero_point is 0. Error when a sum can leave int32.
PreparedInput prepare_input(MatrixView<const std::int8_t> W, WeightFormatId format, std::span<const std::int32_t> b,
                            std::int32_t zero_point, bool wide, RowMultipliers multipliers);

class InputProduct {
 public:
  InputProduct(const PreparedInput& prepared, Isa isa);  // packs for `isa`

  std::size_t rows() const { return W_.rows(); }
  std::span<const std::byte> weights() const { return W_.weights(); }
  std::size_t scratch_bytes() const;
  // acc: padded_rows(rows()). x: cols codes, of a wide input int16 as bytes.
  void run(const std::int8_t* x, std::int32_t* acc, std::byte* scratch) const noexcept;

 private:
  PackedMatrix W_;
  AlignedVector<std::int32_t> B_;
  bool wide_;
};

}  // namespace quaver
