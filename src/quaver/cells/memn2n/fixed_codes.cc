#include "quaver/cells/memn2n/fixed_codes.h"

#include <cmath>

#include "quaver/core/error.h"

namespace quaver {
namespace {

constexpr std::size_t padded(std::size_t count, std::size_t lanes) { return (count + lanes - 1) / lanes * lanes; }

std::int16_t narrow(std::int32_t code) { return static_cast<std::int16_t>(code); }

// A count of words as a code.
std::int16_t count_code(std::size_t count, SignMagnitudeFormat format) {
  return static_cast<std::int16_t>(
      std::min(static_cast<std::uint64_t>(count) << format.fraction, static_cast<std::uint64_t>(format.limit())));
}

// sum mantissa 2^-shift, toward zero.
std::int32_t scaled_sum(std::int64_t sum, std::int64_t mantissa, int shift) {
  const std::int64_t product = std::abs(sum) * mantissa;
  const std::int64_t magnitude = std::min(product >> std::clamp(shift, 0, 62), std::int64_t{1} << 30);
  return static_cast<std::int32_t>(sum < 0 ? -magnitude : magnitude);
}

}  // namespace

FixedCodes::FixedCodes(const MemN2NShape& shape, const MemoryScheme& scheme)
    : shape_(shape),
      scheme_(scheme),
      stride_(padded(shape.d, kCodeLanes)),
      kernels_(&sign_magnitude_path_for(scheme.bits)),
      rows_(&rows_path(chosen_isa())),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      row_(stride_) {
  if (!scheme.is_fixed()) throw_usage("a fixed-point memory network needs a fixed-point scheme");
  validate(scheme);
  for (std::size_t hop = 0; hop < shape.hops; ++hop) {
    const SignMagnitudeFormat format = scheme.hop_format(hop, shape.hops);
    m_.push_back(embedding_in(roles_.A[hop], format));
    c_.push_back(embedding_in(roles_.C[hop], format));
    if (has_H()) H_.push_back({.format = format, .codes = {}, .l = {}});
  }
  B_ = matrix_in(scheme.hop_format(0, shape.hops));
  W_.format = base();
}

FixedCodes::Matrix FixedCodes::matrix_in(SignMagnitudeFormat format) const {
  Matrix matrix{.format = format, .codes = {}, .l = {}};
  if (shape_.encoding == SentenceEncoding::kWords) {
    matrix.l.assign(stride_, count_code(1, format));
    return matrix;
  }
  const std::vector<float> weights = encoding_weights(shape_);
  matrix.l.resize((shape_.sentence + 1) * stride_);
  for (std::size_t i = 0; i < weights.size(); ++i)
    matrix.l[i / shape_.d * stride_ + i % shape_.d] = narrow(sign_magnitude_code(weights[i], format));
  return matrix;
}

std::size_t FixedCodes::embedding_in(std::size_t place, SignMagnitudeFormat format) {
  for (std::size_t i = 0; i < embeddings_.size(); ++i)
    if (places_[i] == place && embeddings_[i].format == format) return i;
  embeddings_.push_back(matrix_in(format));
  places_.push_back(place);
  return embeddings_.size() - 1;
}

int FixedCodes::similarity_fraction() const {
  return is_hamming() ? scheme_.bits - 1 + kHammingShift : base().fraction;
}

double FixedCodes::similarity_step() const { return std::ldexp(1.0, -similarity_fraction()); }

std::int32_t FixedCodes::similarity_limit() const {
  // Hamming sums live in a wide word that ends at 2^IWL.
  return is_hamming() ? std::int32_t{1} << std::min(30, scheme_.integer_bits + scheme_.bits - 1 + kHammingShift)
                      : base().limit();
}

double FixedCodes::score_step() const { return base().step() * base().step(); }

void FixedCodes::code(std::size_t place, std::span<const float> parameters, bool one_bit, Matrix& matrix) {
  const MemoryMatrix& where = matrices_[place];
  const std::span<const float> values = parameters.subspan(where.offset, where.size());
  const std::size_t d = shape_.d;
  matrix.codes.resize(where.rows * stride_);
  for (std::size_t row = 0; row < where.rows; ++row) {
    std::int16_t* codes = &matrix.codes[row * stride_];
    if (one_bit) {
      for (std::size_t j = 0; j < d; ++j) codes[j] = narrow(values[row * d + j] >= 0 ? 1 : -1);
    } else {
      std::copy_n(&values[row * d], d, row_.data());
      kernels_->code(row_.data(), stride_, matrix.format, codes);
    }
  }
  if (!one_bit) return;
  constexpr int kMantissaBits = 24;  // a float's: the mean is one, exactly
  double sum = 0;
  for (const float value : values) sum += std::abs(static_cast<double>(value));
  int exponent = 0;
  const float mantissa = std::frexp(static_cast<float>(sum / static_cast<double>(values.size())), &exponent);
  matrix.mantissa = static_cast<std::int64_t>(std::ldexp(mantissa, kMantissaBits));
  matrix.shift = kMantissaBits - exponent;
}

void FixedCodes::set_parameters(std::span<const float> parameters) {
  const bool one_bit = scheme_.one_bit_weights;
  for (std::size_t i = 0; i < embeddings_.size(); ++i) code(places_[i], parameters, one_bit, embeddings_[i]);
  for (Matrix& H : H_) code(roles_.H, parameters, one_bit, H);
  code(roles_.B, parameters, one_bit, B_);
  if (scheme_.integer_only) return code(roles_.W, parameters, false, W_);
  const std::size_t words = padded(shape_.vocabulary, kRowLanes), d = shape_.d;
  W_transposed_.resize(d * words);
  const float* W = parameters.data() + matrices_[roles_.W].offset;
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    for (std::size_t j = 0; j < d; ++j) W_transposed_[j * words + word] = W[word * d + j];
}

// Of codes with word counts or encoding weights. +-1 times a code of the same format: exact, for it ends nowhere.
ProductRule FixedCodes::product_with(const Matrix& matrix) const {
  return {scheme_.one_bit_weights ? 0 : matrix.format.fraction, matrix.format.limit()};
}

void FixedCodes::add_words(const Matrix& matrix, WordNumbers words, std::int32_t* sum) const {
  const ProductRule rule = product_with(matrix);
  for_each_word(shape_, words, [&](std::size_t row, std::size_t slot, std::size_t count) {
    const std::int16_t* codes = &matrix.codes[row * stride_];
    if (count == 1) return kernels_->add_products(codes, &matrix.l[slot * stride_], stride_, rule, sum);
    const std::int16_t x = count_code(count, matrix.format);
    kernels_->add_weighted_products(&x, codes, 1, stride_, rule, sum);
  });
}

void FixedCodes::add_age(const Matrix& matrix, std::size_t age, std::int32_t* sum) const {
  const std::int16_t* last_l = &matrix.l[matrix.l.size() - stride_];  // the time word's slot
  kernels_->add_products(&matrix.codes[(shape_.vocabulary + age) * stride_], last_l, stride_, product_with(matrix),
                         sum);
}

std::int32_t FixedCodes::limited_sum(const Matrix& matrix, std::int32_t sum, int shift) const {
  const std::int32_t limit = matrix.format.limit();
  return std::clamp(scheme_.one_bit_weights ? scaled_sum(sum, matrix.mantissa, shift) : sum, -limit, limit);
}

void FixedCodes::score_in_float(const std::int16_t* u, FloatScores& scores) const {
  const std::size_t words = padded(shape_.vocabulary, kRowLanes);
  scores.u.resize(stride_);
  scores.words.assign(words, 0);
  kernels_->decode(u, stride_, static_cast<float>(base().step()), scores.u.data());
  rows_->add_weighted(scores.u.data(), W_transposed_.data(), shape_.d, words, scores.words.data());
}

}  // namespace quaver
