// activation_constants.h - the stored numbers of A9 and A10, shared by the scalar curves and their vector forms.
// Internal.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>

#include "quaver/fixed/rounding.h"

namespace quaver {

// A constant with 31 fraction bits at Raw's width: the 16-bit curves round it once more, as gemmlowp does.
template <std::signed_integral Raw>
constexpr Raw curve_constant(std::int32_t q31) {
  return static_cast<Raw>(divide_by_pot(q31, 31 - std::numeric_limits<Raw>::digits));
}

inline constexpr std::int32_t kExpMinusEighth = 1895147668;
inline constexpr std::int32_t kOneThird = 715827883;

// exp(-2^exponent), one stage a bit of the argument; -2 is a quarter, the step of the coarse part.
struct ExpStage {
  int exponent;
  std::int32_t factor;
};
inline constexpr std::array<ExpStage, 7> kExpStages{
    {{-2, 1672461947}, {-1, 1302514674}, {0, 790015084}, {1, 290630308}, {2, 39332535}, {3, 720401}, {4, 242}}};

// Newton's start for 1/d, d in [1/2, 1): 48/17 - 32/17 d, in Q2.29.
inline constexpr std::int32_t kReciprocalStart = 1515870810;
inline constexpr std::int32_t kReciprocalSlope = -1010580540;

}  // namespace quaver
