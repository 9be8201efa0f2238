#include "quaver/train/memory/pass.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quaver/cells/memn2n/ref.h"

namespace quaver {
namespace {

constexpr double kImpossible = 100;  // nats: the loss of an answer that no word can give

// Four sums side by side: without them a chain of additions, one every four cycles. The order is fixed, so are the
// bits.
float dot(const float* a, const float* b, std::size_t size) {
  std::array<float, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= size; i += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  float sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

// y += factor x
void add_scaled(float factor, const float* __restrict x, float* __restrict y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) y[i] += factor * x[i];
}

// y += l x, element by element; l null: 1
void add_weighted(const float* __restrict l, const float* __restrict x, float* __restrict y, std::size_t size) {
  if (l == nullptr)
    for (std::size_t i = 0; i < size; ++i) y[i] += x[i];
  else
    for (std::size_t i = 0; i < size; ++i) y[i] += l[i] * x[i];
}

}  // namespace

MemoryPass::MemoryPass(const MemN2NShape& shape, const MemoryScheme& scheme, const GradientRules& rules)
    : shape_(shape),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      rules_(rules),
      p_(shape.hops),
      u_(shape.hops + 1, Floats(shape.d)),
      probabilities_(shape.vocabulary),
      d_embedded_(matrices_.size()) {
  if (shape.encoding == SentenceEncoding::kPosition) l_ = encoding_weights(shape);
  if (scheme.fixed) fixed_.emplace(shape, scheme);
  embedded_.resize(fixed_ ? 2 * shape.hops : matrices_.size());
  for (std::size_t hop = 0; hop < shape.hops; ++hop) {
    m_.push_back(&embedded_[fixed_ ? 2 * hop : roles_.A[hop]]);
    c_.push_back(&embedded_[fixed_ ? 2 * hop + 1 : roles_.C[hop]]);
  }
}

void MemoryPass::set_parameters(std::span<const float> parameters) {
  parameters_ = parameters;
  if (fixed_) fixed_->set_parameters(parameters);
}

// Visits (row of the matrix, encoding weights or null) of every word; row 0 is no word.
template <typename Visit>
void MemoryPass::for_each_row(WordNumbers words, const Visit& visit) const {
  for (std::size_t j = 0; j < words.size(); ++j)
    if (words[j] != 0)
      visit(static_cast<std::size_t>(words[j]), l_.empty() ? nullptr : &l_[word_slot(shape_, j) * shape_.d]);
}

template <typename Visit>
void MemoryPass::for_each_fact_row(const MemoryQuestion& question, std::size_t fact, const Visit& visit) const {
  for_each_row(question.facts[fact], visit);
  if (shape_.temporal)
    visit(shape_.vocabulary + question.age(fact), l_.empty() ? nullptr : &l_[shape_.sentence * shape_.d]);
}

void MemoryPass::embed_facts(const MemoryQuestion& question, std::size_t place) {
  const std::size_t d = shape_.d;
  const float* matrix = parameters_.data() + matrices_[place].offset;
  Floats& embedded = embedded_[place];
  embedded.assign(question.facts.size() * d, 0.0f);
  for (std::size_t i = 0; i < question.facts.size(); ++i)
    for_each_fact_row(question, i,
                      [&](std::size_t row, const float* l) { add_weighted(l, matrix + row * d, &embedded[i * d], d); });
}

void MemoryPass::run_hops(const MemoryQuestion& question, bool linear) {
  const std::size_t d = shape_.d, facts = question.facts.size();
  // Adjacent: all matrices embed facts; layer-wise: A and C, the first two.
  const std::size_t embedding = roles_.has_H ? 2 : matrices_.size();
  for (std::size_t place = 0; place < embedding; ++place) embed_facts(question, place);
  std::ranges::fill(u_[0], 0.0f);
  const float* B = parameters_.data() + matrices_[roles_.B].offset;
  for_each_row(question.words, [&](std::size_t row, const float* l) { add_weighted(l, B + row * d, u_[0].data(), d); });
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    const Floats &m = *m_[hop], &c = *c_[hop];
    Floats& p = p_[hop];
    p.resize(facts);
    for (std::size_t i = 0; i < facts; ++i) p[i] = dot(u_[hop].data(), &m[i * d], d);
    if (!linear) memory_softmax(p);
    Floats& next = u_[hop + 1];
    if (roles_.has_H) {
      const float* H = parameters_.data() + matrices_[roles_.H].offset;
      for (std::size_t j = 0; j < d; ++j) next[j] = dot(H + j * d, u_[hop].data(), d);
    } else {
      next = u_[hop];
    }
    for (std::size_t i = 0; i < facts; ++i) add_scaled(p[i], &c[i * d], next.data(), d);
  }
}

void MemoryPass::run_fixed_hops(const MemoryQuestion& question, bool linear) {
  fixed_->run(question, linear);
  const auto decode = [](const MemN2NFixed::Codes& codes, SignMagnitudeFormat format, Floats& reals) {
    const auto step = static_cast<float>(format.step());
    reals.resize(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) reals[i] = static_cast<float>(codes[i]) * step;
  };
  for (std::size_t place = 0; place < shape_.hops; ++place) {
    const MemN2NFixed::Hop& hop = fixed_->hop(place);
    const SignMagnitudeFormat format = fixed_->scheme().hop_format(place, shape_.hops);
    decode(hop.m, format, embedded_[2 * place]);
    decode(hop.c, format, embedded_[2 * place + 1]);
    decode(hop.u, hop.u_format, u_[place]);
    p_[place] = fixed_->attention(place);
  }
  const auto step = static_cast<float>(fixed_->scheme().format().step());
  for (std::size_t j = 0; j < shape_.d; ++j) u_.back()[j] = static_cast<float>(fixed_->output()[j]) * step;
}

MemoryPass::Outcome MemoryPass::forward(const MemoryQuestion& question, std::int32_t answer, bool linear) {
  const std::size_t d = shape_.d;
  answer_ = answer;
  linear_ = linear;
  if (fixed_)
    run_fixed_hops(question, linear);
  else
    run_hops(question, linear);

  probabilities_[0] = 0;  // number 0 is no answer
  if (fixed_ && fixed_->scheme().integer_only) {
    const double step = fixed_->scheme().format().step();
    const std::span<const std::int64_t> scores = fixed_->scores();
    for (std::size_t word = 1; word < shape_.vocabulary; ++word)
      probabilities_[word] = static_cast<float>(static_cast<double>(scores[word]) * step * step);
  } else {
    const float* W = parameters_.data() + matrices_[roles_.W].offset;
    for (std::size_t word = 1; word < shape_.vocabulary; ++word)
      probabilities_[word] = dot(W + word * d, u_.back().data(), d);
  }
  const std::span<float> words = std::span(probabilities_).subspan(1);
  Outcome outcome;
  outcome.word = static_cast<std::size_t>(std::ranges::max_element(words) - words.begin()) + 1;
  memory_softmax(words);
  outcome.probability = answer == 0 ? 0.0 : static_cast<double>(probabilities_[static_cast<std::size_t>(answer)]);
  outcome.loss = outcome.probability > 0 ? std::min(kImpossible, -std::log(outcome.probability)) : kImpossible;
  return outcome;
}

void MemoryPass::read_backward(std::size_t place, std::size_t facts, float* d_c) {
  const std::size_t d = shape_.d;
  const Floats &c = *c_[place], &p = p_[place];
  d_p_.resize(facts);
  if (!fixed_ || !rules_.coded_read) {
    for (std::size_t i = 0; i < facts; ++i) {
      d_p_[i] = dot(&c[i * d], d_o_.data(), d);
      add_scaled(p[i], d_o_.data(), d_c + i * d, d);
    }
    return;
  }
  const MemoryScheme& scheme = fixed_->scheme();
  const MemN2NFixed::Hop& hop = fixed_->hop(place);
  const SignMagnitudeFormat base = scheme.format(), format = scheme.hop_format(place, shape_.hops);
  const SignMagnitudeFormat end{1, std::max(0, scheme.bits - 2)};
  const std::int32_t limit = base.limit();
  const auto end_step = static_cast<float>(end.step());
  const auto real_of = [&](std::int32_t code) { return static_cast<float>(reformatted(code, base, end)) * end_step; };
  coded_.resize(d);
  for (std::size_t j = 0; j < d; ++j) coded_[j] = static_cast<std::int16_t>(sign_magnitude_code(d_o_[j], base));
  for (std::size_t i = 0; i < facts; ++i) {
    const std::int32_t p_code = hop.p_codes[i];
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const std::int32_t c_code = reformatted(hop.c[i * d + j], format, base);
      sum += truncated_product(c_code, coded_[j], base.fraction, limit);
      d_c[i * d + j] += real_of(truncated_product(p_code, coded_[j], base.fraction, limit));
    }
    d_p_[i] = real_of(std::clamp(sum, -4 * limit, 4 * limit));  // beyond, the end is reached: no shift overflows
  }
}

void MemoryPass::similarity_backward(std::size_t place, std::size_t fact, float d_s, float* d_m) {
  const std::size_t d = shape_.d;
  if (!fixed_ || fixed_->scheme().similarity == MemorySimilarity::kDot) {
    add_scaled(d_s, u_[place].data(), d_m, d);
    add_scaled(d_s, &(*m_[place])[fact * d], d_u_.data(), d);
    return;
  }
  const MemoryScheme& scheme = fixed_->scheme();
  const MemN2NFixed::Hop& hop = fixed_->hop(place);
  const SignMagnitudeFormat format = scheme.format();
  const int fine = scheme.fine_fraction();
  const float factor = std::ldexp(d_s, -kHammingShift);
  const std::int16_t* __restrict m = &hop.m_fine[fact * d];
  const std::int16_t* __restrict u = hop.u_fine.data();
  float* __restrict d_u = d_u_.data();
  for (std::size_t j = 0; j < d; ++j) {
    const HammingSlope slope = hamming_slope(m[j], u[j], format, fine, rules_.released_slope);
    d_m[j] += factor * static_cast<float>(slope.memory);
    d_u[j] += factor * static_cast<float>(slope.query);
  }
}

void MemoryPass::backward(const MemoryQuestion& question, std::span<float> gradient) {
  if (answer_ == 0) return;
  const std::size_t d = shape_.d, facts = question.facts.size();
  const auto gradient_of = [&](std::size_t place) { return gradient.data() + matrices_[place].offset; };
  const auto matrix = [&](std::size_t place) { return parameters_.data() + matrices_[place].offset; };
  // Only matrices that embed facts collect their gradients a fact.
  const std::size_t embedding = roles_.has_H ? 2 : matrices_.size();
  for (std::size_t place = 0; place < embedding; ++place) d_embedded_[place].assign(facts * d, 0.0f);

  // (N6) and the softmax of the answer: its gradient is probabilities - one hot.
  d_u_.assign(d, 0.0f);
  for (std::size_t word = 1; word < shape_.vocabulary; ++word) {
    const float error = probabilities_[word] - (word == static_cast<std::size_t>(answer_) ? 1.0f : 0.0f);
    add_scaled(error, matrix(roles_.W) + word * d, d_u_.data(), d);
    add_scaled(error, u_.back().data(), gradient_of(roles_.W) + word * d, d);
  }
  for (std::size_t hop = shape_.hops; hop-- > 0;) {
    const Floats& p = p_[hop];
    Floats& d_m = d_embedded_[roles_.A[hop]];
    d_o_ = d_u_;
    if (roles_.has_H) {  // (N5)
      std::ranges::fill(d_u_, 0.0f);
      for (std::size_t j = 0; j < d; ++j) {
        add_scaled(d_o_[j], matrix(roles_.H) + j * d, d_u_.data(), d);
        add_scaled(d_o_[j], u_[hop].data(), gradient_of(roles_.H) + j * d, d);
      }
    }
    read_backward(hop, facts, d_embedded_[roles_.C[hop]].data());  // (N4)
    float mean = 0;
    for (std::size_t i = 0; i < facts; ++i) mean += p[i] * d_p_[i];
    for (std::size_t i = 0; i < facts; ++i)  // (N3) (N2)
      similarity_backward(hop, i, linear_ ? d_p_[i] : p[i] * (d_p_[i] - mean), &d_m[i * d]);
  }
  for_each_row(question.words, [&](std::size_t row, const float* l) {
    add_weighted(l, d_u_.data(), gradient_of(roles_.B) + row * d, d);
  });
  for (std::size_t place = 0; place < embedding; ++place)
    for (std::size_t i = 0; i < facts; ++i)
      for_each_fact_row(question, i, [&](std::size_t row, const float* l) {
        add_weighted(l, &d_embedded_[place][i * d], gradient_of(place) + row * d, d);
      });
}

}  // namespace quaver
