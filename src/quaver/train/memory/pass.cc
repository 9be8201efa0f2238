#include "quaver/train/memory/pass.h"

#include <algorithm>
#include <array>
#include <cmath>

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

void softmax(std::span<float> values) {
  if (values.empty()) return;
  const float largest = *std::ranges::max_element(values);
  float sum = 0;
  for (float& value : values) sum += value = std::exp(value - largest);
  const float inverse = 1 / sum;
  for (float& value : values) value *= inverse;
}

}  // namespace

MemoryPass::MemoryPass(const MemN2NShape& shape)
    : shape_(shape),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      embedded_(matrices_.size()),
      p_(shape.hops),
      u_(shape.hops + 1, Floats(shape.d)),
      probabilities_(shape.vocabulary),
      d_embedded_(matrices_.size()) {
  if (shape.encoding == SentenceEncoding::kPosition) l_ = encoding_weights(shape);
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

void MemoryPass::embed_facts(std::span<const float> parameters, const MemoryQuestion& question, std::size_t place) {
  const std::size_t d = shape_.d;
  const float* matrix = parameters.data() + matrices_[place].offset;
  Floats& embedded = embedded_[place];
  embedded.assign(question.facts.size() * d, 0.0f);
  for (std::size_t i = 0; i < question.facts.size(); ++i)
    for_each_fact_row(question, i,
                      [&](std::size_t row, const float* l) { add_weighted(l, matrix + row * d, &embedded[i * d], d); });
}

MemoryPass::Outcome MemoryPass::forward(std::span<const float> parameters, const MemoryQuestion& question,
                                        std::int32_t answer, bool linear) {
  const std::size_t d = shape_.d, facts = question.facts.size();
  answer_ = answer;
  linear_ = linear;
  // Adjacent: all matrices embed facts; layer-wise: A and C, the first two.
  const std::size_t embedding = roles_.has_H ? 2 : matrices_.size();
  for (std::size_t place = 0; place < embedding; ++place) embed_facts(parameters, question, place);

  std::ranges::fill(u_[0], 0.0f);
  const float* B = parameters.data() + matrices_[roles_.B].offset;
  for_each_row(question.words, [&](std::size_t row, const float* l) { add_weighted(l, B + row * d, u_[0].data(), d); });
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    const Floats& m = embedded_[roles_.A[hop]];
    const Floats& c = embedded_[roles_.C[hop]];
    Floats& p = p_[hop];
    p.resize(facts);
    for (std::size_t i = 0; i < facts; ++i) p[i] = dot(u_[hop].data(), &m[i * d], d);
    if (!linear) softmax(p);
    Floats& next = u_[hop + 1];
    if (roles_.has_H) {
      const float* H = parameters.data() + matrices_[roles_.H].offset;
      for (std::size_t j = 0; j < d; ++j) next[j] = dot(H + j * d, u_[hop].data(), d);
    } else {
      next = u_[hop];
    }
    for (std::size_t i = 0; i < facts; ++i) add_scaled(p[i], &c[i * d], next.data(), d);
  }

  const float* W = parameters.data() + matrices_[roles_.W].offset;
  probabilities_[0] = 0;  // number 0 is no answer
  for (std::size_t word = 1; word < shape_.vocabulary; ++word)
    probabilities_[word] = dot(W + word * d, u_.back().data(), d);
  const std::span<float> words = std::span(probabilities_).subspan(1);
  Outcome outcome;
  outcome.word = static_cast<std::size_t>(std::ranges::max_element(words) - words.begin()) + 1;
  softmax(words);
  outcome.probability = answer == 0 ? 0.0 : static_cast<double>(probabilities_[static_cast<std::size_t>(answer)]);
  outcome.loss = outcome.probability > 0 ? std::min(kImpossible, -std::log(outcome.probability)) : kImpossible;
  return outcome;
}

void MemoryPass::backward(std::span<const float> parameters, const MemoryQuestion& question,
                          std::span<float> gradient) {
  if (answer_ == 0) return;
  const std::size_t d = shape_.d, facts = question.facts.size();
  const auto gradient_of = [&](std::size_t place) { return gradient.data() + matrices_[place].offset; };
  const auto matrix = [&](std::size_t place) { return parameters.data() + matrices_[place].offset; };
  for (std::size_t place = 0; place < matrices_.size(); ++place)
    d_embedded_[place].assign(embedded_[place].size(), 0.0f);

  // (N6) and the softmax of the answer: its gradient is probabilities - one hot.
  d_u_.assign(d, 0.0f);
  for (std::size_t word = 1; word < shape_.vocabulary; ++word) {
    const float error = probabilities_[word] - (word == static_cast<std::size_t>(answer_) ? 1.0f : 0.0f);
    add_scaled(error, matrix(roles_.W) + word * d, d_u_.data(), d);
    add_scaled(error, u_.back().data(), gradient_of(roles_.W) + word * d, d);
  }
  for (std::size_t hop = shape_.hops; hop-- > 0;) {
    const Floats& m = embedded_[roles_.A[hop]];
    const Floats& c = embedded_[roles_.C[hop]];
    const Floats& u = u_[hop];
    const Floats& p = p_[hop];
    Floats& d_m = d_embedded_[roles_.A[hop]];
    Floats& d_c = d_embedded_[roles_.C[hop]];
    d_o_ = d_u_;
    if (roles_.has_H) {  // (N5)
      std::ranges::fill(d_u_, 0.0f);
      for (std::size_t j = 0; j < d; ++j) {
        add_scaled(d_o_[j], matrix(roles_.H) + j * d, d_u_.data(), d);
        add_scaled(d_o_[j], u.data(), gradient_of(roles_.H) + j * d, d);
      }
    }
    d_p_.resize(facts);
    float mean = 0;
    for (std::size_t i = 0; i < facts; ++i) {  // (N4)
      d_p_[i] = dot(&c[i * d], d_o_.data(), d);
      mean += p[i] * d_p_[i];
      add_scaled(p[i], d_o_.data(), &d_c[i * d], d);
    }
    for (std::size_t i = 0; i < facts; ++i) {  // (N3) (N2)
      const float d_s = linear_ ? d_p_[i] : p[i] * (d_p_[i] - mean);
      add_scaled(d_s, u.data(), &d_m[i * d], d);
      add_scaled(d_s, &m[i * d], d_u_.data(), d);
    }
  }
  for_each_row(question.words, [&](std::size_t row, const float* l) {
    add_weighted(l, d_u_.data(), gradient_of(roles_.B) + row * d, d);
  });
  for (std::size_t place = 0; place < matrices_.size(); ++place) {
    if (embedded_[place].empty()) continue;
    for (std::size_t i = 0; i < facts; ++i)
      for_each_fact_row(question, i, [&](std::size_t row, const float* l) {
        add_weighted(l, &d_embedded_[place][i * d], gradient_of(place) + row * d, d);
      });
  }
}

}  // namespace quaver
