// bit_planes.h - acc = bias + W x on weights of M bits and activations of K bits, 1 to 8 each, by exclusive ors and
// counts of bits; with one bit each the product of a binarized network.
//
//   ActivationCodes x(cols, {.bits = 2, .grid = CodeGrid::kOdd});                                         // at set-up
//   BitPlaneMatrix matrix(weights, bias, {{.bits = 1, .grid = CodeGrid::kOdd}, x.format()});
//   x.quantize(reals, scale);                                                                             // every step
//   matrix.run(x, acc);
//
// A code is an unsigned number u of B bits. In steps of its tensor's scale it stands for
//
//   odd      q = 2 u - (2^B - 1)      -(2^B - 1), ..., -3, -1, 1, 3, ..., 2^B - 1; no zero; of one bit -1 and 1
//   integer  i = u - 2^(B-1)          -2^(B-1), ..., 2^(B-1) - 1, as i4 and i8 have them; of two bits ternary codes too
//
// With b_j in {-1, 1} for bit j of u, q = sum_j 2^j b_j and i = (q - 1) / 2 (A49). A plane is one bit of every code of
// a row. With planes W_m of a row and X_k of the activations over n columns,
//
//   sum_c q_w q_x = sum_{m < M, k < K} 2^(m+k) (W_m . X_k),    W_m . X_k = n - 2 popcount(W_m xor X_k)            (A50)
//
// and what the -1 of integer codes adds are a sum of the row, known when it is packed, and one of the activations.
// Encoding and decomposition: Sun et al., "Multi-Precision Quantized Neural Networks via Encoding Decomposition of
// {-1,+1}", AAAI 2019; m and k begin at 1 there.
//
// Range: sums of planes are 64 bits wide; only acc must fit int32, which BitPlaneMatrix checks of each row's own
// weights. It does in any case when cols max|W| max|x| + |bias| < 2^31: of 8 bits each up to 33,025 columns of odd
// codes, 131,071 of integer ones. Exactness: acc is the integer product, on every path. Time grows with M K, the
// weights' bytes with M; docs/performance.md says where that is less than a product of int8. Threads: a BitPlaneMatrix
// is const after construction, and any number of threads may run() with it and with one ActivationCodes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/aligned.h"
#include "quaver/core/matrix_view.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/kernels/matvec/matvec.h"

namespace quaver {

inline constexpr int kMostBits = 8;           // of a code
inline constexpr std::size_t kWordBits = 64;  // columns of a plane that lie in one word, the earliest lowest
constexpr std::size_t plane_words(std::size_t cols) { return (cols + kWordBits - 1) / kWordBits; }

enum class CodeGrid : std::uint8_t { kOdd, kInteger };

struct BitFormat {
  int bits = 1;  // 1..kMostBits
  CodeGrid grid = CodeGrid::kOdd;
  bool operator==(const BitFormat&) const = default;

  constexpr std::int32_t codes() const { return 1 << bits; }  // how many there are
  // What a code stands for, in steps of the scale.
  constexpr std::int32_t value(std::int32_t code) const {
    return grid == CodeGrid::kOdd ? 2 * code - (codes() - 1) : code - codes() / 2;
  }
  constexpr std::int32_t lowest() const { return value(0); }
  constexpr std::int32_t highest() const { return value(codes() - 1); }
  // The code nearest to x / scale, ties away from zero, beyond the ends the last; of odd codes 0 is 1. x: finite;
  // scale: real units a step, above 0. A range [-r, r] has the scale r / highest() in the paper, with odd codes.
  std::uint8_t nearest(float x, float scale) const;
  std::string name() const;  // "3-bit odd"
};

struct BitPlanesPath;
const BitPlanesPath& bit_planes_path(Isa isa);

// A vector of activations as planes: what a step makes of x once, for all products that read it.
class ActivationCodes {
 public:
  // `size` codes of 0, fewer than 2^24. Error: bits outside 1..8.
  ActivationCodes(std::size_t size, BitFormat format, const BitPlanesPath& path = bit_planes_path(chosen_isa()));

  // codes [size()]: each below 2^bits.
  void assign(std::span<const std::uint8_t> codes) noexcept;
  // The codes nearest to x [size()], finite. (BitFormat::nearest)
  void quantize(std::span<const float> x, float scale) noexcept;

  std::size_t size() const { return codes_.size(); }
  BitFormat format() const { return format_; }
  std::span<const std::uint8_t> codes() const { return codes_; }
  const std::uint64_t* planes() const { return planes_.data(); }  // [bits][plane_words(size)], zeros behind the last
  std::int64_t odd_sum() const { return odd_sum_; }               // of q, whatever the grid

 private:
  void split() noexcept;

  BitFormat format_;
  const BitPlanesPath* path_ = nullptr;
  std::vector<std::uint8_t> codes_;
  AlignedVector<std::uint64_t> planes_;
  std::int64_t odd_sum_ = 0;
};

struct BitProductFormats {
  BitFormat weights, activations;
};

class BitPlaneMatrix {
 public:
  BitPlaneMatrix() = default;
  // weights [rows, cols]: codes below 2^bits; bias [rows]: in steps of the product of both scales, or empty: zeros.
  // Neither is kept. Error: bits outside 1..8; a code that is none; a row whose sum can leave int32 with some
  // activations.
  BitPlaneMatrix(MatrixView<const std::uint8_t> weights, std::span<const std::int32_t> bias, BitProductFormats formats,
                 const BitPlanesPath& path = bit_planes_path(chosen_isa()));

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t bytes() const { return planes_.size() * sizeof(std::uint64_t); }  // read once per run()

  // acc[r] = bias[r] + sum_c W[r,c] x[c], in steps of the product of both scales. x: cols() codes of the format that
  // was named. acc: padded_rows(rows()) elements, unspecified beyond rows().
  void run(const ActivationCodes& x, std::int32_t* acc) const noexcept;

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  BitProductFormats formats_;
  const BitPlanesPath* path_ = nullptr;
  AlignedVector<std::uint64_t> planes_;  // [blocks of kRowBlock rows][bits][words][kRowBlock]
  AlignedVector<std::int64_t> starts_;   // [padded rows]: what a row's sum has beside its planes (A50)
};

// acc[r] = (starts[r] + offset - 2 sum_{m,k} 2^(m+k) popcount(W_m xor X_k)) / 2^halvings, without a rest. (A50)
struct BitPlanesProduct {
  const std::uint64_t* weights;      // [blocks][weight_bits][words][kRowBlock], aligned
  const std::uint64_t* activations;  // [activation_bits][words]
  const std::int64_t* starts;        // [blocks][kRowBlock], aligned
  std::size_t blocks, words;
  int weight_bits, activation_bits;
  std::int64_t offset;
  int halvings;
  std::int32_t* acc;  // [blocks][kRowBlock]
};

struct BitPlanesPath {
  Isa isa;
  // planes[k][c / 64], bit c % 64 = bit k of codes[c] for c < cols and k < bits; 0 behind the last column.
  void (*split)(const std::uint8_t* codes, std::size_t cols, int bits, std::uint64_t* planes) noexcept;
  void (*run)(const BitPlanesProduct& product) noexcept;
};
std::span<const BitPlanesPath> bit_planes_paths();  // row 0 is scalar

}  // namespace quaver
