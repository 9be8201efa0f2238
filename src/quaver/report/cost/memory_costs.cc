#include "quaver/report/cost/memory_costs.h"

#include <algorithm>
#include <set>
#include <utility>

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

constexpr std::uint64_t kBitsAByte = 8;

std::uint64_t width_bytes(OperandWidth width) {
  switch (width) {
    case kBit:
    case kI8: return 1;
    case kI16: return 2;
    case kI32:
    case kF32: return 4;
  }
  return 0;
}

std::set<std::size_t> embedding_matrices(const MemoryRoles& roles) {
  std::set<std::size_t> matrices(roles.A.begin(), roles.A.end());
  matrices.insert(roles.C.begin(), roles.C.end());
  return matrices;
}

// Beside empty facts a softmax has one more similarity, 0, whose exponential is taken times their number. Counted for
// every question, also one that has facts enough.
void add_empty_facts(const MemN2NShape& shape, const QuestionSizes& sizes, bool in_float, OperationCounts& counts) {
  const std::uint64_t softmaxes = shape.slots > 0 ? shape.hops * sizes.questions : 0;
  counts.add(kCompare, in_float ? kF32 : kI16, softmaxes);
  counts.add(kAdd, in_float ? kF32 : kI16, softmaxes);
  counts.add(kMultiply, in_float ? kF32 : kI32, softmaxes);
  counts.add(kAdd, in_float ? kF32 : kI32, softmaxes);
  if (in_float) counts.f32_curve += softmaxes;
}

// In float and in Q-MANN's fixed point.
class Counter {
 public:
  Counter(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes)
      : shape_(shape), scheme_(scheme), sizes_(sizes), roles_(shape), d_(shape.d), float_(scheme.is_float()) {
    code_ = float_ ? kF32 : scheme.bits <= 8 ? kI8 : kI16;
    limit_ = float_ ? 0 : static_cast<std::uint64_t>(scheme.format().limit());
    binary_weights_ = !float_ && scheme.one_bit_weights;
    binary_query_ = !float_ && scheme.one_bit_query;
    hamming_ = !float_ && scheme.similarity == MemorySimilarity::kHamming;
    for (std::size_t hop = 0; hop < shape.hops; ++hop) {
      const int integer = float_ ? 0 : scheme.hop_format(hop, shape.hops).integer;
      embeddings_.insert({roles_.A[hop], integer});
      embeddings_.insert({roles_.C[hop], integer});
      if (roles_.has_H) forms_of_H_.insert(integer);
      if (float_) continue;
      const int format = scheme.bits - 1 - integer, base = scheme.format().fraction;
      const int addressed = hamming_ ? scheme.fine_fraction() : base;
      const int asked = hop == 0 ? format : base;
      moved_m_ += format != addressed ? 1u : 0u;
      moved_u_ += !binary_query_ && asked != addressed ? 1u : 0u;
      moved_c_ += format != base ? 1u : 0u;
      moved_to_H_ += !binary_query_ && asked != format ? 1u : 0u;
    }
  }

  MemoryPart facts() const {
    MemoryPart part{.name = "facts", .operations = {}, .traffic = {}};
    const std::uint64_t rows = sizes_.fact_words + (shape_.temporal ? sizes_.facts : 0);
    for (const auto& [matrix, integer] : embeddings_) embed(part, rows, sizes_.facts, integer);
    return part;
  }
  MemoryPart question() const {
    MemoryPart part{.name = "question", .operations = {}, .traffic = {}};
    embed(part, sizes_.question_words, sizes_.questions, float_ ? 0 : scheme_.hop_format(0, shape_.hops).integer);
    return part;
  }
  MemoryPart similarity() const {
    MemoryPart part{.name = "similarity", .operations = {}, .traffic = {}};
    const std::uint64_t hops = shape_.hops, elements = hops * sizes_.facts * d_, results = hops * sizes_.facts;
    OperationCounts& counts = part.operations;
    move(counts, (moved_m_ * sizes_.facts + moved_u_ * sizes_.questions) * d_);
    if (hamming_) {
      counts.add(kAdd, code_, 2 * elements);
      counts.add(kCompare, code_, elements);
      counts.add(kShift, code_, scheme_.hop_formats ? elements : 0);
      counts.add(kAdd, sum_width(d_, limit_), elements);
    } else if (binary_query_) {
      counts.add(kAdd, sum_width(d_, limit_), elements);
    } else {
      product(counts, elements, sum_width(d_, limit_));
    }
    limit(counts, results, sum_width(d_, limit_));
    part.traffic.activations_read = elements * width_bytes(code_) + hops * sizes_.questions * d_ * width_bytes(code_);
    part.traffic.activations_written = results * similarity_bytes();
    return part;
  }
  MemoryPart softmax() const {
    MemoryPart part{.name = "softmax", .operations = {}, .traffic = {}};
    const std::uint64_t values = shape_.hops * sizes_.facts;
    OperationCounts& counts = part.operations;
    const bool in_float = float_ || !scheme_.integer_only;
    counts += softmax_operations(values, in_float ? SoftmaxForm::kFloat : SoftmaxForm::kLookedUp);
    add_empty_facts(shape_, sizes_, in_float, counts);
    if (!float_ && in_float) {  // codes to real numbers and back
      counts.add(kMultiply, kF32, 2 * values);
      counts.add(kCompare, kF32, values);
    } else if (!float_) {  // Q0.15 to the read's format
      counts.add(kShift, kI16, values);
      counts.add(kCompare, kI16, values);
    }
    part.traffic.activations_read = values * similarity_bytes();
    part.traffic.activations_written = values * width_bytes(code_);
    return part;
  }
  MemoryPart read() const {
    MemoryPart part{.name = "read", .operations = {}, .traffic = {}};
    const std::uint64_t hops = shape_.hops, elements = hops * sizes_.facts * d_;
    const OperandWidth sum = sum_width(shape_.memory, limit_);
    move(part.operations, moved_c_ * sizes_.facts * d_);
    product(part.operations, elements, sum);
    limit(part.operations, hops * sizes_.questions * d_, sum);
    part.traffic.activations_read = elements * width_bytes(code_) + hops * sizes_.facts * width_bytes(code_);
    part.traffic.activations_written = hops * sizes_.questions * d_ * width_bytes(code_);
    return part;
  }
  // H u + o, or u + o.
  MemoryPart controller() const {
    MemoryPart part{.name = "controller", .operations = {}, .traffic = {}};
    const std::uint64_t vectors = shape_.hops * sizes_.questions, values = vectors * d_;
    OperationCounts& counts = part.operations;
    if (roles_.has_H) {
      const std::uint64_t elements = values * d_;
      const OperandWidth sum = sum_width(d_, binary_weights_ && binary_query_ ? 1 : limit_);
      move(counts, moved_to_H_ * sizes_.questions * d_);
      if (binary_weights_ && binary_query_) {
        counts.add(kLogic, kBit, elements);
        counts.add(kPopcount, kBit, elements);
      } else if (binary_weights_ || binary_query_) {
        counts.add(kAdd, sum, elements);
      } else {
        product(counts, elements, sum);
      }
      if (binary_weights_) scale(counts, values);
      limit(counts, values, sum);
      move(counts, moved_c_ * sizes_.questions * d_);
      part.traffic.weights_read += vectors * weight_bytes(d_ * d_);
    } else if (moved_c_ > 0) {
      move(counts, sizes_.questions * d_);  // the question's embedding has the first hop's format
    }
    counts.add(kAdd, code_ == kF32 ? kF32 : sum_width(2, limit_), values);
    limit(counts, values, sum_width(2, limit_));
    part.traffic.activations_read = 2 * values * width_bytes(code_);
    part.traffic.activations_written = values * width_bytes(code_);
    return part;
  }
  MemoryPart answer() const {
    MemoryPart part{.name = "answer", .operations = {}, .traffic = {}};
    const std::uint64_t words = sizes_.questions * shape_.vocabulary;
    OperationCounts& counts = part.operations;
    if (!float_ && scheme_.integer_only) {
      const OperandWidth sum = sum_width(d_, limit_ * limit_);  // exact products
      counts.mac(code_, sum, words * d_);
      counts.add(kCompare, sum, words);
    } else {
      if (!float_) counts.add(kMultiply, kF32, sizes_.questions * d_);  // codes to real numbers
      counts.mac(kF32, kF32, words * d_);
      counts.add(kCompare, kF32, words);
    }
    part.traffic.weights_read = words * d_ * answer_weight_bytes();
    part.traffic.activations_read = sizes_.questions * d_ * width_bytes(code_);
    part.traffic.activations_written = sizes_.questions * sizeof(std::int32_t);  // the word's number
    return part;
  }

  std::uint64_t bytes_of_a_fact() const { return embeddings_.size() * d_ * width_bytes(code_); }
  std::uint64_t bytes_of_weights() const {
    const std::vector<MemoryMatrix> matrices = memory_matrices(shape_);
    // 1-bit weights are the same in every format; float ones need no second copy for the answer.
    std::set<std::pair<std::size_t, int>> forms = embeddings_;
    forms.insert({roles_.B, float_ ? 0 : scheme_.hop_format(0, shape_.hops).integer});
    for (const int integer : forms_of_H_) forms.insert({roles_.H, integer});
    if (float_) forms.insert({roles_.W, 0});
    std::set<std::size_t> counted;
    std::uint64_t bytes = 0;
    for (const auto& [matrix, integer] : forms)
      if (counted.insert(matrix).second || !binary_weights_) bytes += weight_bytes(matrices[matrix].size());
    const bool own_answer =
        !float_ && (binary_weights_ || !scheme_.integer_only || !forms.contains({roles_.W, scheme_.integer_bits}));
    return bytes + (own_answer ? shape_.vocabulary * d_ * answer_weight_bytes() : 0);
  }

 private:
  // `rows` rows of an embedding matrix in one format summed to `sentences` sums.
  void embed(MemoryPart& part, std::uint64_t rows, std::uint64_t sentences, int integer_bits) const {
    OperationCounts& counts = part.operations;
    const OperandWidth sum = sum_width(shape_.sentence + 1, limit_);
    const std::uint64_t elements = rows * d_, values = sentences * d_;
    // Without integer bits 1 has no code: a word's count is 1 - 2^-fraction and its product is one to form.
    const bool weighted = shape_.encoding == SentenceEncoding::kPosition || (!float_ && integer_bits == 0);
    if (weighted && !binary_weights_) {
      product(counts, elements, sum);
    } else {
      counts.add(kAdd, float_ ? kF32 : sum, elements);
    }
    if (binary_weights_) scale(counts, values);
    limit(counts, values, sum);
    part.traffic.weights_read += rows * weight_bytes(d_);
    if (shape_.encoding == SentenceEncoding::kPosition) part.traffic.weights_read += elements * width_bytes(code_);
    part.traffic.activations_read += rows * sizeof(std::int32_t);  // numbers of words
    part.traffic.activations_written += values * width_bytes(code_);
  }
  void product(OperationCounts& counts, std::uint64_t count, OperandWidth sum) const {
    counts.mac(code_, float_ ? kF32 : sum, count);
    if (float_) return;
    counts.add(kShift, code_ == kI8 ? kI16 : kI32, count);
    counts.add(kCompare, code_, count);
  }
  // Sums of signs times the mean magnitude of their matrix.
  void scale(OperationCounts& counts, std::uint64_t count) const {
    counts.add(kMultiply, kI32, count);
    counts.add(kShift, kI32, count);
  }
  void limit(OperationCounts& counts, std::uint64_t count, OperandWidth width) const {
    if (!float_) counts.add(kCompare, width, count);
  }
  std::uint64_t weight_bytes(std::uint64_t weights) const {
    return binary_weights_ ? (weights + kBitsAByte - 1) / kBitsAByte : weights * width_bytes(code_);
  }
  std::uint64_t answer_weight_bytes() const {
    return float_ || !scheme_.integer_only ? sizeof(float) : width_bytes(code_);
  }
  // To another format: a shift and a limit.
  void move(OperationCounts& counts, std::uint64_t count) const {
    if (float_) return;
    counts.add(kShift, code_, count);
    counts.add(kCompare, code_, count);
  }
  std::uint64_t similarity_bytes() const { return float_ ? sizeof(float) : width_bytes(sum_width(d_, limit_)); }

  const MemN2NShape& shape_;
  const MemoryScheme& scheme_;
  const QuestionSizes sizes_;
  MemoryRoles roles_;
  std::uint64_t d_;
  bool float_;
  OperandWidth code_ = kF32;
  std::uint64_t limit_ = 0;  // the largest code
  bool binary_weights_ = false, binary_query_ = false, hamming_ = false;
  std::set<std::pair<std::size_t, int>> embeddings_;  // matrix, integer bits
  std::set<int> forms_of_H_;
  // Hops whose numbers come in another format than they are used in: to address, to ask, to read, to enter H.
  std::uint64_t moved_m_ = 0, moved_u_ = 0, moved_c_ = 0, moved_to_H_ = 0;
};

// In scaled integers (cells/memn2n/scaled.h): exact sums, each tensor requantized once.
class ScaledCounter {
 public:
  ScaledCounter(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes)
      : shape_(shape),
        scheme_(scheme),
        sizes_(sizes),
        roles_(shape),
        d_(shape.d),
        limit_((std::uint64_t{1} << (scheme.bits - 1)) - 1),
        weight_(scheme.one_bit_weights ? 1 : limit_),
        query_(scheme.one_bit_query ? 1 : limit_) {}

  MemoryPart facts() const {
    MemoryPart part{.name = "facts", .operations = {}, .traffic = {}};
    const std::uint64_t rows = sizes_.fact_words + (shape_.temporal ? sizes_.facts : 0);
    for (std::size_t i = 0; i < embeddings(); ++i) embed(part, rows, sizes_.facts);
    return part;
  }
  MemoryPart question() const {
    MemoryPart part{.name = "question", .operations = {}, .traffic = {}};
    embed(part, sizes_.question_words, sizes_.questions);
    return part;
  }
  MemoryPart similarity() const {
    MemoryPart part{.name = "similarity", .operations = {}, .traffic = {}};
    const std::uint64_t hops = shape_.hops, results = hops * sizes_.facts, elements = results * d_;
    products(part.operations, elements, limit_, query_, d_);
    if (scheme_.relative_similarity) {
      part.operations.add(kCompare, kI32, results);
      part.operations.add(kAdd, kI32, results);
    }
    requantize(part.operations, results);
    part.traffic.activations_read = elements + hops * sizes_.questions * d_;
    part.traffic.activations_written = results * sizeof(std::int16_t);
    return part;
  }
  MemoryPart softmax() const {
    MemoryPart part{.name = "softmax", .operations = {}, .traffic = {}};
    const std::uint64_t values = shape_.hops * sizes_.facts;
    part.operations = softmax_operations(values, SoftmaxForm::kLookedUp);
    add_empty_facts(shape_, sizes_, /*in_float=*/false, part.operations);
    part.operations.add(kAdd, kI16, values);  // Q0.15 rounded to the read's bits
    part.operations.add(kShift, kI16, values);
    part.operations.add(kCompare, kI16, values);
    part.traffic.activations_read = values * sizeof(std::int16_t);
    part.traffic.activations_written = values;
    return part;
  }
  MemoryPart read() const {
    MemoryPart part{.name = "read", .operations = {}, .traffic = {}};
    const std::uint64_t hops = shape_.hops, elements = hops * sizes_.facts * d_, values = hops * sizes_.questions * d_;
    products(part.operations, elements, limit_, 2 * limit_ + 1, shape_.memory);
    requantize(part.operations, values);
    part.traffic.activations_read = elements + hops * sizes_.facts;
    part.traffic.activations_written = values * sizeof(std::int32_t);
    return part;
  }
  MemoryPart controller() const {
    MemoryPart part{.name = "controller", .operations = {}, .traffic = {}};
    const std::uint64_t vectors = shape_.hops * sizes_.questions, values = vectors * d_;
    if (roles_.has_H) {
      products(part.operations, values * d_, weight_, query_, d_);
      part.traffic.weights_read = vectors * weight_bytes(d_ * d_);
    }
    requantize(part.operations, values);
    part.operations.add(kAdd, kI32, 2 * values);  // to the read, and to round the guard bits away
    part.operations.add(kShift, kI32, values);
    part.operations.add(kCompare, kI32, values);
    part.traffic.activations_read = values * (1 + sizeof(std::int32_t));
    part.traffic.activations_written = values;
    return part;
  }
  MemoryPart answer() const {
    MemoryPart part{.name = "answer", .operations = {}, .traffic = {}};
    const std::uint64_t words = sizes_.questions * shape_.vocabulary;
    products(part.operations, words * d_, weight_, limit_, d_);
    part.operations.add(kCompare, sum_width(d_, weight_ * limit_), words);
    part.traffic.weights_read = sizes_.questions * weight_bytes(shape_.vocabulary * d_);
    part.traffic.activations_read = sizes_.questions * d_;
    part.traffic.activations_written = sizes_.questions * sizeof(std::int32_t);
    return part;
  }

  std::uint64_t bytes_of_a_fact() const { return embeddings() * d_; }
  std::uint64_t bytes_of_weights() const {
    std::uint64_t bytes = 0;
    for (const MemoryMatrix& matrix : memory_matrices(shape_)) bytes += weight_bytes(matrix.size());
    return bytes;
  }

 private:
  std::size_t embeddings() const { return embedding_matrices(roles_).size(); }
  std::uint64_t weight_bytes(std::uint64_t weights) const {
    return scheme_.one_bit_weights ? (weights + kBitsAByte - 1) / kBitsAByte : weights;
  }
  // Products of numbers up to `first` and `second`, summed `terms` at a time: with a sign an addition.
  static void products(OperationCounts& counts, std::uint64_t count, std::uint64_t first, std::uint64_t second,
                       std::uint64_t terms) {
    const OperandWidth sum = sum_width(terms, first * second);
    if (first == 1 && second == 1) {
      counts.add(kLogic, kBit, count);
      counts.add(kPopcount, kBit, count);
    } else if (first == 1 || second == 1) {
      counts.add(kAdd, sum, count);
    } else {
      counts.mac(kI8, sum, count);
    }
  }
  // To another scale, limited.
  void requantize(OperationCounts& counts, std::uint64_t count) const {
    counts.add(kMultiply, kI32, scheme_.power_of_two_scales ? 0 : count);
    counts.add(kAdd, kI32, scheme_.power_of_two_scales ? count : 2 * count);
    counts.add(kShift, kI32, count);
    counts.add(kCompare, kI32, count);
  }
  void embed(MemoryPart& part, std::uint64_t rows, std::uint64_t sentences) const {
    const bool weighted = shape_.encoding == SentenceEncoding::kPosition;
    // The encoding's codes are as wide as the weights'; a bag adds signs or codes as they are.
    if (weighted) {
      products(part.operations, rows * d_, weight_, limit_, shape_.sentence + 1);
    } else {
      part.operations.add(kAdd, sum_width(shape_.sentence + 1, weight_), rows * d_);
    }
    requantize(part.operations, sentences * d_);
    part.traffic.weights_read += rows * weight_bytes(d_) + (weighted ? rows * d_ : 0);
    part.traffic.activations_read += rows * sizeof(std::int32_t);
    part.traffic.activations_written += sentences * d_;
  }

  const MemN2NShape& shape_;
  const MemoryScheme& scheme_;
  const QuestionSizes sizes_;
  MemoryRoles roles_;
  std::uint64_t d_, limit_, weight_, query_;  // embedding; the largest code, weight and element of a query
};

// Calls `use` with the counter that the scheme asks for.
template <typename Use>
auto with_counter(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes, const Use& use) {
  return scheme.is_scaled() ? use(ScaledCounter(shape, scheme, sizes)) : use(Counter(shape, scheme, sizes));
}

double share(std::uint64_t count, std::uint64_t of) {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

}  // namespace

double QuestionSizes::mean_facts() const { return share(facts, questions); }
double QuestionSizes::mean_fact_words() const { return share(fact_words, facts); }
double QuestionSizes::mean_question_words() const { return share(question_words, questions); }

QuestionSizes question_sizes(std::span<const MemoryQuestion> questions) {
  const auto known = [](WordNumbers words) {
    return static_cast<std::uint64_t>(std::ranges::count_if(words, [](std::int32_t word) { return word != 0; }));
  };
  QuestionSizes sizes{.questions = questions.size()};
  for (const MemoryQuestion& question : questions) {
    sizes.facts += question.facts.size();
    for (const WordNumbers& fact : question.facts) sizes.fact_words += known(fact);
    sizes.question_words += known(question.words);
  }
  return sizes;
}

std::vector<MemoryPart> memory_costs(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes) {
  return with_counter(shape, scheme, sizes, [](const auto& counter) {
    return std::vector<MemoryPart>{counter.facts(), counter.question(),   counter.similarity(), counter.softmax(),
                                   counter.read(),  counter.controller(), counter.answer()};
  });
}

OperationCounts memory_costs_by_the_paper(const MemN2NShape& shape, const MemoryScheme& scheme,
                                          const QuestionSizes& sizes) {
  const std::uint64_t d = shape.d, hops = shape.hops;
  const MemoryRoles roles(shape);
  const OperandWidth width = !scheme.is_float() ? kI8 : kF32;
  const bool binary_query = !scheme.is_float() && scheme.one_bit_query,
             binary_weights = !scheme.is_float() && scheme.one_bit_weights;
  const bool hamming = !scheme.is_float() && scheme.similarity == MemorySimilarity::kHamming;
  OperationCounts counts;
  const auto count = [&](std::uint64_t elements, bool product) {
    if (product) {
      counts.mac(width, width, elements);
    } else {
      counts.add(kAdd, width, elements);
    }
  };
  const std::uint64_t words = sizes.fact_words + (shape.temporal ? sizes.facts : 0);
  count(d * (embedding_matrices(roles).size() * words + sizes.question_words),
        shape.encoding == SentenceEncoding::kPosition && !binary_weights);
  count(hops * sizes.facts * d, !hamming && !binary_query);
  count(hops * sizes.facts * d, true);
  if (roles.has_H) count(hops * sizes.questions * d * d, !binary_query && !binary_weights);
  count(sizes.questions * shape.vocabulary * d, true);
  return counts;
}

MemoryEnergy memory_energy(const MemN2NShape& shape, const MemoryScheme& scheme, const QuestionSizes& sizes,
                           const EnergyTable& table) {
  const auto mean = [&](const OperationCounts& counts) {
    return sizes.questions == 0 ? 0 : counts.energy_pj(table) / static_cast<double>(sizes.questions);
  };
  const auto ours = [&](const MemoryScheme& of) {
    OperationCounts all;
    for (const MemoryPart& part : memory_costs(shape, of, sizes)) all += part.operations;
    return mean(all);
  };
  const auto papers = [&](const MemoryScheme& of) { return mean(memory_costs_by_the_paper(shape, of, sizes)); };
  return {ours(scheme), ours({}), papers(scheme), papers({})};
}

std::uint64_t bytes_of_a_fact(const MemN2NShape& shape, const MemoryScheme& scheme) {
  return with_counter(shape, scheme, {}, [](const auto& counter) { return counter.bytes_of_a_fact(); });
}

std::uint64_t bytes_of_weights(const MemN2NShape& shape, const MemoryScheme& scheme) {
  return with_counter(shape, scheme, {}, [](const auto& counter) { return counter.bytes_of_weights(); });
}

}  // namespace quaver
