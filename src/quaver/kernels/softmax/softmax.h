// softmax.h - probabilities from int16 logits, in integers                                                   (A29)
//
//   d[j] = logit[j] - max logit  <= 0;   e[j] = exp(scale d[j]) in Q0.31, its argument rounded to Q5.26
//   probability[j] = e[j] / sum e, rounded to Q0.15; 1 is coded as 32767
// The largest logit has e = 1, so the sum is never 0. Nothing is stored between the two passes over the logits: each
// exponential is computed twice, which spares an array of n.
// Error against real numbers, in units of 2^-15: at most 0.57 + n 2^-13, and up to 1 where 32767 stands for 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quaver/fixed/multiplier.h"

namespace quaver {

struct SoftmaxRule {
  Multiplier to_q5_26;  // one logit step in Q5.26; its exponent is at most 30

  // logit_scale: real units per code, in (0, 16), else Error. At 16 one code is already a factor of e^16.
  static SoftmaxRule from_scale(float logit_scale);
};

// n <= 2^31; the arrays do not overlap unless they are the same. n = 0 does nothing.
void softmax_i16(const std::int16_t* logits, std::size_t n, const SoftmaxRule& rule,
                 std::int16_t* probability_q0_15) noexcept;

}  // namespace quaver
