// compensated_rounding.h - codes of a weight matrix whose errors cancel on the data the matrix will see.
//
// Rounding to nearest makes each weight's error small; what a row w gives is w x, and its mean squared error over the
// data is d C d^T with d = w - s q and C = mean of x x^T. With C = L L^T (Cholesky, L lower) that is |d L|^2, and
// (d L)_k holds d_k L_kk and what the columns behind k left: going from the last column to the first, each weight is
// moved by what those left before it is rounded. This is Babai's nearest plane on the lattice s L; the same codes as
// GPTQ's (Frantar et al. 2022, arXiv 2210.17323, section 3) in reversed order of columns, without inverting C.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quaver/core/matrix_view.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/quantize/second_moment.h"

namespace quaver {

// Codes [rows, cols] of `format`. scales: scale of every row, > 0. operands.size() == weights.cols().
// C gets a hundredth of its mean diagonal added to it: directions that the data never took count a little, and so
// little data does no harm; without any variance the codes are those of rounding to nearest.
std::vector<std::int8_t> round_compensated(MatrixView<const float> weights, std::span<const float> scales,
                                           const WeightFormat& format, const SecondMoment& operands);

}  // namespace quaver
