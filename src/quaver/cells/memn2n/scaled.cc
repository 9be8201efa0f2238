#include "quaver/cells/memn2n/scaled.h"

#include <algorithm>
#include <cmath>

#include "quaver/core/error.h"
#include "quaver/fixed/quantization.h"

namespace quaver {
namespace {

constexpr std::size_t kMostWords = 65536;  // of a sentence: 2^16 127^2 < 2^31

std::int8_t sign_of(std::int32_t code) { return code >= 0 ? std::int8_t{1} : std::int8_t{-1}; }

std::int8_t limited(std::int32_t code, std::int32_t limit) {
  return static_cast<std::int8_t>(std::clamp(code, -limit, limit));
}

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::size_t size) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

}  // namespace

std::int32_t MemN2NScaled::Rescale::apply(std::int32_t x) const {
  if (!shifts) return multiplier.apply(x);
  if (truncates && shift > 0) return shift > 30 ? 0 : truncating_shift(x, shift);
  return shift >= 0 ? divide_by_pot(x, std::min(shift, 31)) : shift_left_saturating(x, std::min(-shift, 31));
}

MemN2NScaled::OptionalRescaling MemN2NScaled::rescaling_of(const Rescale& rescale) {
  if (!rescale.shifts) return Rescaling::from(rescale.multiplier);
  // Sums are below 2^30, the two of (S6) below 2^27: two bits to the left lose nothing.
  if (rescale.truncates || rescale.shift < -2) return std::nullopt;
  return Rescaling::by_power_of_two(std::min(rescale.shift, 31));
}

// from, to: real units of a step.
MemN2NScaled::Rescale MemN2NScaled::rescale(double from, double to) const {
  Rescale result;
  result.shifts = scheme_.power_of_two_scales;
  result.truncates = scheme_.truncation;
  if (result.shifts)
    result.shift = -std::ilogb(from / to);
  else
    result.multiplier = Multiplier::from_real(from / to);
  return result;
}

MemN2NScaled::MemN2NScaled(const MemN2NShape& shape, const MemoryScheme& scheme, const MemoryScales& scales)
    : shape_(shape),
      scheme_(scheme),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      limit_((std::int32_t{1} << (scheme.bits - 1)) - 1),
      p_limit_(scheme.shared_point ? limit_ : 2 * limit_ + 1),
      l_fraction_(scheme.shared_point ? scheme.format().fraction : scheme.bits - 2),
      p_fraction_(scheme.shared_point ? scheme.format().fraction : scheme.bits),
      weights_(matrices_.size()),
      embedded_(matrices_.size()),
      embeds_(matrices_.size()),
      hops_(shape.hops),
      sum_(shape.d) {
  if (!scheme.is_scaled()) throw_usage("this memory network computes with scales; its scheme has none");
  validate(scheme);
  for (std::size_t hop = 0; hop < shape.hops; ++hop) embeds_[roles_.A[hop]] = embeds_[roles_.C[hop]] = true;
  if (shape.encoding == SentenceEncoding::kPosition)
    for (const float weight : encoding_weights(shape)) {
      const double steps = std::ldexp(weight, l_fraction_);
      l_.push_back(
          static_cast<std::int8_t>(quantize(scheme.truncation ? std::trunc(steps) : steps, 1, 0, -limit_, limit_)));
    }
  set_scales(scales);
}

void MemN2NScaled::set_scales(const MemoryScales& scales) {
  validate(scales, shape_, scheme_);
  scales_ = scales;
  // Of an embedding's sum: a weight's step times that of l.
  const auto sum_step = [&](std::size_t place) {
    return std::ldexp(static_cast<double>(scales.weights[place]), l_.empty() ? 0 : -l_fraction_);
  };
  to_embedded_.clear();
  for (std::size_t place = 0; place < matrices_.size(); ++place)
    to_embedded_.push_back(rescale(sum_step(place), scales.embedded[place]));
  question_to_u_ = rescale(sum_step(roles_.B), scales.u[0]);
  to_s_.clear();
  o_to_u_.clear();
  u_to_next_.clear();
  softmax_.clear();
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    const double query = scheme_.one_bit_query ? scales.query[hop] : scales.u[hop];
    const double m = scales.embedded[roles_.A[hop]], c = scales.embedded[roles_.C[hop]];
    const double next = std::ldexp(static_cast<double>(scales.u[hop + 1]), -kGuardBits);
    to_s_.push_back(rescale(m * query, scales.s[hop]));
    o_to_u_.push_back(rescale(std::ldexp(c, -p_fraction_), next));
    const double u = roles_.has_H ? scales.weights[roles_.H] * query : scheme_.one_bit_state ? query : scales.u[hop];
    u_to_next_.push_back(rescale(u, next));
    softmax_.push_back(SoftmaxRule::from_scale(scales.s[hop]));
  }
}

void MemN2NScaled::set_parameters(std::span<const float> parameters) {
  for (std::size_t place = 0; place < matrices_.size(); ++place) {
    const MemoryMatrix& matrix = matrices_[place];
    const std::span<const float> values = parameters.subspan(matrix.offset, matrix.size());
    Codes& codes = weights_[place];
    codes.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) codes[i] = weight_code(values[i], scales_.weights[place], scheme_);
  }
}

void MemN2NScaled::add_row(std::size_t matrix, std::size_t row, std::size_t slot, std::int32_t* __restrict sum) const {
  const std::size_t d = shape_.d;
  const std::int8_t* __restrict codes = &weights_[matrix][row * d];
  if (l_.empty()) {
    for (std::size_t j = 0; j < d; ++j) sum[j] += codes[j];
    return;
  }
  const std::int8_t* __restrict l = &l_[slot * d];
  for (std::size_t j = 0; j < d; ++j) sum[j] += std::int32_t{codes[j]} * l[j];
}

void MemN2NScaled::add_words(std::size_t matrix, WordNumbers words, std::int32_t* sum) const {
  for (std::size_t j = 0; j < std::min(words.size(), kMostWords); ++j)
    if (words[j] != 0) add_row(matrix, static_cast<std::size_t>(words[j]), word_slot(shape_, j), sum);
}

void MemN2NScaled::add_age(std::size_t matrix, std::size_t age, std::int32_t* sum) const {
  add_row(matrix, shape_.vocabulary + age, shape_.sentence, sum);
}

std::int8_t MemN2NScaled::embedded_code(std::size_t matrix, std::int32_t sum) const {
  return limited(to_embedded_[matrix].apply(sum), limit_);
}

std::int8_t MemN2NScaled::question_code(std::int32_t sum) const { return limited(question_to_u_.apply(sum), limit_); }

std::int8_t MemN2NScaled::query_code(std::int8_t u) const { return scheme_.one_bit_query ? sign_of(u) : u; }

std::int16_t MemN2NScaled::similarity_code(std::size_t hop, std::int32_t t, std::int32_t largest) const {
  const std::int32_t most = 2 * limit_ + 1;
  return static_cast<std::int16_t>(scheme_.relative_similarity ? std::max(to_s_[hop].apply(t - largest), -most)
                                                               : std::clamp(to_s_[hop].apply(t), -limit_, limit_));
}

std::int8_t MemN2NScaled::next_code(std::size_t hop, std::int32_t o, std::int32_t u) const {
  const auto sum = saturate<std::int32_t>(std::int64_t{o_to_u_[hop].apply(o)} + u_to_next_[hop].apply(u));
  return limited(scheme_.truncation ? truncating_shift(sum, kGuardBits) : divide_by_pot(sum, kGuardBits), limit_);
}

// (S2) (S3) (S4)
void MemN2NScaled::attend(std::size_t place, std::size_t facts) {
  const std::size_t d = shape_.d;
  Hop& hop = hops_[place];
  const Codes& m = embedded_[roles_.A[place]];
  hop.query = hop.u;
  for (std::int8_t& code : hop.query) code = query_code(code);
  hop.t.resize(facts);
  hop.s.resize(facts);
  hop.p_q0_15.resize(facts);
  hop.p.resize(facts);
  const auto empty = static_cast<std::uint32_t>(shape_.empty_facts(facts));
  std::int32_t largest = empty > 0 ? 0 : INT32_MIN;
  for (std::size_t i = 0; i < facts; ++i) {
    hop.t[i] = dot(&m[i * d], hop.query.data(), d);
    largest = std::max(largest, hop.t[i]);
  }
  for (std::size_t i = 0; i < facts; ++i) hop.s[i] = similarity_code(place, hop.t[i], largest);
  const SoftmaxOthers others{.logit = empty > 0 ? similarity_code(place, 0, largest) : 0, .count = empty};
  hop.nothing_q0_15 = softmax_i16(hop.s.data(), facts, softmax_[place], hop.p_q0_15.data(), others);
  for (std::size_t i = 0; i < facts; ++i) hop.p[i] = read_weight(hop.p_q0_15[i]);
}

// (S5) (S6)
void MemN2NScaled::next_u(std::size_t place, std::size_t facts) {
  const std::size_t d = shape_.d;
  Hop& hop = hops_[place];
  const std::int8_t* c = embedded_[roles_.C[place]].data();
  hop.o.assign(d, 0);
  std::int32_t* __restrict o = hop.o.data();
  for (std::size_t i = 0; i < facts; ++i) {
    const std::int32_t p = hop.p[i];
    if (p == 0) continue;
    for (std::size_t j = 0; j < d; ++j) o[j] += p * c[i * d + j];
  }
  for (std::size_t j = 0; j < d; ++j) {
    const std::int32_t u = roles_.has_H            ? dot(&weights_[roles_.H][j * d], hop.query.data(), d)
                           : scheme_.one_bit_state ? hop.query[j]
                                                   : hop.u[j];
    u_[j] = next_code(place, o[j], u);
  }
}

void MemN2NScaled::run(const MemoryQuestion& question) {
  const std::size_t d = shape_.d, facts = question.facts.size();
  u_.resize(d);
  std::ranges::fill(sum_, 0);
  add_words(roles_.B, question.words, sum_.data());
  for (std::size_t j = 0; j < d; ++j) u_[j] = question_code(sum_[j]);
  for (std::size_t place = 0; place < matrices_.size(); ++place) {
    if (!embeds_[place]) continue;
    embedded_[place].resize(facts * d);
    for (std::size_t i = 0; i < facts; ++i) {  // (S1)
      std::ranges::fill(sum_, 0);
      add_words(place, question.facts[i], sum_.data());
      if (shape_.temporal) add_age(place, question.age(i), sum_.data());
      for (std::size_t j = 0; j < d; ++j) embedded_[place][i * d + j] = embedded_code(place, sum_[j]);
    }
  }
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    hops_[hop].u = u_;
    attend(hop, facts);
    next_u(hop, facts);
  }
}

double MemN2NScaled::p_step() const { return std::ldexp(1.0, -p_fraction_); }

double MemN2NScaled::score_step() const {
  return static_cast<double>(scales_.weights[roles_.W]) * scales_.u[shape_.hops];
}

std::span<const std::int32_t> MemN2NScaled::scores() {
  scores_.resize(shape_.vocabulary);
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    scores_[word] = dot(&weights_[roles_.W][word * shape_.d], u_.data(), shape_.d);
  return scores_;
}

std::size_t MemN2NScaled::answer_word(const MemoryQuestion& question) {
  run(question);
  const std::span<const std::int32_t> all = scores();
  return static_cast<std::size_t>(std::max_element(all.begin() + 1, all.end()) - all.begin());
}

std::vector<float> MemN2NScaled::attention(std::size_t place) const {
  std::vector<float> p;
  for (const std::int16_t code : hops_[place].p_q0_15) p.push_back(static_cast<float>(code) * 0x1p-15f);
  return p;
}

MemoryAnswer MemN2NScaled::answer(const MemoryQuestion& question) {
  run(question);
  MemoryAnswer answer;
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    answer.attention.push_back(attention(hop));
    answer.nothing.push_back(static_cast<float>(hops_[hop].nothing_q0_15) * 0x1p-15f);
  }
  const double step = score_step();
  for (const std::int32_t score : scores()) answer.scores.push_back(static_cast<float>(score * step));
  return answer;
}

}  // namespace quaver
