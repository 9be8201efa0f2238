#include "quaver/cells/memn2n/fixed.h"

#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

std::int16_t narrow(std::int32_t code) { return static_cast<std::int16_t>(code); }

std::int32_t limited(std::int32_t sum, std::int32_t limit) { return std::clamp(sum, -limit, limit); }

std::int16_t code_of(float value, SignMagnitudeFormat format) { return narrow(sign_magnitude_code(value, format)); }

// sum mantissa 2^-shift, toward zero.
std::int32_t scaled_sum(std::int64_t sum, std::int64_t mantissa, int shift) {
  const std::int64_t product = std::abs(sum) * mantissa;
  const std::int64_t magnitude = std::min(product >> std::clamp(shift, 0, 62), std::int64_t{1} << 30);
  return static_cast<std::int32_t>(sum < 0 ? -magnitude : magnitude);
}

}  // namespace

void validate(const MemoryScheme& scheme) {
  const auto require = [](bool ok, const char* what, int found, const std::string& expected) {
    if (!ok) throw_usage(concat("scheme of a memory network: ", what, " is ", found, ", expected ", expected));
  };
  if (scheme.is_float()) return;
  if (scheme.is_scaled()) {
    require(scheme.bits >= 2 && scheme.bits <= 8, "the word length", scheme.bits, "2 to 8 bits");
    require(scheme.similarity == MemorySimilarity::kDot && !scheme.hop_formats, "a Hamming similarity or formats a hop",
            1, "0: scaled schemes have neither");
    require(scheme.integer_only, "integer-only", 0, "1: scaled schemes have integers only");
    require(scheme.one_bit_query || !scheme.one_bit_state, "the one-bit state", 1, "a one-bit query with it");
    require(scheme.power_of_two_scales || !(scheme.truncation || scheme.shared_point), "truncation or a shared point",
            1, "0 without scales that are powers of two");
    if (!scheme.shared_point) return;
    require(!scheme.relative_similarity && !scheme.one_bit_query && !scheme.one_bit_weights, "the shared point", 1,
            "0 with a relative similarity or one bit, which have ranges of their own");
    require(scheme.integer_bits >= 0 && scheme.integer_bits <= scheme.bits - 1, "integer bits", scheme.integer_bits,
            concat("0 to ", scheme.bits - 1, " of ", scheme.bits, " bits"));
    return;
  }
  require(!scheme.power_of_two_scales && !scheme.relative_similarity && !scheme.one_bit_state && !scheme.truncation &&
              !scheme.shared_point,
          "a switch of scaled schemes", 1, "0 in fixed point");
  require(scheme.bits >= 2 && scheme.bits <= 15, "the word length", scheme.bits, "2 to 15 bits");
  // With formats a hop both neighbours of the format must exist too.
  const int margin = scheme.hop_formats ? 1 : 0;
  require(scheme.integer_bits >= margin && scheme.integer_bits <= scheme.bits - 1 - margin, "integer bits",
          scheme.integer_bits, concat(margin, " to ", scheme.bits - 1 - margin, " of ", scheme.bits, " bits"));
}

MemN2NFixed::MemN2NFixed(const MemN2NShape& shape, const MemoryScheme& scheme)
    : shape_(shape),
      scheme_(scheme),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      hops_(shape.hops),
      sum_(shape.d) {
  if (!scheme.is_fixed()) throw_usage("a fixed-point memory network needs a fixed-point scheme");
  validate(scheme);
  if (shape.encoding == SentenceEncoding::kPosition) l_ = encoding_weights(shape);
  if (scheme.integer_only) softmax_ = SoftmaxRule::from_scale(static_cast<float>(similarity_step()));
}

double MemN2NFixed::similarity_step() const {
  return scheme_.similarity == MemorySimilarity::kDot ? scheme_.format().step()
                                                      : std::ldexp(1.0, -(scheme_.bits - 1) - kHammingShift);
}

std::int32_t MemN2NFixed::similarity_limit() const {
  const SignMagnitudeFormat format = scheme_.format();
  // Hamming sums live in a wide word that ends at 2^IWL.
  return scheme_.similarity == MemorySimilarity::kDot
             ? format.limit()
             : std::int32_t{1} << std::min(30, scheme_.integer_bits + scheme_.bits - 1 + kHammingShift);
}

MemN2NFixed::CodedMatrix MemN2NFixed::coded(std::size_t place, SignMagnitudeFormat format,
                                            std::span<const float> parameters, bool one_bit) const {
  const MemoryMatrix& matrix = matrices_[place];
  const std::span<const float> values = parameters.subspan(matrix.offset, matrix.size());
  CodedMatrix result{.codes = Codes(values.size()), .format = format, .l = {}};
  if (one_bit) {
    constexpr int kMantissaBits = 24;  // a float's: the mean is one, exactly
    double sum = 0;
    for (const float value : values) sum += std::abs(static_cast<double>(value));
    int exponent = 0;
    const float mantissa = std::frexp(static_cast<float>(sum / static_cast<double>(values.size())), &exponent);
    result.mantissa = static_cast<std::int64_t>(std::ldexp(mantissa, kMantissaBits));
    result.shift = kMantissaBits - exponent;
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    result.codes[i] = one_bit ? narrow(values[i] >= 0 ? 1 : -1) : code_of(values[i], format);
  for (const float weight : l_) result.l.push_back(code_of(weight, format));
  return result;
}

void MemN2NFixed::set_parameters(std::span<const float> parameters) {
  parameters_ = parameters;
  A_.clear();
  C_.clear();
  H_.clear();
  const bool one_bit = scheme_.one_bit_weights;
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    const SignMagnitudeFormat format = scheme_.hop_format(hop, shape_.hops);
    A_.push_back(coded(roles_.A[hop], format, parameters, one_bit));
    C_.push_back(coded(roles_.C[hop], format, parameters, one_bit));
    if (roles_.has_H) H_.push_back(coded(roles_.H, format, parameters, one_bit));
  }
  B_ = coded(roles_.B, scheme_.hop_format(0, shape_.hops), parameters, one_bit);
  if (scheme_.integer_only) W_ = coded(roles_.W, scheme_.format(), parameters, false);
}

// Row `row` of the matrix times `weight` [d] or, null, the same `count` everywhere: codes of the matrix's format.
void MemN2NFixed::add_row(const CodedMatrix& matrix, std::size_t row, const std::int16_t* weight, std::int32_t count,
                          std::int32_t* sum) const {
  const std::int32_t limit = matrix.format.limit();
  const int fraction = matrix.format.fraction;
  const std::int16_t* codes = &matrix.codes[row * shape_.d];
  for (std::size_t j = 0; j < shape_.d; ++j) {
    const std::int32_t x = weight == nullptr ? count : weight[j];
    sum[j] += scheme_.one_bit_weights ? codes[j] * x : truncated_product(codes[j], x, fraction, limit);
  }
}

namespace {

// A count of words as a code.
std::int32_t count_code(std::size_t count, SignMagnitudeFormat format) {
  return static_cast<std::int32_t>(
      std::min(static_cast<std::uint64_t>(count) << format.fraction, static_cast<std::uint64_t>(format.limit())));
}

}  // namespace

void MemN2NFixed::add_words(const CodedMatrix& matrix, WordNumbers words, std::int32_t* sum) const {
  for (std::size_t place = 0; place < words.size(); ++place) {
    if (words[place] == 0) continue;
    const auto row = static_cast<std::size_t>(words[place]);
    if (!matrix.l.empty()) {
      add_row(matrix, row, &matrix.l[word_slot(shape_, place) * shape_.d], 0, sum);
      continue;
    }
    // In a bag every word stands once, with its count.
    if (std::ranges::find(words.first(place), words[place]) != words.first(place).end()) continue;
    const auto count = static_cast<std::size_t>(std::ranges::count(words, words[place]));
    add_row(matrix, row, nullptr, count_code(count, matrix.format), sum);
  }
}

void MemN2NFixed::add_age(const CodedMatrix& matrix, std::size_t age, std::int32_t* sum) const {
  add_row(matrix, shape_.vocabulary + age, matrix.l.empty() ? nullptr : &matrix.l[shape_.sentence * shape_.d],
          count_code(1, matrix.format), sum);
}

std::int32_t MemN2NFixed::limited_sum(const CodedMatrix& matrix, std::int32_t sum, int shift) const {
  return limited(scheme_.one_bit_weights ? scaled_sum(sum, matrix.mantissa, shift) : sum, matrix.format.limit());
}

// (F1) One sentence; age null: none.
void MemN2NFixed::embed(const CodedMatrix& matrix, WordNumbers words, const std::size_t* age, std::int16_t* out) {
  std::ranges::fill(sum_, 0);
  add_words(matrix, words, sum_.data());
  if (age != nullptr) add_age(matrix, *age, sum_.data());
  for (std::size_t j = 0; j < shape_.d; ++j) out[j] = narrow(limited_sum(matrix, sum_[j], matrix.shift));
}

// (F2)
void MemN2NFixed::similarities(Hop& hop, SignMagnitudeFormat format) {
  const std::size_t d = shape_.d, facts = hop.s.size();
  const SignMagnitudeFormat base = scheme_.format();
  const std::int32_t limit = similarity_limit();
  if (scheme_.similarity == MemorySimilarity::kHamming) {
    const SignMagnitudeFormat fine{base.integer, scheme_.fine_fraction()};
    hop.m_fine.resize(hop.m.size());
    hop.u_fine.resize(d);
    for (std::size_t i = 0; i < hop.m.size(); ++i) hop.m_fine[i] = narrow(reformatted(hop.m[i], format, fine));
    for (std::size_t j = 0; j < d; ++j) hop.u_fine[j] = narrow(reformatted(hop.u[j], hop.u_format, fine));
    for (std::size_t i = 0; i < facts; ++i) {
      std::int32_t sum = 0;
      for (std::size_t j = 0; j < d; ++j)
        sum += hamming_similarity(hop.m_fine[i * d + j], hop.u_fine[j], base, fine.fraction);
      hop.s[i] = limited(sum, limit);
    }
    return;
  }
  for (std::size_t j = 0; j < d; ++j)
    sum_[j] = scheme_.one_bit_query ? (hop.u[j] >= 0 ? 1 : -1) : reformatted(hop.u[j], hop.u_format, base);
  const int fraction = scheme_.one_bit_query ? 0 : base.fraction;
  for (std::size_t i = 0; i < facts; ++i) {
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < d; ++j)
      sum += truncated_product(reformatted(hop.m[i * d + j], format, base), sum_[j], fraction, limit);
    hop.s[i] = limited(sum, limit);
  }
}

void MemN2NFixed::attend(Hop& hop, bool linear) const {
  const SignMagnitudeFormat base = scheme_.format();
  const std::size_t facts = hop.s.size(), empty = shape_.empty_facts(facts);
  hop.p_codes.resize(facts);
  hop.p_q0_15.clear();
  hop.nothing_q0_15 = 0;
  hop.nothing = 0;
  if (!softmax_) {
    const auto step = static_cast<float>(similarity_step());
    hop.p.resize(facts);
    for (std::size_t i = 0; i < facts; ++i) hop.p[i] = static_cast<float>(hop.s[i]) * step;
    if (!linear) hop.nothing = memory_softmax(hop.p, empty);
    for (std::size_t i = 0; i < facts; ++i) hop.p_codes[i] = code_of(hop.p[i], base);
    return;
  }
  // Similarities of n = 8 fit 16 bits for every d up to 258; beyond, the softmax sees the end of its range.
  constexpr std::int32_t kEnd = 32767;
  hop.p_q0_15.resize(facts);
  for (std::size_t i = 0; i < facts; ++i) hop.p_q0_15[i] = narrow(limited(hop.s[i], kEnd));
  if (linear) {
    const int fraction =
        scheme_.similarity == MemorySimilarity::kDot ? base.fraction : scheme_.bits - 1 + kHammingShift;
    for (std::size_t i = 0; i < facts; ++i)
      hop.p_codes[i] = narrow(limited(truncating_shift(hop.s[i], fraction - base.fraction), base.limit()));
    hop.p_q0_15.clear();
    return;
  }
  // An empty fact's similarity is 0 by definition, also where a Hamming similarity of zeros would not be.
  hop.nothing_q0_15 = softmax_i16(hop.p_q0_15.data(), facts, *softmax_, hop.p_q0_15.data(),
                                  {.logit = 0, .count = static_cast<std::uint32_t>(empty)});
  for (std::size_t i = 0; i < facts; ++i)
    hop.p_codes[i] = narrow(std::min<std::int32_t>(hop.p_q0_15[i] >> (15 - base.fraction), base.limit()));
}

// (F3) (F4)
void MemN2NFixed::next_u(std::size_t place, std::size_t facts) {
  const std::size_t d = shape_.d;
  Hop& hop = hops_[place];
  const SignMagnitudeFormat base = scheme_.format(), format = scheme_.hop_format(place, shape_.hops);
  const std::int32_t limit = base.limit();
  Codes next(d);
  if (roles_.has_H) {
    Codes x(d);
    for (std::size_t k = 0; k < d; ++k)
      x[k] = narrow(scheme_.one_bit_query ? (hop.u[k] >= 0 ? 1 : -1) : reformatted(hop.u[k], hop.u_format, format));
    const int fraction = scheme_.one_bit_query ? 0 : format.fraction;
    const int shift = H_[place].shift - (format.fraction - fraction);
    for (std::size_t j = 0; j < d; ++j) {
      const std::int16_t* row = &H_[place].codes[j * d];
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < d; ++k)
        sum += scheme_.one_bit_weights ? row[k] * x[k] : truncated_product(row[k], x[k], fraction, format.limit());
      next[j] = narrow(reformatted(limited_sum(H_[place], sum, shift), format, base));
    }
  } else {
    for (std::size_t j = 0; j < d; ++j) next[j] = narrow(reformatted(hop.u[j], hop.u_format, base));
  }
  std::ranges::fill(sum_, 0);
  for (std::size_t i = 0; i < facts; ++i)
    for (std::size_t j = 0; j < d; ++j)
      sum_[j] += truncated_product(reformatted(hop.c[i * d + j], format, base), hop.p_codes[i], base.fraction, limit);
  hop.o.resize(d);
  for (std::size_t j = 0; j < d; ++j) {
    hop.o[j] = narrow(limited(sum_[j], limit));
    next[j] = narrow(limited(next[j] + hop.o[j], limit));
  }
  u_ = std::move(next);
}

void MemN2NFixed::run(const MemoryQuestion& question, bool linear) {
  const std::size_t d = shape_.d, facts = question.facts.size();
  const SignMagnitudeFormat base = scheme_.format();
  u_.resize(d);
  embed(B_, question.words, nullptr, u_.data());
  for (std::size_t place = 0; place < shape_.hops; ++place) {
    Hop& hop = hops_[place];
    const SignMagnitudeFormat format = scheme_.hop_format(place, shape_.hops);
    hop.u = u_;
    hop.u_format = place == 0 ? B_.format : base;
    hop.m.resize(facts * d);
    hop.c.resize(facts * d);
    for (std::size_t i = 0; i < facts; ++i) {
      const std::size_t age = question.age(i);
      embed(A_[place], question.facts[i], shape_.temporal ? &age : nullptr, &hop.m[i * d]);
      embed(C_[place], question.facts[i], shape_.temporal ? &age : nullptr, &hop.c[i * d]);
    }
    hop.s.resize(facts);
    similarities(hop, format);
    attend(hop, linear);
    next_u(place, facts);
  }
}

std::span<const std::int64_t> MemN2NFixed::scores() {
  scores_.assign(shape_.vocabulary, 0);
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    for (std::size_t j = 0; j < shape_.d; ++j) scores_[word] += W_.codes[word * shape_.d + j] * u_[j];
  return scores_;
}

std::size_t MemN2NFixed::answer_word(const MemoryQuestion& question) {
  run(question);
  const std::span<const std::int64_t> all = scores();
  return static_cast<std::size_t>(std::max_element(all.begin() + 1, all.end()) - all.begin());
}

std::vector<float> MemN2NFixed::attention(std::size_t place) const {
  const Hop& hop = hops_[place];
  if (!softmax_) return hop.p;
  std::vector<float> p;
  for (const std::int16_t code : hop.p_q0_15) p.push_back(static_cast<float>(code) * 0x1p-15f);
  if (p.empty())
    for (const std::int32_t s : hop.s) p.push_back(static_cast<float>(s * similarity_step()));
  return p;
}

MemoryAnswer MemN2NFixed::answer(const MemoryQuestion& question, bool linear) {
  run(question, linear);
  MemoryAnswer answer;
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    answer.attention.push_back(attention(hop));
    answer.nothing.push_back(softmax_ ? static_cast<float>(hops_[hop].nothing_q0_15) * 0x1p-15f : hops_[hop].nothing);
  }
  const double step = scheme_.format().step();
  if (scheme_.integer_only) {
    for (const std::int64_t score : scores())
      answer.scores.push_back(static_cast<float>(static_cast<double>(score) * step * step));
    return answer;
  }
  const MemoryMatrix& W = matrices_[roles_.W];
  for (std::size_t word = 0; word < shape_.vocabulary; ++word) {
    float score = 0;
    for (std::size_t j = 0; j < shape_.d; ++j)
      score += parameters_[W.offset + word * shape_.d + j] * static_cast<float>(u_[j] * step);
    answer.scores.push_back(score);
  }
  return answer;
}

}  // namespace quaver
