// activation.h - sigmoid, tanh and exp in integers, bit for bit those of gemmlowp and LiteRT on int16.
//
//   sigmoid: Qm.(15-m) -> Q0.15, m = 3 or 4      tanh: Qm.(15-m) -> Q0.15, m = 0..6                       (A10, A11)
// exp(-y) is a product of stored constants selected by the bits of y and a fourth-order Taylor remainder (A9); the
// division is three Newton-Raphson steps. sigmoid(0) = 2^14 and tanh(0) = 0 exactly; +1 is coded as 32767.
// Worst errors over all 65,536 inputs, in units of 2^-15 (the test prints and holds them):
// sigmoid 6.40 (m = 3), 6.40 (4); tanh 11.70 (m = 0), 12.05 (1, 2), 11.80 (3), 11.52 (4), 11.19 (5, 6).
#pragma once

#include <cstdint>

namespace quaver {

inline constexpr int kMinSigmoidIntegerBits = 3, kMaxSigmoidIntegerBits = 4;
inline constexpr int kMaxTanhIntegerBits = 6;

// x in Qm.(15-m), m = integer_bits.
std::int16_t sigmoid_q0_15(std::int16_t x, int integer_bits) noexcept;  // (A10)
std::int16_t tanh_q0_15(std::int16_t x, int integer_bits) noexcept;     // (A11)

// (A9) exp of a value <= 0 in Q5.26, as Q0.31: the softmax's exponential.
std::int32_t exp_on_negative_q0_31(std::int32_t x_q5_26) noexcept;

}  // namespace quaver
