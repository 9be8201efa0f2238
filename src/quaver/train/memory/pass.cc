#include "quaver/train/memory/pass.h"

#include <algorithm>
#include <cmath>

#include "quaver/cells/memn2n/ref.h"

namespace quaver {
namespace {

constexpr double kImpossible = 100;  // nats: the loss of an answer that no word can give

// What codes stand for.
void decode(const std::int8_t* codes, std::size_t count, float step, float* reals) {
  for (std::size_t i = 0; i < count; ++i) reals[i] = static_cast<float>(codes[i]) * step;
}

constexpr std::size_t padded(std::size_t count, std::size_t lanes) { return (count + lanes - 1) / lanes * lanes; }

}  // namespace

MemoryPass::MemoryPass(const MemN2NShape& shape, const MemoryScheme& scheme, const GradientRules& rules)
    : shape_(shape),
      matrices_(memory_matrices(shape)),
      roles_(shape),
      stride_(padded(shape.d, std::max(kRowLanes, kCodeLanes))),
      embedding_(roles_.has_H ? 2 : matrices_.size()),
      rows_(&rows_path(chosen_isa())),
      rules_(rules),
      scheme_(scheme),
      parameters_(matrices_.size()),
      words_(padded(shape.vocabulary, kRowLanes)),
      m_(shape.hops),
      c_(shape.hops),
      p_(shape.hops),
      u_(shape.hops + 1, Floats(stride_)),
      probabilities_(words_) {
  if (shape.encoding == SentenceEncoding::kPosition) {
    const std::vector<float> weights = encoding_weights(shape);
    l_.resize((shape.sentence + 1) * stride_);
    for (std::size_t i = 0; i < weights.size(); ++i) l_[i / shape.d * stride_ + i % shape.d] = weights[i];
  }
  for (std::size_t place = 0; place < matrices_.size(); ++place) {
    parameters_[place].values.resize(matrices_[place].rows * stride_);
    parameters_[place].gradient.resize(matrices_[place].rows * stride_);
  }
  if (scheme.is_float()) W_transposed_.resize(shape.d * words_);
  if (scheme.is_float() && roles_.has_H) H_transposed_.resize(shape.d * stride_);
  if (scheme.is_fixed()) decoded_.resize(fixed_.emplace(shape, scheme).codes().embeddings().size());
}

void MemoryPass::set_scales(const MemoryScales& scales) {
  if (scaled_)
    scaled_->set_scales(scales);
  else
    scaled_.emplace(shape_, scheme_, scales);
}

void MemoryPass::set_parameters(std::span<const float> parameters) {
  const std::size_t d = shape_.d;
  slots_.clear();
  if (scaled_) scaled_->set_parameters(parameters);
  for (std::size_t place = 0; place < matrices_.size(); ++place)
    for (std::size_t row = 0; row < matrices_[place].rows; ++row) {
      float* values = &parameters_[place].values[row * stride_];
      if (scaled_)
        decode(&scaled_->weights(place)[row * d], d, scaled_->scales().weights[place], values);
      else
        std::copy_n(parameters.data() + matrices_[place].offset + row * d, d, values);
    }
  if (fixed_) fixed_->set_parameters(parameters);
  if (!scheme_.is_float()) return;
  const Floats& W = parameters_[roles_.W].values;
  for (std::size_t word = 0; word < shape_.vocabulary; ++word)
    for (std::size_t j = 0; j < d; ++j) W_transposed_[j * words_ + word] = W[word * stride_ + j];
  if (roles_.has_H)
    for (std::size_t j = 0; j < d; ++j)
      for (std::size_t k = 0; k < d; ++k)
        H_transposed_[k * stride_ + j] = parameters_[roles_.H].values[j * stride_ + k];
}

// Visits (row of the matrix, encoding weights or null) of every word; row 0 is no word.
template <typename Visit>
void MemoryPass::for_each_row(WordNumbers words, const Visit& visit) const {
  for (std::size_t j = 0; j < words.size(); ++j)
    if (words[j] != 0)
      visit(static_cast<std::size_t>(words[j]), l_.empty() ? nullptr : &l_[word_slot(shape_, j) * stride_]);
}

void MemoryPass::run_hops(const MemoryQuestion& question, bool linear) {
  const std::size_t facts = question.facts.size();
  if (question.sentences.empty()) slots_.clear();
  slot_of_fact_.resize(facts);
  for (std::size_t i = 0; i < facts; ++i) {
    const SentenceSlots::Slot slot =
        question.sentences.empty() ? slots_.unnumbered() : slots_.of(question.sentences[i]);
    slot_of_fact_[i] = slot.row;
    if (!slot.is_new) continue;
    for (std::size_t place = 0; place < embedding_; ++place) {
      Matrix& matrix = parameters_[place];
      if (matrix.sentences.size() < slots_.rows() * stride_) matrix.sentences.resize(slots_.rows() * stride_);
      float* sums = &matrix.sentences[slot.row * stride_];
      std::fill_n(sums, stride_, 0.0f);
      for_each_row(question.facts[i], [&](std::size_t row, const float* l) {
        rows_->add(l, &matrix.values[row * stride_], stride_, sums);
      });
    }
  }
  for (std::size_t place = 0; place < embedding_; ++place) {
    Matrix& matrix = parameters_[place];
    matrix.facts.resize(facts * stride_);
    for (std::size_t i = 0; i < facts; ++i) {
      std::copy_n(&matrix.sentences[slot_of_fact_[i] * stride_], stride_, &matrix.facts[i * stride_]);
      if (shape_.temporal)
        rows_->add(time_weights(), &matrix.values[(shape_.vocabulary + question.age(i)) * stride_], stride_,
                   &matrix.facts[i * stride_]);
    }
  }
  std::ranges::fill(u_[0], 0.0f);
  for_each_row(question.words, [&](std::size_t row, const float* l) {
    rows_->add(l, &parameters_[roles_.B].values[row * stride_], stride_, u_[0].data());
  });
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    m_[hop] = parameters_[roles_.A[hop]].facts.data();
    c_[hop] = parameters_[roles_.C[hop]].facts.data();
    std::vector<float>& p = p_[hop];
    p.resize(facts);
    rows_->dots(m_[hop], facts, u_[hop].data(), stride_, p.data());
    if (!linear) memory_softmax(p, shape_.empty_facts(facts));
    Floats& next = u_[hop + 1];
    if (roles_.has_H) {
      std::ranges::fill(next, 0.0f);
      rows_->add_weighted(u_[hop].data(), H_transposed_.data(), shape_.d, stride_, next.data());
    } else {
      std::ranges::copy(u_[hop], next.begin());
    }
    rows_->add_weighted(p.data(), c_[hop], facts, stride_, next.data());
  }
}

void MemoryPass::run_fixed_hops(const MemoryQuestion& question, bool linear) {
  fixed_->run(question, linear);
  const FixedCodes& codes = fixed_->codes();
  const std::size_t size = question.facts.size() * stride_;
  const auto decode_rows = [&](const std::int16_t* rows, SignMagnitudeFormat format, std::size_t count, Floats& reals) {
    if (reals.size() < count) reals.resize(count);
    codes.kernels().decode(rows, count, static_cast<float>(format.step()), reals.data());
  };
  const bool needs_m = !codes.is_hamming(), needs_c = !rules_.coded_read;
  for (std::size_t place = 0; place < decoded_.size(); ++place)
    decode_rows(fixed_->facts(place).codes, codes.embeddings()[place].format, size, decoded_[place]);
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    m_[hop] = needs_m ? decoded_[codes.m_of(hop)].data() : nullptr;
    c_[hop] = needs_c ? decoded_[codes.c_of(hop)].data() : nullptr;
    decode_rows(fixed_->hop(hop).u.data(), codes.u_format(hop), stride_, u_[hop]);
    fixed_->attention(hop, p_[hop]);
  }
  decode_rows(fixed_->output().data(), codes.base(), stride_, u_.back());
}

void MemoryPass::run_scaled_hops(const MemoryQuestion& question) {
  scaled_->run(question);
  const MemoryScales& scales = scaled_->scales();
  const std::size_t d = shape_.d, facts = question.facts.size();
  for (std::size_t place = 0; place < embedding_; ++place) {
    Floats& reals = parameters_[place].facts;
    if (reals.size() < facts * stride_) reals.resize(facts * stride_);
    for (std::size_t i = 0; i < facts; ++i)
      decode(&scaled_->embedded(place)[i * d], d, scales.embedded[place], &reals[i * stride_]);
  }
  for (std::size_t hop = 0; hop < shape_.hops; ++hop) {
    m_[hop] = parameters_[roles_.A[hop]].facts.data();
    c_[hop] = parameters_[roles_.C[hop]].facts.data();
    decode(scaled_->hop(hop).query.data(), d, scheme_.one_bit_query ? scales.query[hop] : scales.u[hop],
           u_[hop].data());
    p_[hop] = scaled_->attention(hop);
  }
  decode(scaled_->output().data(), d, scales.u[shape_.hops], u_.back().data());
}

AnswerLoss answer_loss(std::span<float> scores, std::int32_t answer) {
  scores[0] = 0;  // number 0 is no answer
  memory_softmax(scores.subspan(1));
  const double probability = answer == 0 ? 0.0 : static_cast<double>(scores[static_cast<std::size_t>(answer)]);
  return {probability > 0 ? std::min(kImpossible, -std::log(probability)) : kImpossible, probability};
}

MemoryPass::Outcome MemoryPass::forward(const MemoryQuestion& question, std::int32_t answer, bool linear) {
  answer_ = answer;
  linear_ = linear;
  if (fixed_)
    run_fixed_hops(question, linear);
  else if (scaled_)
    run_scaled_hops(question);
  else
    run_hops(question, linear);

  if (scaled_) {
    const double step = scaled_->score_step();
    const std::span<const std::int32_t> scores = scaled_->scores();
    for (std::size_t word = 1; word < shape_.vocabulary; ++word)
      probabilities_[word] = static_cast<float>(scores[word] * step);
  } else if (fixed_) {
    fixed_->real_scores(std::span(probabilities_).first(shape_.vocabulary));
  } else {
    std::ranges::fill(probabilities_, 0.0f);
    rows_->add_weighted(u_.back().data(), W_transposed_.data(), shape_.d, words_, probabilities_.data());
  }
  Outcome outcome;
  const std::span<float> scores = std::span(probabilities_).first(shape_.vocabulary);
  outcome.word = best_word(scores);
  const AnswerLoss found = answer_loss(scores, answer);
  outcome.loss = found.loss;
  outcome.probability = found.probability;
  return outcome;
}

// Adds the gradients of (N4) to d_c, sets d_p_.
void MemoryPass::read_backward(std::size_t place, std::size_t facts, float* d_c) {
  d_p_.resize(facts);
  if (!fixed_ || !rules_.coded_read) {
    rows_->dots(c_[place], facts, d_o_.data(), stride_, d_p_.data());
    rows_->add_outer(p_[place].data(), facts, d_o_.data(), stride_, d_c);
    return;
  }
  const FixedCodes& codes = fixed_->codes();
  const SignMagnitudePath& kernels = codes.kernels();
  const SignMagnitudeFormat base = codes.base(), end{1, std::max(0, scheme_.bits - 2)};
  const std::int32_t limit = base.limit();
  const auto end_step = static_cast<float>(end.step());
  coded_.resize(stride_);
  sums_.resize(facts);
  kernels.code(d_o_.data(), stride_, base, coded_.data());
  kernels.product_dots(fixed_->facts(codes.c_of(place)).base_codes, facts, coded_.data(), stride_,
                       {base.fraction, limit}, sums_.data());
  for (std::size_t i = 0; i < facts; ++i) {
    // Beyond this limit the end format's is reached: no shift overflows.
    const std::int32_t code = reformatted(std::clamp(sums_[i], -4 * limit, 4 * limit), base, end);
    d_p_[i] = static_cast<float>(code) * end_step;
  }
  kernels.add_coded_outer(fixed_->hop(place).p_codes.data(), facts, coded_.data(), stride_, base, end, d_c);
}

// Adds the gradients of (N2) to d_m and d_u_; d_p_ holds that of s.
void MemoryPass::similarity_backward(std::size_t place, std::size_t facts, float* d_m) {
  if (!fixed_ || !fixed_->codes().is_hamming()) {
    rows_->add_outer(d_p_.data(), facts, u_[place].data(), stride_, d_m);
    rows_->add_weighted(d_p_.data(), m_[place], facts, stride_, d_u_.data());
    return;
  }
  const FixedCodes& codes = fixed_->codes();
  for (float& d_s : d_p_) d_s = std::ldexp(d_s, -kHammingShift);
  codes.kernels().add_hamming_slopes(d_p_.data(), fixed_->facts(codes.m_of(place)).fine_codes, facts,
                                     fixed_->hop(place).u_fine.data(), stride_,
                                     {codes.base(), scheme_.fine_fraction(), rules_.released_slope}, d_m, d_u_.data());
}

void MemoryPass::backward(const MemoryQuestion& question) {
  if (answer_ == 0) return;
  const std::size_t facts = question.facts.size();
  for (std::size_t place = 0; place < embedding_; ++place) parameters_[place].d_facts.assign(facts * stride_, 0.0f);

  // (N6) and the softmax of the answer: its gradient is probabilities - one hot.
  Matrix& W = parameters_[roles_.W];
  probabilities_[static_cast<std::size_t>(answer_)] -= 1.0f;
  d_u_.assign(stride_, 0.0f);
  rows_->add_weighted(probabilities_.data(), W.values.data(), shape_.vocabulary, stride_, d_u_.data());
  rows_->add_outer(probabilities_.data(), shape_.vocabulary, u_.back().data(), stride_, W.gradient.data());
  for (std::size_t hop = shape_.hops; hop-- > 0;) {
    d_o_ = d_u_;
    if (roles_.has_H) {  // (N5)
      Matrix& H = parameters_[roles_.H];
      std::ranges::fill(d_u_, 0.0f);
      rows_->add_weighted(d_o_.data(), H.values.data(), shape_.d, stride_, d_u_.data());
      rows_->add_outer(d_o_.data(), shape_.d, u_[hop].data(), stride_, H.gradient.data());
    }
    read_backward(hop, facts, parameters_[roles_.C[hop]].d_facts.data());  // (N4)
    if (!linear_) {  // (N3); empty facts have p too, but nothing that is read of them or learns by them
      const std::vector<float>& p = p_[hop];
      float mean = 0;
      for (std::size_t i = 0; i < facts; ++i) mean += p[i] * d_p_[i];
      for (std::size_t i = 0; i < facts; ++i) d_p_[i] = p[i] * (d_p_[i] - mean);
    }
    similarity_backward(hop, facts, parameters_[roles_.A[hop]].d_facts.data());  // (N2)
  }
  for_each_row(question.words, [&](std::size_t row, const float* l) {
    rows_->add(l, d_u_.data(), stride_, &parameters_[roles_.B].gradient[row * stride_]);
  });
  for (std::size_t i = 0; i < facts; ++i) {
    const SentenceSlots::Slot slot =
        question.sentences.empty() ? gradient_slots_.unnumbered() : gradient_slots_.of(question.sentences[i]);
    if (slot.is_new) {
      if (gradient_sentences_.size() < gradient_slots_.rows()) gradient_sentences_.resize(gradient_slots_.rows());
      gradient_sentences_[slot.row].assign(question.facts[i].begin(), question.facts[i].end());
    }
    for (std::size_t place = 0; place < embedding_; ++place) {
      Matrix& matrix = parameters_[place];
      if (matrix.d_sentences.size() < gradient_slots_.rows() * stride_)
        matrix.d_sentences.resize(gradient_slots_.rows() * stride_);
      const float* d_fact = &matrix.d_facts[i * stride_];
      float* d_sentence = &matrix.d_sentences[slot.row * stride_];
      if (slot.is_new) std::fill_n(d_sentence, stride_, 0.0f);
      rows_->add(nullptr, d_fact, stride_, d_sentence);
      if (shape_.temporal)
        rows_->add(time_weights(), d_fact, stride_, &matrix.gradient[(shape_.vocabulary + question.age(i)) * stride_]);
    }
  }
}

void MemoryPass::take_gradient(std::span<float> gradient) {
  for (std::size_t place = 0; place < matrices_.size(); ++place) {
    Matrix& matrix = parameters_[place];
    for (std::size_t slot = 0; embeds_facts(place) && slot < gradient_slots_.rows(); ++slot)
      for_each_row(gradient_sentences_[slot], [&](std::size_t row, const float* l) {
        rows_->add(l, &matrix.d_sentences[slot * stride_], stride_, &matrix.gradient[row * stride_]);
      });
    for (std::size_t row = 0; row < matrices_[place].rows; ++row)
      std::copy_n(&matrix.gradient[row * stride_], shape_.d, &gradient[matrices_[place].offset + row * shape_.d]);
    std::ranges::fill(matrix.gradient, 0.0f);
  }
  gradient_slots_.clear();
}

}  // namespace quaver
