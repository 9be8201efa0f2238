// softmax.h - probabilities from int16 logits, in integers                                                   (A29)
#pragma once

#include <cstddef>
#include <cstdint>

#include "quaver/fixed/multiplier.h"

namespace quaver {

struct SoftmaxRule {
  Multiplier to_q5_26;  // logit codes to Q5.26
  static SoftmaxRule from_scale(float logit_scale);
};

void softmax_i16(const std::int16_t* logits, std::size_t n, const SoftmaxRule& rule,
                 std::int16_t* probability_q0_15) noexcept;

}  // namespace quaver
