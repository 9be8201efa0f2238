// softmax.h - probabilities from int16 logits, in integers                                                   (A29)
//
//   d[j] = logit[j] - max logit  <= 0;   e[j] = exp(scale d[j]) in Q0.31, its argument rounded to Q5.26
//   probability[j] = e[j] / sum e, rounded to Q0.15; 1 is coded as 32767
// The largest logit has e = 1, so the sum is never 0. Nothing is stored between the two passes over the logits: each
// exponential is computed twice, which spares an array of n.
// Error against real numbers, in units of 2^-15: at most 0.57 + n 2^-13, and up to 1 where 32767 stands for 1.
// Others may take part that are all alike and whose probabilities nobody asks for: they are among the n of the bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "quaver/fixed/multiplier.h"

namespace quaver {

struct SoftmaxRule {
  Multiplier to_q5_26;  // one logit step in Q5.26; its exponent is at most 30

  // logit_scale: real units per code, in (0, 16), else Error. At 16 one code is already a factor of e^16.
  static SoftmaxRule from_scale(float logit_scale);
};

struct SoftmaxOthers {
  std::int32_t logit = 0;   // of each, within -32768..32767
  std::uint32_t count = 0;  // at most 65536
};

// n <= 2^31; the arrays do not overlap unless they are the same. Gives what the others get together; of n = 0 they get
// all, and without any 0.
std::int16_t softmax_i16(const std::int16_t* logits, std::size_t n, const SoftmaxRule& rule,
                         std::int16_t* probability_q0_15, const SoftmaxOthers& others = {}) noexcept;

// The same probabilities for a caller with many logits, most of them far below the largest: each exponential is looked
// up instead of computed, and only those probabilities are formed that are asked for.
class SoftmaxTable {
 public:
  explicit SoftmaxTable(const SoftmaxRule& rule);

  // Differences from the largest logit that have an exponential above 0: 0 .. size() - 1, at most 65536 of them. It
  // falls with the difference, never rises.
  std::size_t size() const { return exponentials_q0_31_.size() - 1; }
  // Of a logit `below` the largest one, below >= 0.
  std::int32_t exponential_q0_31(std::int32_t below) const noexcept {
    const std::size_t place = static_cast<std::size_t>(below);
    return exponentials_q0_31_[place < size() ? place : size()];
  }
  // Sum of the exponentials of logits within -32768..32767, none above `largest`; n <= 2^31.
  std::int64_t sum_q0_31(const std::int32_t* logits, std::size_t n, std::int32_t largest) const noexcept;
  // The same of others, their logit not above `largest` either, if there are any.
  std::int64_t sum_q0_31(const SoftmaxOthers& others, std::int32_t largest) const noexcept {
    return others.count == 0 ? 0 : std::int64_t{others.count} * exponential_q0_31(largest - others.logit);
  }

 private:
  std::vector<std::int32_t> exponentials_q0_31_;  // the last one is 0 and stands for all that are further away
};
// (A29) of one exponential, or of the sum of up to 65536 of them. sum_q0_31 >= 1.
std::int16_t softmax_probability_q0_15(std::int64_t exponential_q0_31, std::int64_t sum_q0_31) noexcept;

// The same of many exponentials over one sum, which divides once. sum_q0_31 in 1 .. 2^62.
class SoftmaxSum {
 public:
  explicit SoftmaxSum(std::int64_t sum_q0_31) noexcept
      : sum_(static_cast<std::uint64_t>(sum_q0_31)), inverse_(~std::uint64_t{0} / sum_) {}
  // With the inverse rounded down the quotient is at most 1 too small, for its numerator is below 2^63.
  std::int16_t probability_q0_15(std::int32_t exponential_q0_31) const noexcept {
    const std::uint64_t numerator = (static_cast<std::uint64_t>(exponential_q0_31) << 15) + sum_ / 2;
    const std::uint64_t quotient = upper_product(numerator, inverse_);
    const std::uint64_t rounded = quotient + (numerator - quotient * sum_ >= sum_ ? 1 : 0);
    return static_cast<std::int16_t>(rounded < 32767 ? rounded : 32767);
  }

 private:
  static std::uint64_t upper_product(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> 64);
  }
  std::uint64_t sum_, inverse_;
};

}  // namespace quaver
