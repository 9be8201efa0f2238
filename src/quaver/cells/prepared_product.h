// prepared_product.h - a matrix product of a cell in portable integers: what it computes, not how a path lays it out.
//
// Setting a cell up has two stages. prepare(params) folds zero points and derives multipliers, shifts and formats: its
// result, <cell>Prepared, is a plain value that says all of a step in integers, each field by the formula that reads
// it. From it alone a step can be computed with the scalar functions of fixed/ and kernels/ (prepared_test.cc does),
// and that is what an emitter of C writes out. The constructor of the cell packs it for a path: order of weights,
// operands, working memory. Weights are views: they live at least until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "quaver/core/aligned.h"
#include "quaver/core/matrix_view.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

struct PreparedProduct {
  MatrixView<const std::int8_t> weights;        // [rows, cols], a code a byte, within the format's limit
  WeightFormatId format = WeightFormatId::kI8;  // of the codes
  AlignedVector<std::int32_t> bias;  // [padded_rows(rows)], the zero point of x folded in; B of acc = B + W x
                                     // (A15), which never leaves int32 (A13); 0 behind the last row
  RowMultipliers multipliers;        // [rows], from units of acc to steps of what it becomes (A5, A30)
};

// b: one a row, or empty for zeros. Error when a sum can leave int32.
inline PreparedProduct prepare_product(MatrixView<const std::int8_t> weights, WeightFormatId format,
                                       std::span<const std::int32_t> b, std::int32_t zero_point,
                                       RowMultipliers multipliers) {
  return {weights, format, fold_zero_point(weights, b, zero_point), std::move(multipliers)};
}

// The weights of a cell as its path packed them, one view a matrix, empty where it has none: what one step reads.
using PackedWeights = std::vector<std::span<const std::byte>>;

}  // namespace quaver
