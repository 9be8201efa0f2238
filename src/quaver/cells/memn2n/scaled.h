// scaled.h - the memory network in integers with a scale a tensor; training and running both compute with this.
//
// The statements of ref.h in the same order. Codes are at most `bits` wide (N = 2^(bits-1) - 1), sums are int32 and
// exact, every tensor is rounded once, and no float operation lies between the words and the answer.
//
//   m_ij = [s_E s_l / s_m](sum_w l_w E_wj)       limited to +-N; c and u likewise                              (S1)
//   t_i  = sum_j m_ij u_j                        one_bit_query: sum_j +-m_ij; of an empty fact 0               (S2)
//   s_i  = [s_m s_u / s_s](t_i), limited to +-N;      relative: [..](t_i - max t), not below -(2N + 1)         (S3)
//   p    = softmax(s) in Q0.15 (A29), rounded to bits, at most 2N + 1: unsigned, step 2^-bits                  (S4)
//   o_j  = sum_i p_i c_ij                                                                                      (S5)
//   u'_j = ([2^(8-bits) ..s_c / s_u'](o_j) + [2^8 s_u / s_u'](u_j)) / 2^8, limited to +-N; layer-wise: H u for u  (S6)
//   scores_w = sum_j W_wj u_j                    W has one scale: the highest score is the answer              (S7)
// [r](x) is A5, or A3 where all scales are powers of two: then r is a shift, and nothing is multiplied by it. l: codes
// of step 2^-(bits-2), for it lies in [0, 2). Signs, of u or of a weight: +1 for x >= 0. Scheme switches for
// measurements: truncation toward zero in the place of every rounding; a shared point, then of l and p (at most N) too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scales.h"
#include "quaver/cells/memn2n/scheme.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

class MemN2NScaled {
 public:
  using Codes = std::vector<std::int8_t>;
  // Of the last run(). m and c of hop k are embedded(roles.A[k]) and embedded(roles.C[k]).
  struct Hop {
    Codes u;                            // [d], as it came: in steps of scales.u[hop]
    Codes query;                        // [d], what the similarity reads: u, or its signs
    std::vector<std::int32_t> t;        // [facts]
    std::vector<std::int16_t> s;        // [facts], in steps of scales.s[hop]
    std::vector<std::int16_t> p_q0_15;  // [facts]
    std::vector<std::uint8_t> p;        // [facts], steps of p_step()
    std::int16_t nothing_q0_15 = 0;     // p of all empty facts together
    std::vector<std::int32_t> o;        // [d], steps of p_step() of c's
  };

  // Error (usage) for a scheme that is none or not scaled, (bad input) for scales that do not fit.
  MemN2NScaled(const MemN2NShape& shape, const MemoryScheme& scheme, const MemoryScales& scales);
  void set_scales(const MemoryScales& scales);             // before set_parameters(), when they have changed
  void set_parameters(std::span<const float> parameters);  // coded; not kept

  // Up to the vector that W reads, answer() up to the scores, answer_word() to the word of the highest score, the
  // lowest of equals; number 0 is no answer. Of a sentence, words beyond the 65,536th add nothing.
  void run(const MemoryQuestion& question);
  MemoryAnswer answer(const MemoryQuestion& question);
  std::size_t answer_word(const MemoryQuestion& question);

  const Hop& hop(std::size_t hop) const { return hops_[hop]; }
  const Codes& embedded(std::size_t matrix) const { return embedded_[matrix]; }  // [facts, d]
  const Codes& output() const { return u_; }                                     // [d], what W reads
  std::span<const std::int32_t> scores();  // (S7) of the last run(), [vocabulary], in steps of score_step()
  double score_step() const;
  double p_step() const;
  std::vector<float> attention(std::size_t hop) const;  // p in real units, as the softmax gave it
  const Codes& weights(std::size_t matrix) const { return weights_[matrix]; }  // [rows, cols]
  const MemoryScheme& scheme() const { return scheme_; }
  const MemoryScales& scales() const { return scales_; }

  // For a runtime, which embeds a fact when it is told: (S1) to (S6) in parts. A sum is int32, [d].
  void add_words(std::size_t matrix, WordNumbers words, std::int32_t* sum) const;
  void add_age(std::size_t matrix, std::size_t age, std::int32_t* sum) const;
  std::int8_t embedded_code(std::size_t matrix, std::int32_t sum) const;
  std::int8_t question_code(std::int32_t sum) const;  // u of the first hop
  std::int8_t query_code(std::int8_t u) const;        // what the similarity and H read
  // largest: of all t, 0 among them where there are empty facts. Never falls when t rises.
  std::int16_t similarity_code(std::size_t hop, std::int32_t t, std::int32_t largest) const;
  const SoftmaxRule& softmax(std::size_t hop) const { return softmax_[hop]; }
  std::uint8_t read_weight(std::int16_t p_q0_15) const {
    const int shift = 15 - p_fraction_;
    const std::int32_t weight = scheme_.truncation ? p_q0_15 >> shift : divide_by_pot(p_q0_15, shift);
    return static_cast<std::uint8_t>(weight < p_limit_ ? weight : p_limit_);
  }
  std::int8_t next_code(std::size_t hop, std::int32_t o, std::int32_t u) const;  // u: or H u
  // What embedded_code(), question_code(), similarity_code() and next_code() (of o, of u) rescale with before they
  // limit; none where they truncate or shift left by more than Rescaling has.
  using OptionalRescaling = std::optional<Rescaling>;
  OptionalRescaling embedding_rescaling(std::size_t matrix) const { return rescaling_of(to_embedded_[matrix]); }
  OptionalRescaling question_rescaling() const { return rescaling_of(question_to_u_); }
  OptionalRescaling similarity_rescaling(std::size_t hop) const { return rescaling_of(to_s_[hop]); }
  OptionalRescaling read_rescaling(std::size_t hop) const { return rescaling_of(o_to_u_[hop]); }
  OptionalRescaling state_rescaling(std::size_t hop) const { return rescaling_of(u_to_next_[hop]); }
  static constexpr int kGuardBits = 8;  // both terms of (S6) keep so many bits below the code's until they are added

 private:
  void add_row(std::size_t matrix, std::size_t row, std::size_t slot, std::int32_t* sum) const;
  // x times a ratio of scales, rounded.
  struct Rescale {
    Multiplier multiplier;
    int shift = 0;  // power_of_two_scales: the ratio is 2^-shift
    bool shifts = false;
    bool truncates = false;
    std::int32_t apply(std::int32_t x) const;
  };
  static OptionalRescaling rescaling_of(const Rescale& rescale);
  Rescale rescale(double from, double to) const;
  void attend(std::size_t hop, std::size_t facts);
  void next_u(std::size_t hop, std::size_t facts);

  MemN2NShape shape_;
  MemoryScheme scheme_;
  std::vector<MemoryMatrix> matrices_;
  MemoryRoles roles_;
  std::int32_t limit_, p_limit_;
  int l_fraction_, p_fraction_;  // bits behind the point
  Codes l_;                      // encoding weights, [J, d]; empty: all 1
  MemoryScales scales_;
  std::vector<Rescale> to_embedded_;                // a matrix
  Rescale question_to_u_;                           // B
  std::vector<Rescale> to_s_, o_to_u_, u_to_next_;  // a hop
  std::vector<SoftmaxRule> softmax_;                // a hop
  std::vector<Codes> weights_, embedded_;           // a matrix
  std::vector<bool> embeds_;                        // a matrix: facts
  std::vector<Hop> hops_;
  Codes u_;  // of the next hop
  std::vector<std::int32_t> sum_, scores_;
};

}  // namespace quaver
