// lane_constants.h - what vector kernels read inside their target regions, where no inline function of a header may be
// called, std::array's operator[] included: the stored numbers of the curves at 16 bits, rows of multipliers. Internal
// to kernels/.
#pragma once

#include <cstdint>

#include "quaver/fixed/activation_constants.h"
#include "quaver/fixed/curve.h"
#include "quaver/fixed/multiplier.h"

namespace quaver {

inline constexpr int kStageCount = 7;
struct StageI16 {
  int exponent;
  std::int16_t factor;
};
struct StagesI16 {
  StageI16 at[kStageCount];
};
constexpr StagesI16 stages_i16() {
  StagesI16 stages{};
  for (std::size_t s = 0; s < kStageCount; ++s) {
    stages.at[s] = {kExpStages[s].exponent, curve_constant<std::int16_t>(kExpStages[s].factor)};
  }
  return stages;
}
inline constexpr StagesI16 kStages = stages_i16();
constexpr int stages_below(int exponent) {
  int count = 0;
  while (count < kStageCount && kStages.at[count].exponent < exponent) ++count;
  return count;
}
inline constexpr std::int16_t kExpMinusEighth_q0_15 = curve_constant<std::int16_t>(kExpMinusEighth);
inline constexpr std::int16_t kOneThird_q0_15 = curve_constant<std::int16_t>(kOneThird);
inline constexpr std::int16_t kReciprocalStart_q2_13 = curve_constant<std::int16_t>(kReciprocalStart);
inline constexpr std::int16_t kReciprocalSlope_q2_13 = curve_constant<std::int16_t>(kReciprocalSlope);

// What the region needs of RowMultipliers and OutputCodes, without calling std::vector inside it.
struct Rows {
  const std::int32_t* mantissa;
  const std::int32_t* left_shift;
  const std::int32_t* right_shift;
};

inline Rows rows_of(const RowMultipliers& m) { return {m.mantissa.data(), m.left_shift.data(), m.right_shift.data()}; }

}  // namespace quaver
