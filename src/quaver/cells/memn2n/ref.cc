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

void memory_softmax(std::span<float> values) {
  if (values.empty()) return;
  const float largest = *std::ranges::max_element(values);
  float sum = 0;
  for (float& value : values) sum += value = std::exp(value - largest);
  for (float& value : values) value /= sum;
}

std::size_t MemoryAnswer::best() const {
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

MemoryAnswer MemN2NRef::answer(const MemoryQuestion& question, bool linear) const {
  const auto embedded_fact = [&](std::size_t place, std::size_t fact) {
    std::vector<float> sum = embedded(place, question.facts[fact]);
    if (!shape_.temporal) return sum;
    const std::span<const float> row = matrix(place).row(shape_.vocabulary + question.age(fact));
    const float* l = &l_[shape_.sentence * shape_.d];
    for (std::size_t k = 0; k < shape_.d; ++k) sum[k] += l[k] * row[k];
    return sum;
  };
  MemoryAnswer answer;
  std::vector<float> u = embedded(roles_.B, question.words);  // (N1)
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    std::vector<float> p(question.facts.size()), next(shape_.d);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = dot(u, embedded_fact(roles_.A[hop], i));  // (N2)
    if (!linear) memory_softmax(p);                                                             // (N3)
    for (std::size_t j = 0; j < shape_.d; ++j) next[j] = roles_.has_H ? dot(matrix(roles_.H).row(j), u) : u[j];
    for (std::size_t i = 0; i < p.size(); ++i) {
      const std::vector<float> c = embedded_fact(roles_.C[hop], i);
      for (std::size_t j = 0; j < shape_.d; ++j) next[j] += p[i] * c[j];  // (N4) (N5)
    }
    u = next;
    answer.attention.push_back(p);
  }
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    answer.scores.push_back(dot(matrix(roles_.W).row(word), u));  // (N6)
  return answer;
}

}  // namespace quaver
