// elementwise.h - the arithmetic between the matrix products: requantize, activate, update. One table of functions a
// path.
//
// Every function works on n elements, any n >= 0, any alignment, arrays not overlapping unless named inout. All paths
// return the bits of scalar.cc, which calls fixed/ element by element. None allocates or throws. Multipliers are as
// Multiplier::from_real makes them: a mantissa below 0 has no meaning here.
// Names of formats: acc_i32 accumulators; gate_q0_15 gates and GRU state; integer_bits m of a Qm.(15-m).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/fixed/curve.h"
#include "quaver/fixed/multiplier.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/rounding.h"
#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

// Codes are stored as LiteRT's arithmetic needs them: zero point added first, then clamped to [low, high]. low <= high
// are int8 codes; the zero point may be any number within +-2^30.
struct OutputCodes {
  std::int32_t zero_point = 0;
  std::int32_t low = -128;
  std::int32_t high = 127;
  bool operator==(const OutputCodes&) const = default;
};

// Where the sum of a gate is cut off after each of its addends but the last, which sat16 follows.           (A16, A17)
// low <= 0 <= high, both within +-2^29.
struct SumLimits {
  std::int32_t low, high;
  bool operator==(const SumLimits&) const = default;
};
inline constexpr SumLimits kCutHalves{-32768, 32767};        // LiteRT's rule
inline constexpr SumLimits kWholeSums{-(1 << 29), 1 << 29};  // as good as none: A17 says why

// How a state h in Q0.15 becomes the int8 codes that products and the next node read: times (2^15 + excess)
// 2^-(15+shift), which is 2^-15 / scale. All of it fits 16 bits, which vector paths are fast in. (A27)
struct StateCodes {
  std::int16_t excess = 0;      // -2^14 .. 0
  std::int32_t shift = 1;       // 1..16
  std::int32_t zero_point = 0;  // an int8 code

  static StateCodes from(const Affine& format);  // scale >= kFinestStateScale
  std::int8_t code(std::int16_t h) const {
    const std::int32_t scaled = h + high_mul(h, excess);
    return saturate<std::int8_t>(divide_by_pot(scaled, shift) + zero_point);
  }
  // (A25) Of r h, r >= 0: the product's magnitude is cut to Q0.15, so that rounding to the code comes last.
  std::int8_t code_of_product(std::int16_t r, std::int16_t h) const {
    const std::int32_t magnitude = (r * (h < 0 ? -h : h)) >> 15;
    return code(static_cast<std::int16_t>(h < 0 ? -magnitude : magnitude));
  }
  bool operator==(const StateCodes&) const = default;
};
inline constexpr float kFinestStateScale = 0x1p-14f;  // two steps of the state

struct ElementwisePath {
  Isa isa;

  // out[j] = sat16(m[j].apply(acc[j]))                                                                       (A16)
  void (*requantize_i16)(const std::int32_t* acc_i32, const RowMultipliers& m, std::size_t n,
                         std::int16_t* out) noexcept;
  // out[j] = sat16(clamp(ma[j].apply(a[j]), low, high) + mb[j].apply(b[j]))                             (A16, A17)
  void (*requantize_sum_i16)(const std::int32_t* a_i32, const RowMultipliers& ma, const std::int32_t* b_i32,
                             const RowMultipliers& mb, SumLimits limits, std::size_t n, std::int16_t* out) noexcept;
  // out[j] = clamp(m[j].apply(acc[j]) + zero_point, low, high)                                               (A18)
  void (*requantize_i8)(const std::int32_t* acc_i32, const RowMultipliers& m, OutputCodes codes, std::size_t n,
                        std::int8_t* out) noexcept;
  // out[j] = clamp(divide_by_pot(sat32(ma.apply(a[j]) + mb.apply(b[j])), bits), -limit, limit); bits in 1..15, limit in
  // 0..127: two sums of different steps to one code                                                         (A17, S6)
  void (*add_rescaled_i8)(const std::int32_t* a_i32, Rescaling ma, const std::int32_t* b_i32, Rescaling mb, int bits,
                          std::int32_t limit, std::size_t n, std::int8_t* out) noexcept;
  // out[j] = sat16(sum[j] + m.apply(p[j] c[j])): the peephole, |sum| <= 2^29                                 (A19)
  void (*peephole_add)(const std::int32_t* sum_i32, const std::int16_t* p, const std::int16_t* c, Multiplier m,
                       std::size_t n, std::int16_t* out) noexcept;
  // out[j] = sat16(a[j] + b[j]), |a|, |b| <= 2^29; b null: sat16(a[j])                                       (A20)
  void (*add_sums)(const std::int32_t* a_i32, const std::int32_t* b_i32, std::size_t n, std::int16_t* out) noexcept;

  // out[j] = the curve of in[j] in Qm.(15-m), m = integer_bits one of the curve's (fixed/curve.h). In place is allowed
  // (out == in).                                                                                        (A10, A11)
  void (*curve)(Curve curve, const std::int16_t* in, int integer_bits, std::size_t n, std::int16_t* out_q0_15) noexcept;
  // out[j] = 32767 - in[j]: CIFG's input gate; in place allowed                                              (A21)
  void (*one_minus)(const std::int16_t* gate_q0_15, std::size_t n, std::int16_t* out_q0_15) noexcept;

  // c[j] = clamp(sat16(divide_by_pot(f[j] c[j], 15) + divide_by_pot(i[j] z[j], 30 - fraction_bits)), -clip, clip);
  // fraction_bits = 15 - m_c in 9..15; clip in 1..32767, or 0 for no clip (then -32768 is reachable)         (A22)
  void (*lstm_cell_update)(const std::int16_t* i_q0_15, const std::int16_t* f_q0_15, const std::int16_t* z_q0_15,
                           int fraction_bits, std::int32_t clip, std::size_t n, std::int16_t* c) noexcept;
  // out[j] = clamp(m.apply(o[j] t[j]) + zero_point, low, high), t = tanh(c) in Q0.15                         (A23)
  void (*lstm_hidden)(const std::int16_t* o_q0_15, const std::int16_t* t_q0_15, Multiplier m, OutputCodes codes,
                      std::size_t n, std::int8_t* out) noexcept;

  // out[j] = sat16(a[j] + divide_by_pot(r[j] u[j], shift)): reset after the product; u in Qm.(15-m), |a| <= 2^29,
  // shift = 18 - m in 11..15                                                                                 (A24)
  void (*gru_reset_after)(const std::int32_t* a_i32, const std::int16_t* r_q0_15, const std::int16_t* u, int shift,
                          std::size_t n, std::int16_t* out_q3_12) noexcept;
  // out[j] = codes.code_of_product(r[j], h[j]): reset before the product; r >= 0                             (A25)
  void (*gru_reset_before)(const std::int16_t* r_q0_15, const std::int16_t* h_q0_15, const StateCodes& codes,
                           std::size_t n, std::int8_t* out) noexcept;
  // h[j] = sat16(cand[j] + divide_by_pot(z[j] (h[j] - cand[j]), 15)), then h8 as state_codes gives it       (A26)
  // z in 0..32767 so that the product fits int32.
  void (*gru_state_update)(const std::int16_t* z_q0_15, const std::int16_t* cand_q0_15, const StateCodes& codes,
                           std::size_t n, std::int16_t* h_q0_15, std::int8_t* h8) noexcept;
  // h8[j] = codes.code(h[j])                                                                                 (A27)
  void (*state_codes)(const std::int16_t* h_q0_15, const StateCodes& codes, std::size_t n, std::int8_t* h8) noexcept;
};

std::span<const ElementwisePath> elementwise_paths();  // row 0 is scalar
const ElementwisePath& elementwise_path(Isa isa);      // Error when it was not built

}  // namespace quaver
