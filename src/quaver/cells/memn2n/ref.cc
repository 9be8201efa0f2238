#include "quaver/cells/memn2n/ref.h"

#include <cmath>

#include "quaver/core/check.h"

namespace quaver {
namespace {

float dot(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

float memory_softmax(std::span<float> values, std::size_t empty) {
  if (values.empty()) return empty > 0 ? 1.0f : 0.0f;
  float largest = *std::ranges::max_element(values);
  if (empty > 0) largest = std::max(largest, 0.0f);
  const float nothing = empty > 0 ? static_cast<float>(empty) * std::exp(-largest) : 0.0f;
  float sum = nothing;
  for (float& value : values) sum += value = std::exp(value - largest);
  for (float& value : values) value /= sum;
  return nothing / sum;
}

std::size_t best_word(std::span<const float> scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin() + 1, scores.end()) - scores.begin());
}

MemN2NRef::MemN2NRef(const MemN2NShape& shape, std::span<const float> parameters)
    : shape_(shape),
      roles_(shape),
      matrices_(memory_matrices(shape)),
      parameters_(parameters),
      l_(encoding_weights(shape)) {
  QUAVER_DCHECK(parameters.size() == parameter_count(shape));
}

MatrixView<const float> MemN2NRef::matrix(std::size_t place) const {
  const MemoryMatrix& where = matrices_[place];
  return {parameters_.data() + where.offset, where.rows, where.cols};
}

std::vector<float> MemN2NRef::embedded(std::size_t place, WordNumbers words) const {
  std::vector<float> sum(shape_.d);
  for (std::size_t j = 0; j < words.size(); ++j) {
    const std::span<const float> row = matrix(place).row(static_cast<std::size_t>(words[j]));
    const float* l = &l_[word_slot(shape_, j) * shape_.d];
    for (std::size_t k = 0; k < shape_.d; ++k) sum[k] += l[k] * row[k];
  }
  return sum;
}

std::vector<float> MemN2NRef::embedded_facts(std::size_t place, const MemoryQuestion& question) const {
  std::vector<float> facts;
  for (std::size_t i = 0; i < question.facts.size(); ++i) {
    std::vector<float> sum = embedded(place, question.facts[i]);
    if (shape_.temporal) {
      const std::span<const float> row = matrix(place).row(shape_.vocabulary + question.age(i));
      const float* l = &l_[shape_.sentence * shape_.d];
      for (std::size_t k = 0; k < shape_.d; ++k) sum[k] += l[k] * row[k];
    }
    facts.insert(facts.end(), sum.begin(), sum.end());
  }
  return facts;
}

MemoryTrace MemN2NRef::trace(const MemoryQuestion& question, bool linear) const {
  const std::size_t facts = question.facts.size(), d = shape_.d;
  const auto row = [&](const std::vector<float>& values, std::size_t i) { return std::span(values).subspan(i * d, d); };
  MemoryTrace trace;
  trace.u = embedded(roles_.B, question.words);  // (N1)
  for (std::size_t place = 0; place < shape_.hops; ++place) {
    MemoryTrace::Hop hop;
    hop.u = trace.u;
    hop.m = embedded_facts(roles_.A[place], question);
    hop.c = embedded_facts(roles_.C[place], question);
    for (std::size_t i = 0; i < facts; ++i) hop.s.push_back(dot(hop.u, row(hop.m, i)));  // (N2)
    hop.p = hop.s;
    if (!linear) hop.nothing = memory_softmax(hop.p, shape_.empty_facts(facts));  // (N3)
    hop.o.resize(d);
    for (std::size_t i = 0; i < facts; ++i)
      for (std::size_t j = 0; j < d; ++j) hop.o[j] += hop.p[i] * row(hop.c, i)[j];  // (N4)
    for (std::size_t j = 0; j < d; ++j)
      trace.u[j] = (roles_.has_H ? dot(matrix(roles_.H).row(j), hop.u) : hop.u[j]) + hop.o[j];  // (N5)
    trace.hops.push_back(std::move(hop));
  }
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    trace.scores.push_back(dot(matrix(roles_.W).row(word), trace.u));  // (N6)
  return trace;
}

MemoryAnswer MemN2NRef::answer(const MemoryQuestion& question, bool linear) const {
  MemoryTrace trace = this->trace(question, linear);
  MemoryAnswer answer{.scores = std::move(trace.scores)};
  for (MemoryTrace::Hop& hop : trace.hops) {
    answer.attention.push_back(std::move(hop.p));
    answer.nothing.push_back(hop.nothing);
  }
  return answer;
}

}  // namespace quaver
