// fixed_steps.h - how a memory network answers in Q-MANN's fixed point: the statements of ref.h in the same order, on
// codes. They stand here only; FixedCodes has (F1) and what the parameters became.
//
//   s_i  = Q(sum_j Q(Q(u_j) Q(m_ij)))              or the weighted Hamming similarity (M5)                         (F2)
//   p    = softmax(s) beside empty facts of similarity 0                                                           (N3)
//   o_j  = Q(sum_i Q(Q(c_ij) Q(p_i)))                                                                              (F3)
//   u'_j = Q(Q(sum_k Q(H_jk Q(u_k))) + o_j)        adjacent: Q(Q(u_j) + o_j)                                       (F4)
//   scores = sum_j Q(W_wj) u_j, exact              integer_only; W in the scheme's format                          (F5)
// Q: (M1)-(M3) of fixed/sign_magnitude.h. Where no hop is named, the format is the scheme's. The softmax and the answer
// layer are float, as in the released program, or integer too (MemoryScheme::integer_only): then no float operation is
// executed.
//
// `Rows` says how codes are stored and which kernels read them: MemN2NFixed has rows of 16 bits and keeps all that a
// question passes through, the runtime (engine/memory/fixed_memory_cell.cc) has bytes packed for its kernels and takes
// several questions at a time. A question's u and sums are Rows' own:
//
//   questions(), facts()                        how many
//   compare_bits(hop, x, formats, end)          s of all questions: (M5) of m and the operand x, |s| at most end
//   compare_products(hop, x, rule, end)         the same: sums of products of m, in the scheme's format, and x
//   real_similarities(hop, q, step)             span of s step, [facts]
//   softmax(hop, q, empty, weight_of)           p by (A29) in Q0.15, and weight_of(p) as what the read multiplies with
//   weigh(hop, q, weight)                       weight(i, s_i) as what the read multiplies with
//   set_nothing(hop, q, p)                      what all empty facts get together
//   keep_state(hop, q)                          state sums = u
//   multiply_by_H(hop, q, x, rule)              state sums = sum_k Q(H_jk x_k); exact where x or H are signs
//   state_sums(q)                               span of them, [d]
//   read(hop, q, rule)                          read sums = sum_i Q(c_ij weight_i), c in the scheme's format
//   add(hop, q, state)                          u = Q(Q(state sums in format `state`) + Q(read sums)), scheme's format
//   score(q)                                    (F5), exact
//   score_in_float(q)                           (N6) by FixedCodes
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/cells/memn2n/fixed_codes.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/kernels/softmax/softmax.h"

namespace quaver {

// What becomes of u before it is compared or multiplied.
struct FixedOperand {
  bool sign = false;             // +-1 (M4)
  SignMagnitudeFormat from, to;  // else Q(u) (M3)
};

// (F2)
template <typename Rows>
void compare_with_memory(const FixedCodes& codes, std::size_t hop, Rows& rows) {
  const SignMagnitudeFormat base = codes.base(), fine = codes.fine();
  FixedOperand x{.from = codes.u_format(hop), .to = codes.is_hamming() ? fine : base};
  if (codes.is_hamming()) {
    rows.compare_bits(hop, x, HammingFormats{base, fine.fraction}, codes.similarity_limit());
  } else {
    x.sign = codes.scheme().one_bit_query;
    rows.compare_products(hop, x, ProductRule{x.sign ? 0 : base.fraction, base.limit()}, codes.similarity_limit());
  }
}

// (N3) linear: p = s.
template <typename Rows>
void attend(const FixedCodes& codes, std::size_t hop, std::size_t question, bool linear, Rows& rows) {
  const SignMagnitudeFormat base = codes.base();
  // An empty fact's similarity is 0 by definition, also where a Hamming similarity of zeros would not be.
  const std::size_t empty = codes.shape().empty_facts(rows.facts());
  if (!codes.scheme().integer_only) {
    const std::span<float> p = rows.real_similarities(hop, question, static_cast<float>(codes.similarity_step()));
    rows.set_nothing(hop, question, linear ? 0 : memory_softmax(p, empty));
    rows.weigh(hop, question, [&](std::size_t fact, std::int32_t /*s*/) { return sign_magnitude_code(p[fact], base); });
  } else if (linear) {
    const int extra = codes.similarity_fraction() - base.fraction;
    const std::int32_t limit = base.limit();
    rows.weigh(hop, question, [&](std::size_t /*fact*/, std::int32_t s) {
      return std::clamp(truncating_shift(s, extra), -limit, limit);
    });
  } else {
    const int shift = 15 - base.fraction;
    const std::int32_t limit = base.limit();
    rows.softmax(hop, question, SoftmaxOthers{.logit = 0, .count = static_cast<std::uint32_t>(empty)},
                 [&](std::int32_t p_q0_15) { return std::min(p_q0_15 >> shift, limit); });
  }
}

// (F3) (F4)
template <typename Rows>
void next_u(const FixedCodes& codes, std::size_t hop, std::size_t question, Rows& rows) {
  const MemoryScheme& scheme = codes.scheme();
  const SignMagnitudeFormat base = codes.base();
  SignMagnitudeFormat state = codes.u_format(hop);
  if (codes.has_H()) {
    const FixedCodes::Matrix& H = codes.H(hop);
    const FixedOperand x{.sign = scheme.one_bit_query, .from = state, .to = H.format};
    const int fraction = x.sign ? 0 : H.format.fraction;
    rows.multiply_by_H(hop, question, x, ProductRule{scheme.one_bit_weights ? 0 : fraction, H.format.limit()});
    if (scheme.one_bit_weights)
      for (std::int32_t& sum : rows.state_sums(question))
        sum = codes.limited_sum(H, sum, H.shift - (H.format.fraction - fraction));
    state = H.format;
  } else {
    rows.keep_state(hop, question);
  }
  rows.read(hop, question, ProductRule{base.fraction, base.limit()});
  rows.add(hop, question, state);
}

// All hops and the scores, from the first u on. linear: of a linear start's first phase.
template <typename Rows>
void answer_by_steps(const FixedCodes& codes, bool linear, Rows& rows) {
  for (std::size_t hop = 0; hop < codes.shape().hops; ++hop) {
    compare_with_memory(codes, hop, rows);
    for (std::size_t question = 0; question < rows.questions(); ++question) {
      attend(codes, hop, question, linear, rows);
      next_u(codes, hop, question, rows);
    }
  }
  for (std::size_t question = 0; question < rows.questions(); ++question) {
    if (codes.scheme().integer_only) {
      rows.score(question);
    } else {
      rows.score_in_float(question);
    }
  }
}

}  // namespace quaver
