#include "quaver/quantize/memory.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "quaver/cells/memn2n/ref.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

using Floats = std::vector<float>;

std::int32_t code_limit(const MemoryScheme& scheme) { return (std::int32_t{1} << (scheme.bits - 1)) - 1; }

// The nearest power of two, in ratio, where the scheme wants one.
float allowed(double scale, const MemoryScheme& scheme) {
  return static_cast<float>(scheme.power_of_two_scales ? std::exp2(std::round(std::log2(scale))) : scale);
}

// `limit` codes for max_abs. A tensor that holds zeros alone has scale 1. A power of two is rounded up: nothing that
// was seen is cut off.
float scale_of(double max_abs, std::int32_t limit, const MemoryScheme& scheme) {
  constexpr double kLeast = 0x1p-40, kMost = 0x1p19;  // MemoryScales allows twice that
  if (max_abs == 0) return 1;
  const double scale = std::max(max_abs / limit, kLeast);
  if (!(scale <= kMost))
    throw_bad_input(concat("calibration of a memory network: a value reaches ", max_abs,
                           ", beyond what its integers can scale; the float network has diverged"));
  return static_cast<float>(scheme.power_of_two_scales ? std::exp2(std::ceil(std::log2(scale))) : scale);
}

double mean_abs(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += std::abs(static_cast<double>(value));
  return sum / static_cast<double>(std::max<std::size_t>(values.size(), 1));
}

// Answers all questions hop by hop, so that a scale which the next hop depends on (query) is known when it comes.
class Calibrator {
 public:
  Calibrator(const MemN2NShape& shape, const MemoryScheme& scheme, std::span<const MemoryQuestion> questions,
             const MemoryCalibrateOptions& options)
      : shape_(shape),
        scheme_(scheme),
        options_(options),
        roles_(shape),
        matrices_(memory_matrices(shape)),
        l_(encoding_weights(shape)),
        limit_(code_limit(scheme)) {
    for (const MemoryQuestion& question : questions)
      if (!question.facts.empty()) questions_.push_back(question);
    if (questions_.empty())
      throw_bad_input("calibration of a memory network has no data: expected at least one question with a fact");
  }

  MemoryScales run(std::span<const float> parameters) {
    MemoryScales scales;
    for (const MemoryMatrix& matrix : matrices_) {
      const std::span<const float> values = parameters.subspan(matrix.offset, matrix.size());
      const double max_abs = std::abs(*std::ranges::max_element(values, {}, [](float x) { return std::abs(x); }));
      scales.weights.push_back(scheme_.one_bit_weights && max_abs > 0 ? allowed(mean_of_rows(values, matrix), scheme_)
                                                                      : scale_of(max_abs, limit_, scheme_));
    }
    parameters_ = coded_parameters(shape_, scheme_, scales, parameters);

    std::vector<Floats> u;
    for (const MemoryQuestion& question : questions_) u.push_back(embedded(roles_.B, question.words));
    std::vector<RangeStatistics> embedded_seen(matrices_.size());
    scales.u.push_back(scale_of(u));
    for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
      Floats all;
      for (const Floats& one : u) all.insert(all.end(), one.begin(), one.end());
      const double query = mean_abs(all);
      scales.query.push_back(scheme_.one_bit_query && query > 0 ? allowed(query, scheme_) : 1.0f);
      RangeStatistics similarities;
      for (std::size_t i = 0; i < u.size(); ++i)
        u[i] = next_u(questions_[i], hop, u[i], scales.query.back(), embedded_seen, similarities);
      scales.s.push_back(similarity_scale(similarities));
      scales.u.push_back(scale_of(u));
    }
    for (const RangeStatistics& seen : embedded_seen)
      scales.embedded.push_back(seen.count == 0 ? 1.0f : scale_of(threshold(seen), limit_, scheme_));
    return scales;
  }

 private:
  // Row 0 is no word and would pull the mean down.
  double mean_of_rows(std::span<const float> values, const MemoryMatrix& matrix) const {
    const bool words = !roles_.has_H || &matrix != &matrices_[roles_.H];
    return mean_abs(values.subspan(words ? matrix.cols : 0));
  }

  double threshold(const RangeStatistics& seen) const {
    if (!std::isfinite(seen.min) || !std::isfinite(seen.max))
      throw_bad_input("calibration of a memory network: a value became infinite; its weights are too large");
    return choose_max_abs(seen, options_.method, options_.percentile, scheme_.bits);
  }

  float scale_of(const std::vector<Floats>& values) const {
    RangeStatistics seen;
    for (const Floats& one : values) seen.add(one, 0);
    return quaver::scale_of(threshold(seen), limit_, scheme_);
  }
  float scale_of(double max_abs, std::int32_t limit, const MemoryScheme& scheme) const {
    return quaver::scale_of(max_abs, limit, scheme);
  }

  // Relative: 16 nats below the best one are nothing, so all codes share them whatever was seen.
  float similarity_scale(const RangeStatistics& seen) const {
    constexpr float kLargest = 8;  // below SoftmaxRule's 16; a power of two
    if (scheme_.relative_similarity) return std::ldexp(16.0f, -scheme_.bits);
    return std::min(scale_of(threshold(seen), limit_, scheme_), kLargest);
  }

  Floats embedded(std::size_t place, WordNumbers words) const {
    Floats sum(shape_.d);
    for (std::size_t j = 0; j < words.size(); ++j)
      if (words[j] != 0) add_row(place, static_cast<std::size_t>(words[j]), word_slot(shape_, j), sum);
    return sum;
  }
  void add_row(std::size_t place, std::size_t row, std::size_t slot, Floats& sum) const {
    const float* values = &parameters_[matrices_[place].offset + row * shape_.d];
    for (std::size_t k = 0; k < shape_.d; ++k) sum[k] += l_[slot * shape_.d + k] * values[k];
  }
  Floats embedded_fact(const MemoryQuestion& question, std::size_t place, std::size_t fact) const {
    Floats sum = embedded(place, question.facts[fact]);
    if (shape_.temporal) add_row(place, shape_.vocabulary + question.age(fact), shape_.sentence, sum);
    return sum;
  }

  Floats next_u(const MemoryQuestion& question, std::size_t hop, const Floats& u, float query_scale,
                std::vector<RangeStatistics>& embedded_seen, RangeStatistics& similarities) const {
    const std::size_t d = shape_.d, facts = question.facts.size();
    Floats query = u;
    if (scheme_.one_bit_query)
      for (float& value : query) value = value >= 0 ? query_scale : -query_scale;
    Floats s(facts), next(d);
    for (std::size_t i = 0; i < facts; ++i) {
      const Floats m = embedded_fact(question, roles_.A[hop], i);
      embedded_seen[roles_.A[hop]].add(m, hop);
      for (std::size_t j = 0; j < d; ++j) s[i] += query[j] * m[j];
    }
    similarities.add(s, hop);
    memory_softmax(s, shape_.empty_facts(facts));
    for (std::size_t j = 0; j < d; ++j) {
      if (!roles_.has_H) {
        next[j] = scheme_.one_bit_state ? query[j] : u[j];
        continue;
      }
      const float* row = &parameters_[matrices_[roles_.H].offset + j * d];
      for (std::size_t k = 0; k < d; ++k) next[j] += row[k] * query[k];
    }
    for (std::size_t i = 0; i < facts; ++i) {
      const Floats c = embedded_fact(question, roles_.C[hop], i);
      embedded_seen[roles_.C[hop]].add(c, hop);
      for (std::size_t j = 0; j < d; ++j) next[j] += s[i] * c[j];
    }
    return next;
  }

  MemN2NShape shape_;
  MemoryScheme scheme_;
  MemoryCalibrateOptions options_;
  MemoryRoles roles_;
  std::vector<MemoryMatrix> matrices_;
  Floats l_;
  std::int32_t limit_;
  std::vector<MemoryQuestion> questions_;
  Floats parameters_;
};

}  // namespace

MemoryScales calibrate_memory(const MemN2NShape& shape, const MemoryScheme& scheme, std::span<const float> parameters,
                              std::span<const MemoryQuestion> questions, const MemoryCalibrateOptions& options) {
  validate(scheme);
  if (!scheme.is_scaled()) throw_usage("only scaled schemes of memory networks are calibrated");
  if (scheme.shared_point) {
    const auto step = static_cast<float>(scheme.format().step());
    const std::size_t matrices = memory_matrices(shape).size();
    return {.weights = std::vector<float>(matrices, step),
            .embedded = std::vector<float>(matrices, step),
            .s = std::vector<float>(shape.hops, step),
            .u = std::vector<float>(shape.hops + 1, step),
            .query = std::vector<float>(shape.hops, 1)};
  }
  return Calibrator(shape, scheme, questions, options).run(parameters);
}

MemoryNetwork quantize_memory(const MemoryNetwork& network, const MemoryScheme& scheme,
                              std::span<const MemoryQuestion> questions, const MemoryCalibrateOptions& options) {
  validate(network);
  validate(scheme);
  if (!network.scheme.is_float())
    throw_bad_input(concat("memory network '", printable(network.name), "' has the scheme ",
                           memory_scheme_text(network.scheme), "; quantize the float network"));
  MemoryNetwork result = network;
  result.scheme = scheme;
  if (!scheme.is_scaled()) return result;
  result.scales = calibrate_memory(network.shape, scheme, network.parameters, questions, options);
  result.parameters = coded_parameters(network.shape, scheme, result.scales, network.parameters);
  return result;
}

}  // namespace quaver
