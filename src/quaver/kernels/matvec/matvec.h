// matvec.h - acc = bias + W x on int8 operands with int32 accumulators.
//
//   acc[r] = b[r] + sum_c W[r,c] (x[c] - x_zero)                                    (A14, what we mean)
//          = (b[r] - x_zero sum_c W[r,c]) + sum_c W[r,c] x[c]                       (A15, what we run)
//
// The bracket of A15 is folded once, by fold_zero_point(). W: codes of a weight format, a byte each, which a product
// may pack closer (i4 two a byte, A43). x: int8, any code. Range: matvec_fits_i32 (fixed/range.h) is checked when the
// cell is prepared; run() does not check. Exactness: integer sums without saturation, so every path returns the same
// bits. Threads: a PackedMatrix is const after construction; any number of threads may run() with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/core/aligned.h"
#include "quaver/core/matrix_view.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/kernels/dispatch/format_table.h"

namespace quaver {

// Vector paths write whole blocks: the accumulator array must hold this multiple of rows (contents beyond `rows` are
// unspecified). padded_rows(rows) is the size to allocate.
inline constexpr std::size_t kRowBlock = 16;
constexpr std::size_t padded_rows(std::size_t rows) { return (rows + kRowBlock - 1) / kRowBlock * kRowBlock; }

struct MatvecProduct;

class PackedMatrix {
 public:
  PackedMatrix() = default;
  // Packs codes of `format` for `isa` (supported on this CPU). The view is not kept.
  PackedMatrix(MatrixView<const std::int8_t> weights, WeightFormatId format, Isa isa);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t bytes() const { return data_.size(); }                                      // read once per run()
  std::span<const std::byte> weights() const { return std::as_bytes(std::span(data_)); }  // packed

  // acc[0..rows) = bias[0..rows) + W x[0..cols). bias and acc hold padded_rows(rows) elements; they may be the same.
  void run(const std::int8_t* x, const std::int32_t* bias, std::int32_t* acc) const noexcept;

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  AlignedVector<std::int8_t> data_;
  const MatvecProduct* product_ = nullptr;
};

// One implementation for one format: how it lays weights out, and how it runs.
struct MatvecProduct {
  AlignedVector<std::int8_t> (*pack)(MatrixView<const std::int8_t> weights);
  void (*run)(const std::int8_t* packed, std::size_t rows, std::size_t cols, const std::int8_t* x,
              const std::int32_t* bias, std::int32_t* acc) noexcept;
};
struct MatvecPath {
  Isa isa;
  FormatTable<MatvecProduct> products;
};
std::span<const MatvecPath> matvec_paths();  // row 0 is scalar

// (A15) bias[r] - zero_point sum_c W[r,c]; Error when a value or a possible sum leaves int32. `bias` may be empty
// (zeros). The result holds padded_rows(rows) elements.
AlignedVector<std::int32_t> fold_zero_point(MatrixView<const std::int8_t> weights, std::span<const std::int32_t> bias,
                                            std::int32_t zero_point);

}  // namespace quaver
