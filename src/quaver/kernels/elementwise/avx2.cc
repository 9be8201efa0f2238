// The functions of scalar.cc on 16 lanes, the same bits. Where a line below differs from scalar.cc, the comment says
// why the result does not.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "quaver/core/check.h"
#include "quaver/fixed/activation_constants.h"
#include "quaver/kernels/elementwise/paths.h"

namespace quaver {
namespace {

constexpr int kStageCount = 7;
struct StageI16 {
  int exponent;
  std::int16_t factor;
};
struct StagesI16 {
  StageI16 at[kStageCount];  // a plain array: std::array's operator[] may not be called inside the region
};
constexpr StagesI16 stages_i16() {
  StagesI16 stages{};
  for (std::size_t s = 0; s < kStageCount; ++s) {
    stages.at[s] = {kExpStages[s].exponent, curve_constant<std::int16_t>(kExpStages[s].factor)};
  }
  return stages;
}
constexpr StagesI16 kStages = stages_i16();
constexpr std::int16_t kExpMinusEighth_q0_15 = curve_constant<std::int16_t>(kExpMinusEighth);
constexpr std::int16_t kOneThird_q0_15 = curve_constant<std::int16_t>(kOneThird);
constexpr std::int16_t kReciprocalStart_q2_13 = curve_constant<std::int16_t>(kReciprocalStart);
constexpr std::int16_t kReciprocalSlope_q2_13 = curve_constant<std::int16_t>(kReciprocalSlope);

// What the region needs of RowMultipliers and OutputCodes, without calling std::vector inside it.
struct Rows {
  const std::int32_t* mantissa;
  const std::int32_t* left_shift;
  const std::int32_t* right_shift;
};

Rows rows_of(const RowMultipliers& m) { return {m.mantissa.data(), m.left_shift.data(), m.right_shift.data()}; }

#include "quaver/kernels/dispatch/begin_avx2.inc"

#include "quaver/kernels/dispatch/avx2_lanes.inc"

// m[j].apply(acc[j]) for the elements from j on.
template <bool kShiftsLeft>
inline __m256i requantize(const std::int32_t* acc_i32, Rows m, std::size_t j, std::size_t count) {
  const LaneMultipliers lanes{load_i32(m.mantissa + j, count), load_i32(m.left_shift + j, count),
                              load_i32(m.right_shift + j, count)};
  return apply<kShiftsLeft>(load_i32(acc_i32 + j, count), lanes);
}

template <bool kShiftsLeft>
inline Wide requantize_16(const std::int32_t* acc_i32, Rows m, std::size_t j, std::size_t count) {
  const std::size_t first = at_most(count, 8);
  return {requantize<kShiftsLeft>(acc_i32, m, j, first), requantize<kShiftsLeft>(acc_i32, m, j + first, count - first)};
}

// sat16(base + value) of a wide value: beyond 17 bits the value alone decides, so it is cut to them before the sum.
inline Wide add_without_overflow(Wide base, Wide value) {
  return add(base, clamp(value, _mm256_set1_epi32(-65536), _mm256_set1_epi32(65535)));
}

// clamp(value + zero_point, low, high), clamped first so that the sum stays inside int32.
inline Wide to_codes(Wide value, OutputCodes codes) {
  const __m256i zero_point = _mm256_set1_epi32(codes.zero_point);
  const Wide clamped =
      clamp(value, _mm256_set1_epi32(codes.low - codes.zero_point), _mm256_set1_epi32(codes.high - codes.zero_point));
  return add(clamped, {zero_point, zero_point});
}

template <bool kShiftsLeft>
void requantize_i16_lanes(const std::int32_t* acc_i32, Rows m, std::size_t n, std::int16_t* out) {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i16(out + j, count, narrow_in_order(requantize_16<kShiftsLeft>(acc_i32, m, j, count)));
  }
}

template <bool kShiftsLeft>
void requantize_add_i16_lanes(const std::int32_t* acc_i32, Rows m, std::size_t n, std::int16_t* inout) {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide base = widen_in_order(load_i16(inout + j, count));
    const Wide value = requantize_16<kShiftsLeft>(acc_i32, m, j, count);
    store_i16(inout + j, count, narrow_in_order(add_without_overflow(base, value)));
  }
}

template <bool kShiftsLeft>
void requantize_i8_lanes(const std::int32_t* acc_i32, Rows m, OutputCodes codes, std::size_t n, std::int8_t* out) {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide value = requantize_16<kShiftsLeft>(acc_i32, m, j, count);
    store_i8(out + j, count, narrow_in_order(to_codes(value, codes)));
  }
}

template <bool kShiftsLeft>
void peephole_add_lanes(const std::int16_t* p, const std::int16_t* c, Multiplier multiplier, std::size_t n,
                        std::int16_t* inout) {
  const LaneMultipliers m = same_multiplier(multiplier.mantissa, multiplier.exponent);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide value = apply<kShiftsLeft>(multiply_woven(load_i16(p + j, count), load_i16(c + j, count)), m);
    const Wide base = widen_woven(load_i16(inout + j, count));
    store_i16(inout + j, count, narrow_woven(add_without_overflow(base, value)));
  }
}

template <bool kShiftsLeft>
void lstm_hidden_lanes(const std::int16_t* o_q0_15, const std::int16_t* t_q0_15, Multiplier multiplier,
                       OutputCodes codes, std::size_t n, std::int8_t* out) {
  const LaneMultipliers m = same_multiplier(multiplier.mantissa, multiplier.exponent);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide value =
        apply<kShiftsLeft>(multiply_woven(load_i16(o_q0_15 + j, count), load_i16(t_q0_15 + j, count)), m);
    store_i8(out + j, count, narrow_woven(to_codes(value, codes)));
  }
}

void add_i16(const std::int16_t* a, const std::int16_t* b, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i16(out + j, count, _mm256_adds_epi16(load_i16(a + j, count), load_i16(b + j, count)));
  }
}

// (A2) on 16 lanes. vpmulhrsw is high_mul but for min * min, which no caller has: one factor is always a stored
// constant, or both are smaller than 2^14.
inline __m256i high_mul_i16(__m256i a, __m256i b) { return _mm256_mulhrs_epi16(a, b); }

// (x + 1) / 2 for x >= 0: A3 by one place.
inline __m256i halve(__m256i x) { return _mm256_avg_epu16(x, _mm256_setzero_si256()); }

// exp(a), a in [-1/4, 0) as Q0.15. All sums fit (A9), so none saturates here or there; the powers that A3 halves are
// not negative.
inline __m256i exp_within_quarter(__m256i a) {
  const __m256i base = _mm256_set1_epi16(kExpMinusEighth_q0_15);
  const __m256i x = _mm256_add_epi16(a, _mm256_set1_epi16(1 << 12));
  const __m256i x2 = high_mul_i16(x, x);
  const __m256i x3 = high_mul_i16(x2, x);
  const __m256i x4 = high_mul_i16(x2, x2);
  const __m256i quarter_x4 = _mm256_srai_epi16(_mm256_add_epi16(x4, _mm256_set1_epi16(2)), 2);
  const __m256i cubic = _mm256_add_epi16(quarter_x4, x3);
  const __m256i twice_tail = _mm256_add_epi16(high_mul_i16(cubic, _mm256_set1_epi16(kOneThird_q0_15)), x2);
  return _mm256_add_epi16(base, high_mul_i16(base, _mm256_add_epi16(x, halve(twice_tail))));
}

// (A9) exp(a), a <= 0 in Q(kIntegerBits), as Q0.15.
template <int kIntegerBits>
inline __m256i exp_on_negative(__m256i a) {
  constexpr int kFractionBits = 15 - kIntegerBits;
  const __m256i quarter = _mm256_set1_epi16(1 << (kFractionBits - 2));
  const __m256i mask = _mm256_set1_epi16((1 << (kFractionBits - 2)) - 1);
  const __m256i fine = _mm256_sub_epi16(_mm256_and_si256(a, mask), quarter);
  const __m256i coarse = _mm256_sub_epi16(fine, a);
  __m256i result = exp_within_quarter(_mm256_slli_epi16(fine, kIntegerBits));
  for (int s = 0; s < kStageCount && kStages.at[s].exponent < kIntegerBits; ++s) {
    const __m256i bit = _mm256_set1_epi16(static_cast<std::int16_t>(1 << (kFractionBits + kStages.at[s].exponent)));
    const __m256i chosen = _mm256_cmpeq_epi16(_mm256_and_si256(coarse, bit), bit);
    result = _mm256_blendv_epi8(result, high_mul_i16(result, _mm256_set1_epi16(kStages.at[s].factor)), chosen);
  }
  if constexpr (kIntegerBits > 5) {
    const __m256i end = _mm256_set1_epi16(static_cast<std::int16_t>(-(1 << (kFractionBits + 5))));
    result = _mm256_andnot_si256(_mm256_cmpgt_epi16(end, a), result);
  }
  const __m256i is_zero = _mm256_cmpeq_epi16(a, _mm256_setzero_si256());
  return _mm256_blendv_epi8(result, _mm256_set1_epi16(32767), is_zero);
}

// (A10) 2 / (1 + a) in Q2.13. d = (a + 32768) / 2 is the rounding average of a and 32767; the correction is below 2^13
// after its shift (A10), so the shift needs no saturation.
inline __m256i reciprocal_q2_13(__m256i a_q0_15) {
  const __m256i d = _mm256_avg_epu16(a_q0_15, _mm256_set1_epi16(32767));
  __m256i x = _mm256_add_epi16(_mm256_set1_epi16(kReciprocalStart_q2_13),
                               high_mul_i16(d, _mm256_set1_epi16(kReciprocalSlope_q2_13)));
  for (int step = 0; step < 3; ++step) {
    const __m256i rest = _mm256_sub_epi16(_mm256_set1_epi16(1 << 13), high_mul_i16(d, x));
    x = _mm256_add_epi16(x, _mm256_slli_epi16(high_mul_i16(x, rest), 2));
  }
  return x;
}

inline __m256i minus_magnitude(__m256i x) {  // min of x and -x; -(-32768) wraps to itself, which is what is wanted
  return _mm256_min_epi16(x, _mm256_sub_epi16(_mm256_setzero_si256(), x));
}

inline __m256i twice_saturated(__m256i x) { return _mm256_adds_epi16(x, x); }

inline __m256i sigmoid_of(__m256i x) {
  const __m256i positive = twice_saturated(reciprocal_q2_13(exp_on_negative<3>(minus_magnitude(x))));
  // 32767 - positive is positive ^ 32767 for 0 <= positive.
  const __m256i is_negative = _mm256_cmpgt_epi16(_mm256_setzero_si256(), x);
  const __m256i result = _mm256_xor_si256(positive, _mm256_and_si256(is_negative, _mm256_set1_epi16(32767)));
  const __m256i is_zero = _mm256_cmpeq_epi16(x, _mm256_setzero_si256());
  return _mm256_blendv_epi8(result, _mm256_set1_epi16(1 << 14), is_zero);
}

template <int kIntegerBits>
inline __m256i tanh_of(__m256i x) {
  const __m256i reciprocal = reciprocal_q2_13(exp_on_negative<kIntegerBits + 1>(minus_magnitude(x)));
  const __m256i rest = _mm256_sub_epi16(reciprocal, _mm256_set1_epi16(1 << 13));
  return _mm256_sign_epi16(twice_saturated(twice_saturated(rest)), x);  // 0 for x = 0
}

void sigmoid(const std::int16_t* in, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i16(out + j, count, sigmoid_of(load_i16(in + j, count)));
  }
}

template <int kIntegerBits>
void tanh_lanes(const std::int16_t* in, std::size_t n, std::int16_t* out) {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i16(out + j, count, tanh_of<kIntegerBits>(load_i16(in + j, count)));
  }
}

void one_minus(const std::int16_t* in, std::size_t n, std::int16_t* out) noexcept {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i16(out + j, count, _mm256_subs_epi16(_mm256_set1_epi16(32767), load_i16(in + j, count)));
  }
}

// Products of two int16 are at most 2^30, so divide()'s sum fits.
void lstm_cell_update(const std::int16_t* i, const std::int16_t* f, const std::int16_t* z, int fraction_bits,
                      std::int32_t clip, std::size_t n, std::int16_t* c) noexcept {
  const Divisor by_gate = divisor(15);
  const Divisor by_product = divisor(30 - fraction_bits);
  const __m256i low = _mm256_set1_epi16(static_cast<std::int16_t>(clip > 0 ? -clip : -32768));
  const __m256i high = _mm256_set1_epi16(static_cast<std::int16_t>(clip > 0 ? clip : 32767));
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide kept = divide(multiply_woven(load_i16(f + j, count), load_i16(c + j, count)), by_gate);
    const Wide added = divide(multiply_woven(load_i16(i + j, count), load_i16(z + j, count)), by_product);
    const __m256i sum = narrow_woven(add(kept, added));
    store_i16(c + j, count, _mm256_min_epi16(_mm256_max_epi16(sum, low), high));
  }
}

void gru_reset_after(const std::int16_t* a, const std::int16_t* r, const std::int16_t* u, std::size_t n,
                     std::int16_t* out) noexcept {
  const Divisor by_gate = divisor(15);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide product = divide(multiply_woven(load_i16(r + j, count), load_i16(u + j, count)), by_gate);
    store_i16(out + j, count, narrow_woven(add(widen_woven(load_i16(a + j, count)), product)));
  }
}

void gru_reset_before(const std::int16_t* r, const std::int16_t* h, std::size_t n, std::int8_t* out) noexcept {
  const Divisor to_codes_of_state = divisor(23);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const Wide product = multiply_woven(load_i16(r + j, count), load_i16(h + j, count));
    store_i8(out + j, count, narrow_woven(divide(product, to_codes_of_state)));
  }
}

// (A27) divide_by_pot(h, 8) in 16 bits, saturated to 8: where the sums saturate, the result is past int8's end anyway.
inline __m256i narrow_state_of(__m256i h) {
  const __m256i lowered = _mm256_adds_epi16(h, _mm256_srai_epi16(h, 15));
  return _mm256_srai_epi16(_mm256_adds_epi16(lowered, _mm256_set1_epi16(128)), 8);
}

void narrow_state(const std::int16_t* h, std::size_t n, std::int8_t* h8) noexcept {
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    store_i8(h8 + j, count, narrow_state_of(load_i16(h + j, count)));
  }
}

// (A26) z (h - cand) has a 17-bit factor; vpmaddwd has it as z h + (-z) cand. |product| <= 32767 * 65535, and adding
// divide()'s half stays below 2^31.
void gru_state_update(const std::int16_t* z, const std::int16_t* cand, std::size_t n, std::int16_t* h,
                      std::int8_t* h8) noexcept {
  const Divisor by_gate = divisor(15);
  for (std::size_t j = 0; j < n; j += 16) {
    const std::size_t count = at_most(n - j, 16);
    const __m256i gate = load_i16(z + j, count);
    const __m256i minus_gate = _mm256_sub_epi16(_mm256_setzero_si256(), gate);
    const __m256i candidate = load_i16(cand + j, count);
    const __m256i state = load_i16(h + j, count);
    const Wide product{
        _mm256_madd_epi16(_mm256_unpacklo_epi16(gate, minus_gate), _mm256_unpacklo_epi16(state, candidate)),
        _mm256_madd_epi16(_mm256_unpackhi_epi16(gate, minus_gate), _mm256_unpackhi_epi16(state, candidate))};
    const __m256i next = narrow_woven(add(widen_woven(candidate), divide(product, by_gate)));
    store_i16(h + j, count, next);
    store_i8(h8 + j, count, narrow_state_of(next));
  }
}

#include "quaver/kernels/dispatch/end_avx2.inc"

// The choices that are made once a call, in baseline code.
void requantize_i16(const std::int32_t* acc_i32, const RowMultipliers& m, std::size_t n, std::int16_t* out) noexcept {
  const auto run = m.shifts_left ? requantize_i16_lanes<true> : requantize_i16_lanes<false>;
  run(acc_i32, rows_of(m), n, out);
}

void requantize_add_i16(const std::int32_t* acc_i32, const RowMultipliers& m, std::size_t n,
                        std::int16_t* inout) noexcept {
  const auto run = m.shifts_left ? requantize_add_i16_lanes<true> : requantize_add_i16_lanes<false>;
  run(acc_i32, rows_of(m), n, inout);
}

void requantize_i8(const std::int32_t* acc_i32, const RowMultipliers& m, OutputCodes codes, std::size_t n,
                   std::int8_t* out) noexcept {
  const auto run = m.shifts_left ? requantize_i8_lanes<true> : requantize_i8_lanes<false>;
  run(acc_i32, rows_of(m), codes, n, out);
}

void peephole_add(const std::int16_t* p, const std::int16_t* c, Multiplier m, std::size_t n,
                  std::int16_t* inout) noexcept {
  const auto run = m.exponent > 0 ? peephole_add_lanes<true> : peephole_add_lanes<false>;
  run(p, c, m, n, inout);
}

void lstm_hidden(const std::int16_t* o_q0_15, const std::int16_t* t_q0_15, Multiplier m, OutputCodes codes,
                 std::size_t n, std::int8_t* out) noexcept {
  const auto run = m.exponent > 0 ? lstm_hidden_lanes<true> : lstm_hidden_lanes<false>;
  run(o_q0_15, t_q0_15, m, codes, n, out);
}

void tanh(const std::int16_t* in, int integer_bits, std::size_t n, std::int16_t* out_q0_15) noexcept {
  switch (integer_bits) {
    case 0: return tanh_lanes<0>(in, n, out_q0_15);
    case 1: return tanh_lanes<1>(in, n, out_q0_15);
    case 2: return tanh_lanes<2>(in, n, out_q0_15);
    case 3: return tanh_lanes<3>(in, n, out_q0_15);
    case 4: return tanh_lanes<4>(in, n, out_q0_15);
    case 5: return tanh_lanes<5>(in, n, out_q0_15);
    case 6: return tanh_lanes<6>(in, n, out_q0_15);
    default: QUAVER_DCHECK(false);
  }
}

}  // namespace

const ElementwisePath kAvx2Elementwise{.isa = Isa::kAvx2,
                                       .requantize_i16 = requantize_i16,
                                       .requantize_add_i16 = requantize_add_i16,
                                       .requantize_i8 = requantize_i8,
                                       .peephole_add = peephole_add,
                                       .add_i16 = add_i16,
                                       .sigmoid = sigmoid,
                                       .tanh = tanh,
                                       .one_minus = one_minus,
                                       .lstm_cell_update = lstm_cell_update,
                                       .lstm_hidden = lstm_hidden,
                                       .gru_reset_after = gru_reset_after,
                                       .gru_reset_before = gru_reset_before,
                                       .gru_state_update = gru_state_update,
                                       .narrow_state = narrow_state};

}  // namespace quaver

#endif
