#include "quaver/train/memory/fixed_forward.h"

#include <algorithm>
#include <utility>

namespace quaver {
namespace {

std::int16_t narrow(std::int32_t code) { return static_cast<std::int16_t>(code); }

// A count of words as a code.
std::int16_t count_code(std::size_t count, SignMagnitudeFormat format) {
  return narrow(static_cast<std::int32_t>(
      std::min(static_cast<std::uint64_t>(count) << format.fraction, static_cast<std::uint64_t>(format.limit()))));
}

}  // namespace

FixedForward::FixedForward(const MemN2NShape& shape, const MemoryScheme& scheme)
    : shape_(shape),
      scheme_(scheme),
      plain_(shape, scheme),
      stride_((shape.d + kCodeLanes - 1) / kCodeLanes * kCodeLanes),
      kernels_(&sign_magnitude_path_for(scheme.bits)),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      B_(matrix_of(scheme.hop_format(0, shape.hops))),
      W_(matrix_of(scheme.format())),
      hops_(shape.hops),
      u_(stride_),
      x_(stride_),
      zeros_(stride_),
      read_(stride_),
      row_(stride_),
      sums_(stride_) {
  for (std::size_t place = 0; place < shape.hops; ++place) {
    Hop& hop = hops_[place];
    const SignMagnitudeFormat format = scheme.hop_format(place, shape.hops);
    hop.m = find_embedding(roles_.A[place], format);
    embeddings_[hop.m].is_m = true;
    hop.c = find_embedding(roles_.C[place], format);
    embeddings_[hop.c].is_c = true;
    hop.u_format = place == 0 ? format : scheme.format();
    hop.u.resize(stride_);
    hop.u_fine.resize(stride_);
    if (roles_.has_H) H_.push_back(matrix_of(format));
  }
}

FixedForward::Matrix FixedForward::matrix_of(SignMagnitudeFormat format) const {
  Matrix matrix;
  matrix.rule.format = format;
  if (shape_.encoding == SentenceEncoding::kWords) return matrix;
  const std::vector<float> weights = encoding_weights(shape_);
  matrix.weights.resize((shape_.sentence + 1) * stride_);
  for (std::size_t i = 0; i < weights.size(); ++i)
    matrix.weights[i / shape_.d * stride_ + i % shape_.d] = narrow(sign_magnitude_code(weights[i], format));
  return matrix;
}

std::size_t FixedForward::find_embedding(std::size_t place, SignMagnitudeFormat format) {
  for (std::size_t i = 0; i < embeddings_.size(); ++i)
    if (embeddings_[i].place == place && embeddings_[i].matrix.rule.format == format) return i;
  Embedding& embedding = embeddings_.emplace_back();
  embedding.place = place;
  embedding.matrix = matrix_of(format);
  return embeddings_.size() - 1;
}

void FixedForward::code(std::size_t place, std::span<const float> parameters, bool one_bit, Matrix& matrix) {
  const MemoryMatrix& where = matrices_[place];
  const std::size_t d = shape_.d;
  matrix.codes.resize(where.rows * stride_);
  if (one_bit) {
    MemN2NFixed::CodedMatrix coded = plain_.coded(place, matrix.rule.format, parameters, one_bit);
    for (std::size_t row = 0; row < where.rows; ++row)
      std::copy_n(&coded.codes[row * d], d, &matrix.codes[row * stride_]);
    matrix.rule.mantissa = coded.mantissa;
    matrix.rule.shift = coded.shift;
    return;
  }
  for (std::size_t row = 0; row < where.rows; ++row) {
    std::copy_n(&parameters[where.offset + row * d], d, row_.data());
    kernels_->code(row_.data(), stride_, matrix.rule.format, &matrix.codes[row * stride_]);
  }
}

void FixedForward::set_parameters(std::span<const float> parameters) {
  slots_.clear();
  const bool one_bit = scheme_.one_bit_weights;
  for (Embedding& embedding : embeddings_) {
    code(embedding.place, parameters, one_bit, embedding.matrix);
    if (shape_.temporal) set_time_products(embedding);
  }
  for (Matrix& H : H_) {
    code(roles_.H, parameters, one_bit, H);
    for (std::size_t j = 0; j < shape_.d; ++j)
      for (std::size_t k = j + 1; k < shape_.d; ++k) std::swap(H.codes[j * stride_ + k], H.codes[k * stride_ + j]);
  }
  code(roles_.B, parameters, one_bit, B_);
  if (scheme_.integer_only) code(roles_.W, parameters, false, W_);
}

// Of codes with word counts or encoding weights. +-1 times a code of the same format: exact, for it ends nowhere.
ProductRule FixedForward::embedding_rule(SignMagnitudeFormat format) const {
  return {scheme_.one_bit_weights ? 0 : format.fraction, format.limit()};
}

void FixedForward::set_time_products(Embedding& embedding) {
  const Matrix& matrix = embedding.matrix;
  const SignMagnitudeFormat format = matrix.rule.format;
  embedding.time.resize(shape_.memory * stride_);
  const std::int16_t* x = x_.data();
  if (matrix.weights.empty())
    std::ranges::fill(x_, count_code(1, format));
  else
    x = &matrix.weights[shape_.sentence * stride_];
  for (std::size_t age = 0; age < shape_.memory; ++age) {
    std::ranges::fill(sums_, 0);
    kernels_->add_products(&matrix.codes[(shape_.vocabulary + age) * stride_], x, stride_, embedding_rule(format),
                           sums_.data());
    kernels_->limit(sums_.data(), zeros_.data(), stride_, format.limit(), &embedding.time[age * stride_]);
  }
}

// (F1) sums over the words of one sentence, before the last Q.
void FixedForward::add_words(const Matrix& matrix, WordNumbers words, std::int32_t* sums) {
  const SignMagnitudeFormat format = matrix.rule.format;
  const ProductRule rule = embedding_rule(format);
  std::size_t filled = 0;  // the count that x_ holds
  for (std::size_t place = 0; place < words.size(); ++place) {
    if (words[place] == 0) continue;
    const std::int16_t* codes = &matrix.codes[static_cast<std::size_t>(words[place]) * stride_];
    if (!matrix.weights.empty()) {
      kernels_->add_products(codes, &matrix.weights[word_slot(shape_, place) * stride_], stride_, rule, sums);
      continue;
    }
    // In a bag every word stands once, with its count.
    if (std::ranges::find(words.first(place), words[place]) != words.first(place).end()) continue;
    const auto count = static_cast<std::size_t>(std::ranges::count(words, words[place]));
    if (count != filled) std::ranges::fill(x_, count_code(count, format));
    filled = count;
    kernels_->add_products(codes, x_.data(), stride_, rule, sums);
  }
}

// Q(sums + addend), as MemN2NFixed::limited_sum().
void FixedForward::limit_sums(const Matrix& matrix, int shift, const std::int32_t* sums, const std::int16_t* addend,
                              std::int16_t* codes) const {
  if (!scheme_.one_bit_weights) {
    kernels_->limit(sums, addend, stride_, matrix.rule.format.limit(), codes);
    return;
  }
  for (std::size_t j = 0; j < shape_.d; ++j)
    codes[j] = narrow(plain_.limited_sum(matrix.rule, sums[j] + addend[j], shift));
}

// (F1) of all facts by every embedding.
void FixedForward::embed_facts(const MemoryQuestion& question) {
  const std::size_t facts = question.facts.size();
  const SignMagnitudeFormat base = scheme_.format(), fine{base.integer, scheme_.fine_fraction()};
  if (question.sentences.empty()) slots_.clear();
  slot_of_fact_.resize(facts);
  for (std::size_t i = 0; i < facts; ++i) {
    const SentenceSlots::Slot slot =
        question.sentences.empty() ? slots_.unnumbered() : slots_.of(question.sentences[i]);
    slot_of_fact_[i] = slot.row;
    if (!slot.is_new) continue;
    for (Embedding& embedding : embeddings_) {
      if (embedding.sentences.size() < slots_.rows() * stride_) embedding.sentences.resize(slots_.rows() * stride_);
      std::int32_t* sums = &embedding.sentences[slot.row * stride_];
      std::fill_n(sums, stride_, 0);
      add_words(embedding.matrix, question.facts[i], sums);
    }
  }
  for (Embedding& embedding : embeddings_) {
    const Matrix& matrix = embedding.matrix;
    const SignMagnitudeFormat format = matrix.rule.format;
    embedding.facts.resize(facts * stride_);
    for (std::size_t i = 0; i < facts; ++i)
      limit_sums(matrix, matrix.rule.shift, &embedding.sentences[slot_of_fact_[i] * stride_],
                 shape_.temporal ? &embedding.time[question.age(i) * stride_] : zeros_.data(),
                 &embedding.facts[i * stride_]);
    const bool hamming = scheme_.similarity == MemorySimilarity::kHamming;
    if (format != base && (embedding.is_c || !hamming)) {
      embedding.base.resize(facts * stride_);
      kernels_->reformat(embedding.facts.data(), facts * stride_, format, base, embedding.base.data());
    }
    if (format != fine && embedding.is_m && hamming) {
      embedding.fine.resize(facts * stride_);
      kernels_->reformat(embedding.facts.data(), facts * stride_, format, fine, embedding.fine.data());
    }
  }
}

FixedForward::EmbeddedFacts FixedForward::embedded(std::size_t place) const {
  const Embedding& embedding = embeddings_[place];
  const SignMagnitudeFormat format = embedding.matrix.rule.format, base = scheme_.format();
  const SignMagnitudeFormat fine{base.integer, scheme_.fine_fraction()};
  const bool hamming = scheme_.similarity == MemorySimilarity::kHamming;
  const std::int16_t* codes = embedding.facts.data();
  EmbeddedFacts facts{.format = format, .codes = codes, .base_codes = nullptr, .fine_codes = nullptr};
  if (embedding.is_c || !hamming) facts.base_codes = format == base ? codes : embedding.base.data();
  if (embedding.is_m && hamming) facts.fine_codes = format == fine ? codes : embedding.fine.data();
  return facts;
}

// x_ = +1 or -1 by the sign of codes, 0 beyond d.
void FixedForward::set_signs(const Rows& codes) {
  for (std::size_t j = 0; j < shape_.d; ++j) x_[j] = narrow(codes[j] >= 0 ? 1 : -1);
  std::fill(x_.begin() + static_cast<std::ptrdiff_t>(shape_.d), x_.end(), std::int16_t{0});
}

// (F2)
void FixedForward::similarities(Hop& hop, std::size_t facts) {
  const SignMagnitudeFormat base = scheme_.format();
  const EmbeddedFacts m = embedded(hop.m);
  std::vector<std::int32_t>& s = hop.attention.s;
  s.resize(facts);
  std::int32_t offset = 0;
  if (scheme_.similarity == MemorySimilarity::kHamming) {
    const SignMagnitudeFormat fine{base.integer, scheme_.fine_fraction()};
    kernels_->reformat(hop.u.data(), stride_, hop.u_format, fine, hop.u_fine.data());
    kernels_->hamming_sums(m.fine_codes, facts, hop.u_fine.data(), stride_, {base, fine.fraction}, s.data());
    offset = static_cast<std::int32_t>(stride_ - shape_.d) * base.limit();  // columns beyond d are alike
  } else {
    if (scheme_.one_bit_query)
      set_signs(hop.u);
    else
      kernels_->reformat(hop.u.data(), stride_, hop.u_format, base, x_.data());
    kernels_->product_dots(m.base_codes, facts, x_.data(), stride_,
                           {scheme_.one_bit_query ? 0 : base.fraction, base.limit()}, s.data());
  }
  const std::int32_t limit = similarity_limit();
  for (std::int32_t& value : s) value = std::clamp(value - offset, -limit, limit);
}

// (F3) (F4)
void FixedForward::next_u(Hop& hop, const Matrix* H, std::size_t facts) {
  const SignMagnitudeFormat base = scheme_.format();
  if (H != nullptr) {
    const SignMagnitudeFormat format = H->rule.format;
    if (scheme_.one_bit_query)
      set_signs(hop.u);
    else
      kernels_->reformat(hop.u.data(), stride_, hop.u_format, format, x_.data());
    const int fraction = scheme_.one_bit_query ? 0 : format.fraction;
    std::ranges::fill(sums_, 0);
    kernels_->add_weighted_products(x_.data(), H->codes.data(), shape_.d, stride_,
                                    {scheme_.one_bit_weights ? 0 : fraction, format.limit()}, sums_.data());
    limit_sums(*H, H->rule.shift - (format.fraction - fraction), sums_.data(), zeros_.data(), u_.data());
    kernels_->reformat(u_.data(), stride_, format, base, u_.data());
  } else {
    kernels_->reformat(hop.u.data(), stride_, hop.u_format, base, u_.data());
  }
  std::ranges::fill(sums_, 0);
  kernels_->add_weighted_products(hop.attention.p_codes.data(), embedded(hop.c).base_codes, facts, stride_,
                                  {base.fraction, base.limit()}, sums_.data());
  kernels_->limit(sums_.data(), zeros_.data(), stride_, base.limit(), read_.data());
  std::ranges::copy(read_, sums_.begin());
  kernels_->limit(sums_.data(), u_.data(), stride_, base.limit(), u_.data());
}

void FixedForward::run(const MemoryQuestion& question, bool linear) {
  const std::size_t facts = question.facts.size();
  embed_facts(question);
  std::ranges::fill(sums_, 0);
  add_words(B_, question.words, sums_.data());
  limit_sums(B_, B_.rule.shift, sums_.data(), zeros_.data(), u_.data());
  for (std::size_t place = 0; place < shape_.hops; ++place) {
    Hop& hop = hops_[place];
    hop.u = u_;
    similarities(hop, facts);
    plain_.attend(hop.attention, linear);
    next_u(hop, roles_.has_H ? &H_[place] : nullptr, facts);
  }
}

void FixedForward::copy_attention(std::size_t place, std::vector<float>& p) const {
  const MemN2NFixed::Hop& hop = hops_[place].attention;
  if (!scheme_.integer_only) {
    p = hop.p;
    return;
  }
  p.clear();
  for (const std::int16_t code : hop.p_q0_15) p.push_back(static_cast<float>(code) * 0x1p-15f);
  if (p.empty())
    for (const std::int32_t s : hop.s) p.push_back(static_cast<float>(s * similarity_step()));
}

std::span<const std::int64_t> FixedForward::scores() {
  scores_.assign(shape_.vocabulary, 0);
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    for (std::size_t j = 0; j < shape_.d; ++j) scores_[word] += W_.codes[word * stride_ + j] * u_[j];
  return scores_;
}

}  // namespace quaver
