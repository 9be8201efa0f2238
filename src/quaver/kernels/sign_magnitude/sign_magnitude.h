// sign_magnitude.h - sums of truncated products of sign-magnitude codes: the arithmetic of fixed/sign_magnitude.h (M1)
// to (M6) on rows, for Q-MANN's memory networks.
//
// A matrix is [rows, width], row after row; width is a multiple of kCodeLanes, columns that are none hold zeros. Codes
// are those of words of n bits: the scalar path takes n <= 15, the others n <= 8, so that a product fits 16 bits (and
// |code| <= 255 for what the Hamming similarity reads). A sum of codes fits int32 below 2^16 terms. All paths return
// the same bits. Arrays of one call do not overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/fixed/sign_magnitude.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

inline constexpr std::size_t kCodeLanes = 32;
inline constexpr int kVectorWordBits = 8;  // the longest word of paths other than scalar

// Q(a x): |a| |x| >> fraction, at most limit. (M2)
struct ProductRule {
  int fraction;        // bits behind x's point
  std::int32_t limit;  // of a's format
};

// How two codes are compared. (M5)
struct HammingFormats {
  SignMagnitudeFormat format;
  int fine;               // bits behind the operands' points: format.fraction or one more
  bool released = false;  // slopes: of ds/db as the authors' program computes it (M6)
};

struct SignMagnitudePath {
  Isa isa;
  // codes[j] = Q(values[j]), values finite (M1); values[j] = codes[j] step.
  void (*code)(const float* values, std::size_t width, SignMagnitudeFormat format, std::int16_t* codes) noexcept;
  void (*decode)(const std::int16_t* codes, std::size_t width, float step, float* values) noexcept;
  // out[j] = Q(codes[j]) (M3); their fractions differ by at most 2. out == codes is allowed.
  void (*reformat)(const std::int16_t* codes, std::size_t width, SignMagnitudeFormat from, SignMagnitudeFormat to,
                   std::int16_t* out) noexcept;
  // codes[j] = sums[j] + addend[j], limited. |sums| < 2^30. codes == addend is allowed.
  void (*limit)(const std::int32_t* sums, const std::int16_t* addend, std::size_t width, std::int32_t limit,
                std::int16_t* codes) noexcept;
  // sums[j] += Q(codes[j] x[j]).
  void (*add_products)(const std::int16_t* codes, const std::int16_t* x, std::size_t width, ProductRule rule,
                       std::int32_t* sums) noexcept;
  // sums[r] = sum_j Q(matrix[r, j] x[j]).
  void (*product_dots)(const std::int16_t* matrix, std::size_t rows, const std::int16_t* x, std::size_t width,
                       ProductRule rule, std::int32_t* sums) noexcept;
  // sums[j] += sum_r Q(matrix[r, j] x[r]).
  void (*add_weighted_products)(const std::int16_t* x, const std::int16_t* matrix, std::size_t rows, std::size_t width,
                                ProductRule rule, std::int32_t* sums) noexcept;
  // sums[r] = sum_j s(matrix[r, j], x[j]), in units of 2^-magnitude_bits. Columns that are none count as equal: each
  // adds the format's limit. (M5)
  void (*hamming_sums)(const std::int16_t* matrix, std::size_t rows, const std::int16_t* x, std::size_t width,
                       HammingFormats rule, std::int32_t* sums) noexcept;
  // d_matrix[r, j] += factors[r] ds/dmatrix, d_x[j] += factors[r] ds/dx for r in order; a: matrix, b: x. (M6)
  void (*add_hamming_slopes)(const float* factors, const std::int16_t* matrix, std::size_t rows, const std::int16_t* x,
                             std::size_t width, HammingFormats rule, float* d_matrix, float* d_x) noexcept;
  // d_matrix[r, j] += Q'(Q(factors[r] x[j])) in real units: factors and x in `from`, Q' to `to`, fractions apart by
  // less than 8.
  void (*add_coded_outer)(const std::int16_t* factors, std::size_t rows, const std::int16_t* x, std::size_t width,
                          SignMagnitudeFormat from, SignMagnitudeFormat to, float* d_matrix) noexcept;
};
std::span<const SignMagnitudePath> sign_magnitude_paths();  // row 0 is scalar
const SignMagnitudePath& sign_magnitude_path(Isa isa);
// The fastest one that takes words of `bits`: the chosen one (dispatch.h), or scalar for long words.
const SignMagnitudePath& sign_magnitude_path_for(int bits);

}  // namespace quaver
