#include "quaver/fixed/inverse_sqrt.h"

#include <bit>
#include <cstdint>
#include <limits>

#include "quaver/core/check.h"
#include "quaver/fixed/rounding.h"

namespace quaver {

// (A12) v is scaled by a power of 4 into [2^27, 2^29); half of that, read as Q3.28, is u in [1/4, 1). Newton for
// 1/sqrt(u): x <- 3/2 x - u/2 x^3, x in Q3.28, from x = 1. The power of 4 comes back as a shift of the result.
Multiplier inverse_sqrt(std::int32_t v) noexcept {
  QUAVER_DCHECK(v >= 0);
  if (v <= 1) return {std::numeric_limits<std::int32_t>::max(), 0};
  int right_shift = 11;
  while (v >= (1 << 29)) {
    v /= 4;
    ++right_shift;
  }
  const int free_pairs = std::countl_zero(static_cast<std::uint32_t>(v)) - 1;  // unused bits below the sign
  const int pairs = free_pairs / 2 - 1;
  right_shift -= pairs;
  v *= 1 << (2 * pairs);

  constexpr std::int32_t kOne_q3_28 = 1 << 28;
  constexpr std::int32_t kThreeHalves_q3_28 = kOne_q3_28 + kOne_q3_28 / 2;
  constexpr std::int32_t kHalfSqrt2_q0_31 = 1518500250;
  const std::int32_t half_u_q3_28 = divide_by_pot(v >> 1, 1);
  std::int32_t x_q3_28 = kOne_q3_28;
  for (int step = 0; step < 5; ++step) {
    const std::int32_t cube_q9_22 = high_mul(high_mul(x_q3_28, x_q3_28), x_q3_28);
    const std::int32_t cube_q3_28 = shift_left_saturating(cube_q9_22, 6);
    x_q3_28 = shift_left_saturating(high_mul(kThreeHalves_q3_28, x_q3_28) - high_mul(half_u_q3_28, cube_q3_28), 3);
  }
  x_q3_28 = high_mul(x_q3_28, kHalfSqrt2_q0_31);
  if (right_shift < 0) return {x_q3_28 * (1 << -right_shift), 0};
  return {x_q3_28, -right_shift};
}

}  // namespace quaver
