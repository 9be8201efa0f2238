#include "quaver/kernels/softmax/softmax.h"

#include <algorithm>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/fixed/activation.h"
#include "quaver/fixed/rounding.h"

namespace quaver {
namespace {

// Multiplier::apply would saturate its left shift long before Q5.26 ends: scales above 2^-11 would lose e^-16. A
// difference has 17 bits, so the whole product fits 64 and is rounded once.
std::int32_t exponential_of(std::int32_t difference, Multiplier to_q5_26) {
  const std::int64_t product = std::int64_t{difference} * to_q5_26.mantissa;
  const std::int64_t x_q5_26 = divide_rounded(product, std::int64_t{1} << (31 - to_q5_26.exponent));
  return exp_on_negative_q0_31(saturate<std::int32_t>(x_q5_26));
}

}  // namespace

SoftmaxRule SoftmaxRule::from_scale(float logit_scale) {
  if (!(logit_scale > 0.0f && logit_scale < 16.0f)) {
    throw_bad_input(concat("softmax's logits have the scale ", logit_scale,
                           ", expected more than 0 and less than 16; quantize them over a narrower range"));
  }
  return {Multiplier::from_real(static_cast<double>(logit_scale) * 0x1p26)};
}

std::int16_t softmax_i16(const std::int16_t* logits, std::size_t n, const SoftmaxRule& rule,
                         std::int16_t* probability_q0_15, const SoftmaxOthers& others) noexcept {
  if (n == 0 && others.count == 0) return 0;
  std::int32_t largest = others.count > 0 ? others.logit : INT16_MIN;
  for (std::size_t j = 0; j < n; ++j) largest = std::max<std::int32_t>(largest, logits[j]);
  const std::int64_t others_q0_31 =
      others.count > 0 ? others.count * std::int64_t{exponential_of(others.logit - largest, rule.to_q5_26)} : 0;
  std::int64_t sum_q0_31 = others_q0_31;
  for (std::size_t j = 0; j < n; ++j) sum_q0_31 += exponential_of(logits[j] - largest, rule.to_q5_26);
  for (std::size_t j = 0; j < n; ++j) {
    probability_q0_15[j] = softmax_probability_q0_15(exponential_of(logits[j] - largest, rule.to_q5_26), sum_q0_31);
  }
  return softmax_probability_q0_15(others_q0_31, sum_q0_31);
}

std::int16_t softmax_probability_q0_15(std::int64_t exponential_q0_31, std::int64_t sum_q0_31) noexcept {
  return saturate<std::int16_t>(divide_rounded(exponential_q0_31 * 32768, sum_q0_31));
}

SoftmaxTable::SoftmaxTable(const SoftmaxRule& rule) {
  constexpr std::int32_t kMostBelow = 65535;  // logits have 16 bits
  for (std::int32_t below = 0; below <= kMostBelow; ++below) {
    const std::int32_t exponential = exponential_of(-below, rule.to_q5_26);
    if (exponential == 0) break;
    exponentials_q0_31_.push_back(exponential);
  }
  exponentials_q0_31_.push_back(0);
}

std::int64_t SoftmaxTable::sum_q0_31(const std::int32_t* logits, std::size_t n, std::int32_t largest) const noexcept {
  const std::int32_t* exponentials = exponentials_q0_31_.data();
  const auto last = static_cast<std::uint32_t>(size());
  std::int64_t sums[4] = {};  // that do not wait for each other
  std::size_t j = 0;
  for (; j + 4 <= n; j += 4)
    for (std::size_t k = 0; k < 4; ++k)
      sums[k] += exponentials[std::min(static_cast<std::uint32_t>(largest - logits[j + k]), last)];
  for (; j < n; ++j) sums[0] += exponentials[std::min(static_cast<std::uint32_t>(largest - logits[j]), last)];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace quaver
