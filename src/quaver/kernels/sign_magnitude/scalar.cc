#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/kernels/sign_magnitude/paths.h"

namespace quaver {
namespace {

std::int32_t product(std::int32_t a, std::int32_t x, ProductRule rule) {
  return truncated_product(a, x, rule.fraction, rule.limit);
}

void code(const float* values, std::size_t width, SignMagnitudeFormat format, std::int16_t* codes) noexcept {
  for (std::size_t j = 0; j < width; ++j) codes[j] = static_cast<std::int16_t>(sign_magnitude_code(values[j], format));
}

void decode(const std::int16_t* codes, std::size_t width, float step, float* values) noexcept {
  for (std::size_t j = 0; j < width; ++j) values[j] = static_cast<float>(codes[j]) * step;
}

void reformat(const std::int16_t* codes, std::size_t width, SignMagnitudeFormat from, SignMagnitudeFormat to,
              std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < width; ++j) out[j] = static_cast<std::int16_t>(reformatted(codes[j], from, to));
}

void limit(const std::int32_t* sums, const std::int16_t* addend, std::size_t width, std::int32_t limit,
           std::int16_t* codes) noexcept {
  for (std::size_t j = 0; j < width; ++j)
    codes[j] = static_cast<std::int16_t>(std::clamp(sums[j] + addend[j], -limit, limit));
}

void add_products(const std::int16_t* codes, const std::int16_t* x, std::size_t width, ProductRule rule,
                  std::int32_t* sums) noexcept {
  for (std::size_t j = 0; j < width; ++j) sums[j] += product(codes[j], x[j], rule);
}

void product_dots(const std::int16_t* matrix, std::size_t rows, const std::int16_t* x, std::size_t width,
                  ProductRule rule, std::int32_t* sums) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    sums[r] = 0;
    for (std::size_t j = 0; j < width; ++j) sums[r] += product(matrix[r * width + j], x[j], rule);
  }
}

void add_weighted_products(const std::int16_t* x, const std::int16_t* matrix, std::size_t rows, std::size_t width,
                           ProductRule rule, std::int32_t* sums) noexcept {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j) sums[j] += product(matrix[r * width + j], x[r], rule);
}

void hamming_sums(const std::int16_t* matrix, std::size_t rows, const std::int16_t* x, std::size_t width,
                  HammingFormats rule, std::int32_t* sums) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    sums[r] = 0;
    for (std::size_t j = 0; j < width; ++j)
      sums[r] += hamming_similarity(matrix[r * width + j], x[j], rule.format, rule.fine);
  }
}

void add_hamming_slopes(const float* factors, const std::int16_t* matrix, std::size_t rows, const std::int16_t* x,
                        std::size_t width, HammingFormats rule, float* d_matrix, float* d_x) noexcept {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < width; ++j) {
      const HammingSlope slope = hamming_slope(matrix[r * width + j], x[j], rule.format, rule.fine, rule.released);
      d_matrix[r * width + j] += factors[r] * static_cast<float>(slope.memory);
      d_x[j] += factors[r] * static_cast<float>(slope.query);
    }
  }
}

void add_coded_outer(const std::int16_t* factors, std::size_t rows, const std::int16_t* x, std::size_t width,
                     SignMagnitudeFormat from, SignMagnitudeFormat to, float* d_matrix) noexcept {
  const auto step = static_cast<float>(to.step());
  const ProductRule rule{from.fraction, from.limit()};
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t j = 0; j < width; ++j)
      d_matrix[r * width + j] += static_cast<float>(reformatted(product(factors[r], x[j], rule), from, to)) * step;
}

}  // namespace

const SignMagnitudePath kScalarSignMagnitude{Isa::kScalar,   code,
                                             decode,         reformat,
                                             limit,          add_products,
                                             product_dots,   add_weighted_products,
                                             hamming_sums,   add_hamming_slopes,
                                             add_coded_outer};

}  // namespace quaver
