#include "quaver/cells/memn2n/test_fixed.h"

#include <algorithm>
#include <cmath>

#include "quaver/cells/memn2n/ref.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver::testing_support {

PlainFixed::PlainFixed(const MemN2NShape& shape, const MemoryScheme& scheme)
    : shape_(shape), scheme_(scheme), roles_(shape), hops_(shape.hops) {}

void PlainFixed::set_parameters(std::span<const float> parameters) {
  const bool one_bit = scheme_.one_bit_weights;
  A_.clear();
  C_.clear();
  H_.clear();
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    const SignMagnitudeFormat format = scheme_.hop_format(hop, shape_.hops);
    A_.push_back(coded(parameters, roles_.A[hop], format, one_bit));
    C_.push_back(coded(parameters, roles_.C[hop], format, one_bit));
    if (roles_.has_H) H_.push_back(coded(parameters, roles_.H, format, one_bit));
  }
  B_ = coded(parameters, roles_.B, scheme_.hop_format(0, shape_.hops), one_bit);
  W_ = coded(parameters, roles_.W, scheme_.format(), false);
}

PlainFixed::Matrix PlainFixed::coded(std::span<const float> parameters, std::size_t place, SignMagnitudeFormat format,
                                     bool one_bit) const {
  const MemoryMatrix where = memory_matrices(shape_)[place];
  Matrix matrix{.codes = {}, .l = {}, .format = format};
  for (const float value : parameters.subspan(where.offset, where.size())) {
    matrix.codes.push_back(one_bit ? (value >= 0 ? 1 : -1) : sign_magnitude_code(static_cast<double>(value), format));
    matrix.mean += std::abs(static_cast<double>(value));
  }
  matrix.mean = static_cast<double>(static_cast<float>(matrix.mean / static_cast<double>(where.size())));
  for (const float weight : encoding_weights(shape_))
    matrix.l.push_back(sign_magnitude_code(static_cast<double>(weight), format));
  return matrix;
}

std::int32_t PlainFixed::product(const Matrix& matrix, std::int32_t code, std::int32_t x, int fraction) const {
  return scheme_.one_bit_weights ? code * x : truncated_product(code, x, fraction, matrix.format.limit());
}

// Q of a sum of products with x, which has so many bits behind its point where weights are signs.
std::int32_t PlainFixed::limited(const Matrix& matrix, std::int64_t sum, int x_fraction) const {
  const auto limit = static_cast<double>(matrix.format.limit());
  if (!scheme_.one_bit_weights) return static_cast<std::int32_t>(std::clamp(static_cast<double>(sum), -limit, limit));
  // A sum of up to 28 bits times a mean of 24: exact.
  const double real = std::ldexp(static_cast<double>(sum) * matrix.mean, matrix.format.fraction - x_fraction);
  return static_cast<std::int32_t>(std::clamp(std::trunc(real), -limit, limit));
}

// (F1)
void PlainFixed::embed(const Matrix& matrix, WordNumbers words, const std::size_t* age, std::int32_t* out) const {
  const bool bag = shape_.encoding == SentenceEncoding::kWords;
  const int fraction = matrix.format.fraction;
  const auto count_code = [&](std::int64_t count) {
    return static_cast<std::int32_t>(std::min<std::int64_t>(count << fraction, matrix.format.limit()));
  };
  for (std::size_t j = 0; j < shape_.d; ++j) {
    std::int64_t sum = 0;
    for (std::size_t place = 0; place < words.size(); ++place) {
      if (words[place] == 0) continue;
      const bool first = std::ranges::find(words.first(place), words[place]) == words.first(place).end();
      if (bag && !first) continue;
      const std::int32_t x =
          bag ? count_code(std::ranges::count(words, words[place])) : matrix.l[word_slot(shape_, place) * shape_.d + j];
      sum += product(matrix, matrix.codes[static_cast<std::size_t>(words[place]) * shape_.d + j], x, fraction);
    }
    if (age != nullptr) {
      const std::int32_t x = bag ? count_code(1) : matrix.l[shape_.sentence * shape_.d + j];
      sum += product(matrix, matrix.codes[(shape_.vocabulary + *age) * shape_.d + j], x, fraction);
    }
    out[j] = limited(matrix, sum, fraction);
  }
}

// (F2)
void PlainFixed::compare(std::size_t place, SignMagnitudeFormat u_format) {
  Hop& hop = hops_[place];
  const SignMagnitudeFormat base = scheme_.format(), format = scheme_.hop_format(place, shape_.hops);
  const SignMagnitudeFormat fine{base.integer, scheme_.fine_fraction()};
  for (std::size_t i = 0; i < hop.s.size(); ++i) {
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < shape_.d; ++j) {
      const std::int32_t m = hop.m[i * shape_.d + j], u = hop.u[j];
      if (scheme_.similarity == MemorySimilarity::kHamming)
        sum += hamming_similarity(reformatted(m, format, fine), reformatted(u, u_format, fine), base, fine.fraction);
      else if (scheme_.one_bit_query)
        sum += reformatted(m, format, base) * (u >= 0 ? 1 : -1);
      else
        sum += truncated_product(reformatted(m, format, base), reformatted(u, u_format, base), base.fraction,
                                 base.limit());
    }
    const std::int32_t limit = scheme_.similarity == MemorySimilarity::kDot
                                   ? base.limit()
                                   : std::int32_t{1}
                                         << std::min(30, scheme_.integer_bits + scheme_.bits - 1 + kHammingShift);
    hop.s[i] = std::clamp(sum, -limit, limit);
  }
}

// (N3)
void PlainFixed::attend(Hop& hop, std::size_t empty, bool linear) const {
  const SignMagnitudeFormat base = scheme_.format();
  const int fraction = scheme_.similarity == MemorySimilarity::kDot ? base.fraction : scheme_.bits - 1 + kHammingShift;
  hop.p.clear();
  for (const std::int32_t s : hop.s) hop.p.push_back(std::ldexp(static_cast<float>(s), -fraction));
  if (!linear && !scheme_.integer_only) memory_softmax(hop.p, empty);
  for (std::size_t i = 0; i < hop.p.size(); ++i)
    hop.p_codes[i] = sign_magnitude_code(static_cast<double>(hop.p[i]), base);
  if (linear || !scheme_.integer_only) return;
  std::vector<std::int16_t> p;
  for (const std::int32_t s : hop.s) p.push_back(static_cast<std::int16_t>(std::clamp(s, -32767, 32767)));
  softmax_i16(p.data(), p.size(), SoftmaxRule::from_scale(std::ldexp(1.0f, -fraction)), p.data(),
              {.logit = 0, .count = static_cast<std::uint32_t>(empty)});
  for (std::size_t i = 0; i < p.size(); ++i) {
    hop.p[i] = std::ldexp(static_cast<float>(p[i]), -15);
    hop.p_codes[i] = sign_magnitude_code(static_cast<double>(hop.p[i]), base);
  }
}

// (F3) (F4)
void PlainFixed::next_u(std::size_t place, SignMagnitudeFormat u_format) {
  Hop& hop = hops_[place];
  const std::size_t d = shape_.d;
  const SignMagnitudeFormat base = scheme_.format(), format = scheme_.hop_format(place, shape_.hops);
  for (std::size_t j = 0; j < d; ++j) {
    std::int32_t state = reformatted(hop.u[j], u_format, base);
    if (roles_.has_H) {
      const Matrix& H = H_[place];
      const int fraction = scheme_.one_bit_query ? 0 : format.fraction;
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < d; ++k)
        sum += product(H, H.codes[j * d + k],
                       scheme_.one_bit_query ? (hop.u[k] >= 0 ? 1 : -1) : reformatted(hop.u[k], u_format, format),
                       fraction);
      state = reformatted(limited(H, sum, fraction), format, base);
    }
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < hop.p_codes.size(); ++i)
      sum +=
          truncated_product(reformatted(hop.c[i * d + j], format, base), hop.p_codes[i], base.fraction, base.limit());
    hop.o[j] = std::clamp(sum, -base.limit(), base.limit());
    u_[j] = std::clamp(state + hop.o[j], -base.limit(), base.limit());
  }
}

void PlainFixed::run(const MemoryQuestion& question, bool linear) {
  const std::size_t d = shape_.d, facts = question.facts.size();
  SignMagnitudeFormat u_format = scheme_.hop_format(0, shape_.hops);
  u_.resize(d);
  embed(B_, question.words, nullptr, u_.data());
  for (std::size_t place = 0; place < shape_.hops; ++place) {
    Hop& hop = hops_[place];
    hop.u = u_;
    hop.o.resize(d);
    for (Codes* rows : {&hop.m, &hop.c}) rows->resize(facts * d);
    for (Codes* numbers : {&hop.s, &hop.p_codes}) numbers->resize(facts);
    for (std::size_t i = 0; i < facts; ++i) {
      const std::size_t age = question.age(i);
      embed(A_[place], question.facts[i], shape_.temporal ? &age : nullptr, &hop.m[i * d]);
      embed(C_[place], question.facts[i], shape_.temporal ? &age : nullptr, &hop.c[i * d]);
    }
    compare(place, u_format);
    attend(hop, shape_.empty_facts(facts), linear);
    next_u(place, u_format);
    u_format = scheme_.format();
  }
}

std::vector<std::int64_t> PlainFixed::scores() const {
  std::vector<std::int64_t> scores(shape_.vocabulary);
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    for (std::size_t j = 0; j < shape_.d; ++j) scores[word] += std::int64_t{W_.codes[word * shape_.d + j]} * u_[j];
  return scores;
}

}  // namespace quaver::testing_support
