#include "quaver/cells/memn2n/fixed.h"

#include <algorithm>
#include <utility>

#include "quaver/cells/memn2n/fixed_steps.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {

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
    : codes_(shape, scheme),
      embedded_(codes_.embeddings().size()),
      hops_(shape.hops),
      output_(codes_.stride()),
      x_(codes_.stride()),
      zeros_(codes_.stride()),
      sums_(codes_.stride()),
      state_sums_(codes_.stride()) {
  for (std::size_t hop = 0; hop < shape.hops; ++hop) {
    embedded_[codes_.m_of(hop)].is_m = true;
    embedded_[codes_.c_of(hop)].is_c = true;
    for (Rows* rows : {&hops_[hop].u, &hops_[hop].u_fine, &hops_[hop].o}) rows->resize(codes_.stride());
    if (codes_.has_H()) H_transposed_.emplace_back(shape.d * codes_.stride());
  }
  if (scheme.integer_only) softmax_ = SoftmaxRule::from_scale(static_cast<float>(codes_.similarity_step()));
}

void MemN2NFixed::set_parameters(std::span<const float> parameters) {
  const MemN2NShape& shape = codes_.shape();
  const std::size_t stride = codes_.stride();
  slots_.clear();
  codes_.set_parameters(parameters);
  for (std::size_t i = 0; shape.temporal && i < embedded_.size(); ++i)
    set_time(codes_.embeddings()[i], embedded_[i].time);
  for (std::size_t hop = 0; hop < H_transposed_.size(); ++hop)
    for (std::size_t j = 0; j < shape.d; ++j)
      for (std::size_t k = 0; k < shape.d; ++k)
        H_transposed_[hop][k * stride + j] = codes_.H(hop).codes[j * stride + k];
}

void MemN2NFixed::set_time(const FixedCodes::Matrix& matrix, Rows& time) {
  const std::size_t stride = codes_.stride();
  time.resize(codes_.shape().memory * stride);
  for (std::size_t age = 0; age < codes_.shape().memory; ++age) {
    std::ranges::fill(sums_, 0);
    codes_.add_age(matrix, age, sums_.data());
    // One product, so within the limit.
    codes_.kernels().limit(sums_.data(), zeros_.data(), stride, matrix.format.limit(), &time[age * stride]);
  }
}

// (F1) Q(sums + addend).
void MemN2NFixed::limit_sums(const FixedCodes::Matrix& matrix, const std::int32_t* sums, const std::int16_t* addend,
                             std::int16_t* codes) const {
  if (!codes_.scheme().one_bit_weights)
    return codes_.kernels().limit(sums, addend, codes_.stride(), matrix.format.limit(), codes);
  for (std::size_t j = 0; j < codes_.shape().d; ++j)
    codes[j] = static_cast<std::int16_t>(codes_.limited_sum(matrix, sums[j] + addend[j], matrix.shift));
}

// (F1) of all facts by every embedding.
void MemN2NFixed::embed_facts(const MemoryQuestion& question) {
  const std::size_t facts = question.facts.size(), stride = codes_.stride();
  const SignMagnitudeFormat base = codes_.base(), fine = codes_.fine();
  if (question.sentences.empty()) slots_.clear();
  slot_of_fact_.resize(facts);
  for (std::size_t i = 0; i < facts; ++i) {
    const SentenceSlots::Slot slot =
        question.sentences.empty() ? slots_.unnumbered() : slots_.of(question.sentences[i]);
    slot_of_fact_[i] = slot.row;
    if (!slot.is_new) continue;
    for (std::size_t place = 0; place < embedded_.size(); ++place) {
      AlignedVector<std::int32_t>& sentences = embedded_[place].sentences;
      if (sentences.size() < slots_.rows() * stride) sentences.resize(slots_.rows() * stride);
      std::int32_t* sums = &sentences[slot.row * stride];
      std::fill_n(sums, stride, 0);
      codes_.add_words(codes_.embeddings()[place], question.facts[i], sums);
    }
  }
  for (std::size_t place = 0; place < embedded_.size(); ++place) {
    EmbeddedFacts& embedded = embedded_[place];
    const FixedCodes::Matrix& matrix = codes_.embeddings()[place];
    embedded.facts.resize(facts * stride);
    for (std::size_t i = 0; i < facts; ++i)
      limit_sums(matrix, &embedded.sentences[slot_of_fact_[i] * stride],
                 codes_.shape().temporal ? &embedded.time[question.age(i) * stride] : zeros_.data(),
                 &embedded.facts[i * stride]);
    const auto moved = [&](SignMagnitudeFormat to, Rows& rows) {
      if (matrix.format == to) return;
      rows.resize(facts * stride);
      codes_.kernels().reformat(embedded.facts.data(), facts * stride, matrix.format, to, rows.data());
    };
    if (embedded.is_c || !codes_.is_hamming()) moved(base, embedded.base);
    if (embedded.is_m && codes_.is_hamming()) moved(fine, embedded.fine);
  }
}

MemN2NFixed::Facts MemN2NFixed::facts(std::size_t place) const {
  const EmbeddedFacts& embedded = embedded_[place];
  const SignMagnitudeFormat format = codes_.embeddings()[place].format;
  const std::int16_t* codes = embedded.facts.data();
  Facts facts{.codes = codes, .base_codes = nullptr, .fine_codes = nullptr};
  if (embedded.is_c || !codes_.is_hamming()) facts.base_codes = format == codes_.base() ? codes : embedded.base.data();
  if (embedded.is_m && codes_.is_hamming()) facts.fine_codes = format == codes_.fine() ? codes : embedded.fine.data();
  return facts;
}

// The one question of a run(), as fixed_steps.h asks it.
class MemN2NFixed::Question {
 public:
  Question(MemN2NFixed& cell, std::size_t facts)
      : cell_(cell), codes_(cell.codes_), kernels_(codes_.kernels()), facts_(facts), stride_(codes_.stride()) {}

  std::size_t questions() const { return 1; }
  std::size_t facts() const { return facts_; }

  void compare_bits(std::size_t hop, const FixedOperand& x, const HammingFormats& formats, std::int32_t end) {
    prepare(x, cell_.hops_[hop].u, cell_.hops_[hop].u_fine);
    std::vector<std::int32_t>& s = sized_similarities(hop);
    kernels_.hamming_sums(cell_.facts(codes_.m_of(hop)).fine_codes, facts_, cell_.hops_[hop].u_fine.data(), stride_,
                          formats, s.data());
    // Columns beyond d are alike.
    const std::int32_t more = static_cast<std::int32_t>(stride_ - codes_.shape().d) * formats.format.limit();
    for (std::int32_t& sum : s) sum = std::clamp(sum - more, -end, end);
  }

  void compare_products(std::size_t hop, const FixedOperand& x, const ProductRule& rule, std::int32_t end) {
    prepare(x, cell_.hops_[hop].u, cell_.x_);
    std::vector<std::int32_t>& s = sized_similarities(hop);
    kernels_.product_dots(cell_.facts(codes_.m_of(hop)).base_codes, facts_, cell_.x_.data(), stride_, rule, s.data());
    for (std::int32_t& sum : s) sum = std::clamp(sum, -end, end);
  }

  std::span<float> real_similarities(std::size_t hop, std::size_t /*question*/, float step) {
    Hop& of = cell_.hops_[hop];
    of.p.resize(facts_);
    for (std::size_t i = 0; i < facts_; ++i) of.p[i] = static_cast<float>(of.s[i]) * step;
    return of.p;
  }

  template <typename WeightOf>
  void softmax(std::size_t hop, std::size_t /*question*/, const SoftmaxOthers& empty, const WeightOf& weight_of) {
    // Similarities of n = 8 fit 16 bits for every d up to 258; beyond, the softmax sees the end of its range.
    constexpr std::int32_t kEnd = 32767;
    Hop& of = cell_.hops_[hop];
    std::vector<std::int16_t>& p = of.p_q0_15;
    p.resize(facts_);
    for (std::size_t i = 0; i < facts_; ++i) p[i] = static_cast<std::int16_t>(std::clamp(of.s[i], -kEnd, kEnd));
    of.nothing_q0_15 = softmax_i16(p.data(), facts_, *cell_.softmax_, p.data(), empty);
    weigh(hop, 0, [&](std::size_t i, std::int32_t /*s*/) { return weight_of(p[i]); });
  }

  template <typename Weight>
  void weigh(std::size_t hop, std::size_t /*question*/, const Weight& weight) {
    Hop& of = cell_.hops_[hop];
    of.p_codes.resize(facts_);
    for (std::size_t i = 0; i < facts_; ++i) of.p_codes[i] = static_cast<std::int16_t>(weight(i, of.s[i]));
  }

  void set_nothing(std::size_t hop, std::size_t /*question*/, float p) { cell_.hops_[hop].nothing = p; }

  void keep_state(std::size_t hop, std::size_t /*question*/) {
    std::ranges::copy(cell_.hops_[hop].u, cell_.state_sums_.begin());
  }

  void multiply_by_H(std::size_t hop, std::size_t /*question*/, const FixedOperand& x, const ProductRule& rule) {
    prepare(x, cell_.hops_[hop].u, cell_.x_);
    std::ranges::fill(cell_.state_sums_, 0);
    kernels_.add_weighted_products(cell_.x_.data(), cell_.H_transposed_[hop].data(), codes_.shape().d, stride_, rule,
                                   cell_.state_sums_.data());
  }

  std::span<std::int32_t> state_sums(std::size_t /*question*/) {
    return std::span(cell_.state_sums_).first(codes_.shape().d);
  }

  void read(std::size_t hop, std::size_t /*question*/, const ProductRule& rule) {
    std::ranges::fill(cell_.sums_, 0);
    kernels_.add_weighted_products(cell_.hops_[hop].p_codes.data(), cell_.facts(codes_.c_of(hop)).base_codes, facts_,
                                   stride_, rule, cell_.sums_.data());
  }

  void add(std::size_t hop, std::size_t /*question*/, SignMagnitudeFormat state) {
    const SignMagnitudeFormat base = codes_.base();
    Rows& o = cell_.hops_[hop].o;
    Rows& next = hop + 1 < cell_.hops_.size() ? cell_.hops_[hop + 1].u : cell_.output_;
    kernels_.limit(cell_.state_sums_.data(), cell_.zeros_.data(), stride_, state.limit(), next.data());
    kernels_.reformat(next.data(), stride_, state, base, next.data());
    kernels_.limit(cell_.sums_.data(), cell_.zeros_.data(), stride_, base.limit(), o.data());
    std::ranges::copy(o, cell_.sums_.begin());
    kernels_.limit(cell_.sums_.data(), next.data(), stride_, base.limit(), next.data());
  }

  void score(std::size_t /*question*/) {
    const std::int16_t* W = codes_.W().codes.data();
    cell_.scores_.assign(codes_.shape().vocabulary, 0);
    for (std::int64_t& sum : cell_.scores_) {
      for (std::size_t j = 0; j < stride_; ++j) sum += W[j] * cell_.output_[j];
      W += stride_;
    }
  }

  void score_in_float(std::size_t /*question*/) { codes_.score_in_float(cell_.output_.data(), cell_.float_scores_); }

 private:
  void prepare(const FixedOperand& x, const Rows& u, Rows& to) {
    if (!x.sign) return kernels_.reformat(u.data(), stride_, x.from, x.to, to.data());
    for (std::size_t j = 0; j < codes_.shape().d; ++j) to[j] = u[j] >= 0 ? 1 : -1;
    std::fill(to.begin() + static_cast<std::ptrdiff_t>(codes_.shape().d), to.end(), std::int16_t{0});
  }

  std::vector<std::int32_t>& sized_similarities(std::size_t hop) {
    std::vector<std::int32_t>& s = cell_.hops_[hop].s;
    s.resize(facts_);
    return s;
  }

  MemN2NFixed& cell_;
  const FixedCodes& codes_;
  const SignMagnitudePath& kernels_;
  std::size_t facts_, stride_;
};

void MemN2NFixed::run(const MemoryQuestion& question, bool linear) {
  embed_facts(question);
  std::ranges::fill(sums_, 0);
  codes_.add_words(codes_.B(), question.words, sums_.data());
  limit_sums(codes_.B(), sums_.data(), zeros_.data(), hops_[0].u.data());
  for (Hop& hop : hops_) {
    hop.p_q0_15.clear();
    hop.nothing_q0_15 = 0;
  }
  Question asked(*this, question.facts.size());
  answer_by_steps(codes_, linear, asked);
}

std::size_t MemN2NFixed::answer_word(const MemoryQuestion& question) {
  run(question);
  return static_cast<std::size_t>(std::max_element(scores_.begin() + 1, scores_.end()) - scores_.begin());
}

void MemN2NFixed::attention(std::size_t place, std::vector<float>& p) const {
  const Hop& hop = hops_[place];
  if (!softmax_) {
    p = hop.p;
    return;
  }
  p.clear();
  for (const std::int16_t code : hop.p_q0_15) p.push_back(static_cast<float>(code) * 0x1p-15f);
  if (p.empty())
    for (const std::int32_t s : hop.s) p.push_back(static_cast<float>(s * codes_.similarity_step()));
}

void MemN2NFixed::real_scores(std::span<float> scores) const {
  if (!softmax_) {
    std::copy_n(float_scores_.words.begin(), scores.size(), scores.begin());
    return;
  }
  const double step = codes_.score_step();
  std::ranges::transform(scores_, scores.begin(),
                         [&](std::int64_t score) { return static_cast<float>(static_cast<double>(score) * step); });
}

MemoryAnswer MemN2NFixed::answer(const MemoryQuestion& question, bool linear) {
  run(question, linear);
  MemoryAnswer answer{.scores = std::vector<float>(codes_.shape().vocabulary)};
  for (std::size_t hop = 0; hop < hops_.size(); ++hop) {
    attention(hop, answer.attention.emplace_back());
    answer.nothing.push_back(softmax_ ? static_cast<float>(hops_[hop].nothing_q0_15) * 0x1p-15f : hops_[hop].nothing);
  }
  real_scores(answer.scores);
  return answer;
}

}  // namespace quaver
