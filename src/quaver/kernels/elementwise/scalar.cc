#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "quaver/core/check.h"
#include "quaver/fixed/rounding.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {
namespace {

// Products of two int16 fit int32; sums with a requantized int32 need the wider type.
std::int8_t to_code(std::int32_t value, OutputCodes codes) {
  const std::int64_t code = std::int64_t{value} + codes.zero_point;
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(code, codes.low, codes.high));
}

void requantize_i16(const std::int32_t* acc_i32, const RowMultipliers& m, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) out[j] = saturate<std::int16_t>(m.rescaling(j).apply(acc_i32[j]));
}

void requantize_sum_i16(const std::int32_t* a_i32, const RowMultipliers& ma, const std::int32_t* b_i32,
                        const RowMultipliers& mb, SumLimits limits, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    const std::int64_t a = std::clamp(ma.rescaling(j).apply(a_i32[j]), limits.low, limits.high);
    out[j] = saturate<std::int16_t>(a + mb.rescaling(j).apply(b_i32[j]));
  }
}

void requantize_i8(const std::int32_t* acc_i32, const RowMultipliers& m, OutputCodes codes, std::size_t n,
                   std::int8_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) out[j] = to_code(m.rescaling(j).apply(acc_i32[j]), codes);
}

void add_rescaled_i8(const std::int32_t* a_i32, Rescaling ma, const std::int32_t* b_i32, Rescaling mb, int bits,
                     std::int32_t limit, std::size_t n, std::int8_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    const auto sum = saturate<std::int32_t>(std::int64_t{ma.apply(a_i32[j])} + mb.apply(b_i32[j]));
    out[j] = static_cast<std::int8_t>(std::clamp(divide_by_pot(sum, bits), -limit, limit));
  }
}

void peephole_add(const std::int32_t* sum_i32, const std::int16_t* p, const std::int16_t* c, Multiplier m,
                  std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) out[j] = saturate<std::int16_t>(std::int64_t{sum_i32[j]} + m.apply(p[j] * c[j]));
}

void add_sums(const std::int32_t* a_i32, const std::int32_t* b_i32, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) out[j] = saturate<std::int16_t>(a_i32[j] + (b_i32 == nullptr ? 0 : b_i32[j]));
}

void curve(Curve curve, const std::int16_t* in, int integer_bits, std::size_t n, std::int16_t* out_q0_15) noexcept {
  const auto apply = curve_row(curve).apply;
  for (std::size_t j = 0; j < n; ++j) out_q0_15[j] = apply(in[j], integer_bits);
}

void one_minus(const std::int16_t* gate_q0_15, std::size_t n, std::int16_t* out_q0_15) noexcept {
  for (std::size_t j = 0; j < n; ++j) out_q0_15[j] = saturate<std::int16_t>(32767 - gate_q0_15[j]);
}

void lstm_cell_update(const std::int16_t* i_q0_15, const std::int16_t* f_q0_15, const std::int16_t* z_q0_15,
                      int fraction_bits, std::int32_t clip, std::size_t n, std::int16_t* c) noexcept {
  QUAVER_DCHECK(fraction_bits >= 9 && fraction_bits <= 15 && clip >= 0 && clip <= 32767);
  const std::int32_t low = clip > 0 ? -clip : -32768;
  const std::int32_t high = clip > 0 ? clip : 32767;
  for (std::size_t j = 0; j < n; ++j) {
    const std::int32_t kept = divide_by_pot(f_q0_15[j] * c[j], 15);
    const std::int32_t added = divide_by_pot(i_q0_15[j] * z_q0_15[j], 30 - fraction_bits);
    c[j] = static_cast<std::int16_t>(std::clamp(kept + added, low, high));
  }
}

void lstm_hidden(const std::int16_t* o_q0_15, const std::int16_t* t_q0_15, Multiplier m, OutputCodes codes,
                 std::size_t n, std::int8_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) out[j] = to_code(m.apply(o_q0_15[j] * t_q0_15[j]), codes);
}

void gru_reset_after(const std::int32_t* a_i32, const std::int16_t* r_q0_15, const std::int16_t* u, int shift,
                     std::size_t n, std::int16_t* out_q3_12) noexcept {
  for (std::size_t j = 0; j < n; ++j)
    out_q3_12[j] = saturate<std::int16_t>(a_i32[j] + divide_by_pot(r_q0_15[j] * u[j], shift));
}

void gru_reset_before(const std::int16_t* r_q0_15, const std::int16_t* h_q0_15, const StateCodes& codes, std::size_t n,
                      std::int8_t* out) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    QUAVER_DCHECK(r_q0_15[j] >= 0);
    out[j] = codes.code_of_product(r_q0_15[j], h_q0_15[j]);
  }
}

void state_codes(const std::int16_t* h_q0_15, const StateCodes& codes, std::size_t n, std::int8_t* h8) noexcept {
  for (std::size_t j = 0; j < n; ++j) h8[j] = codes.code(h_q0_15[j]);
}

void gru_state_update(const std::int16_t* z_q0_15, const std::int16_t* cand_q0_15, const StateCodes& codes,
                      std::size_t n, std::int16_t* h_q0_15, std::int8_t* h8) noexcept {
  for (std::size_t j = 0; j < n; ++j) {
    QUAVER_DCHECK(z_q0_15[j] >= 0);
    const std::int32_t kept = divide_by_pot(z_q0_15[j] * (h_q0_15[j] - cand_q0_15[j]), 15);
    h_q0_15[j] = saturate<std::int16_t>(cand_q0_15[j] + kept);
  }
  state_codes(h_q0_15, codes, n, h8);
}

}  // namespace

const ElementwisePath kScalarElementwise{.isa = Isa::kScalar,
                                         .requantize_i16 = requantize_i16,
                                         .requantize_sum_i16 = requantize_sum_i16,
                                         .requantize_i8 = requantize_i8,
                                         .add_rescaled_i8 = add_rescaled_i8,
                                         .peephole_add = peephole_add,
                                         .add_sums = add_sums,
                                         .curve = curve,
                                         .one_minus = one_minus,
                                         .lstm_cell_update = lstm_cell_update,
                                         .lstm_hidden = lstm_hidden,
                                         .gru_reset_after = gru_reset_after,
                                         .gru_reset_before = gru_reset_before,
                                         .gru_state_update = gru_state_update,
                                         .state_codes = state_codes};

}  // namespace quaver
