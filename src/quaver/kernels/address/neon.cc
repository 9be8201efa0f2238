#if defined(__aarch64__)

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "quaver/kernels/address/paths.h"

namespace quaver {
namespace {

using V = uint8x16_t;
using Mask = uint8x16_t;
using Shift = int16x8_t;
constexpr std::size_t kBytes = 16;

inline int8x16_t i8(V a) { return vreinterpretq_s8_u8(a); }
inline int16x8_t i16(V a) { return vreinterpretq_s16_u8(a); }
inline int32x4_t i32(V a) { return vreinterpretq_s32_u8(a); }
inline uint64x2_t u64(V a) { return vreinterpretq_u64_u8(a); }
inline V bytes(int16x8_t a) { return vreinterpretq_u8_s16(a); }
inline V bytes(int32x4_t a) { return vreinterpretq_u8_s32(a); }
inline V bytes(uint64x2_t a) { return vreinterpretq_u8_u64(a); }

inline V load(const void* from) { return vld1q_u8(static_cast<const std::uint8_t*>(from)); }
inline void store(void* to, V value) { vst1q_u8(static_cast<std::uint8_t*>(to), value); }
inline void store_i32(std::int32_t* to, V value) { store(to, value); }
inline V zero() { return vdupq_n_u8(0); }
inline V set_u8(int x) { return vdupq_n_u8(static_cast<std::uint8_t>(x)); }
inline V set_i16(int x) { return bytes(vdupq_n_s16(static_cast<std::int16_t>(x))); }
inline V set_i32(std::int32_t x) { return bytes(vdupq_n_s32(x)); }
inline V set_u32(std::uint32_t x) { return vreinterpretq_u8_u32(vdupq_n_u32(x)); }
inline V set_u64(std::uint64_t x) { return bytes(vdupq_n_u64(x)); }
inline Shift shift_of(int bits) { return vdupq_n_s16(static_cast<std::int16_t>(-bits)); }

inline V xor_(V a, V b) { return veorq_u8(a, b); }
inline V or_(V a, V b) { return vorrq_u8(a, b); }
inline V and_(V a, V b) { return vandq_u8(a, b); }
inline V abs_i8(V a) { return vreinterpretq_u8_s8(vabsq_s8(i8(a))); }
inline V adds_u8(V a, V b) { return vqaddq_u8(a, b); }
inline V subs_u8(V a, V b) { return vqsubq_u8(a, b); }
inline V min_u8(V a, V b) { return vminq_u8(a, b); }
inline V halve_u8(V a) { return vshrq_n_u8(a, 1); }
inline Mask negative_i8(V a) { return vcltzq_s8(i8(a)); }
inline V select(Mask mask, V yes, V no) { return vbslq_u8(mask, yes, no); }

inline V multiply_i16(V a, V b) { return bytes(vmulq_s16(i16(a), i16(b))); }
inline V high_u16(V a, V b) {
  const uint16x8_t x = vreinterpretq_u16_u8(a), y = vreinterpretq_u16_u8(b);
  return vreinterpretq_u8_u16(vuzp2q_u16(vreinterpretq_u16_u32(vmull_u16(vget_low_u16(x), vget_low_u16(y))),
                                         vreinterpretq_u16_u32(vmull_high_u16(x, y))));
}
inline V add_i16(V a, V b) { return bytes(vaddq_s16(i16(a), i16(b))); }
inline V min_u16(V a, V b) { return vreinterpretq_u8_u16(vminq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b))); }
inline V min_i16(V a, V b) { return bytes(vminq_s16(i16(a), i16(b))); }
inline V max_i16(V a, V b) { return bytes(vmaxq_s16(i16(a), i16(b))); }
inline V sign_i16(V a) { return bytes(vshrq_n_s16(i16(a), 15)); }
inline V shift_left_i16(V a, Shift minus_bits) { return bytes(vshlq_s16(i16(a), vnegq_s16(minus_bits))); }
inline V shift_right_i16(V a, Shift minus_bits) { return bytes(vshlq_s16(i16(a), minus_bits)); }
inline V shift_right_u16(V a, Shift minus_bits) {
  return vreinterpretq_u8_u16(vshlq_u16(vreinterpretq_u16_u8(a), minus_bits));
}

inline V min_i32(V a, V b) { return bytes(vminq_s32(i32(a), i32(b))); }
inline V max_i32(V a, V b) { return bytes(vmaxq_s32(i32(a), i32(b))); }
inline V add_pairs(V acc, V a) { return bytes(vpadalq_s16(i32(acc), i16(a))); }
inline V add_exact(V acc, V code, V query) {
  const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(i8(code)), vget_low_s8(i8(query))));
  return bytes(vaddq_s32(i32(acc), vpaddq_s32(low, vpaddlq_s16(vmull_high_s8(i8(code), i8(query))))));
}
inline V add_signed(V acc, V values, Mask mask) {
  const int8x16_t terms = vsubq_s8(i8(xor_(values, mask)), i8(mask));
  return add_pairs(acc, bytes(vpaddlq_s8(terms)));
}

inline V exact_start(const std::int8_t* /*query*/, std::size_t /*groups*/) { return zero(); }

inline V widen_i16(const std::int8_t* codes) { return bytes(vmovl_s8(vld1_s8(codes))); }
inline bool any_equal_i32(V a, V b) { return vmaxvq_u32(vceqq_s32(i32(a), i32(b))) != 0; }
inline V abs_i16(V a) { return bytes(vabsq_s16(i16(a))); }
inline V load_narrow(const std::int32_t* sums) {
  return bytes(vcombine_s16(vqmovn_s32(vld1q_s32(sums)), vqmovn_s32(vld1q_s32(sums + 4))));
}
inline V narrow_bytes(V low, V high) {
  return vreinterpretq_u8_s8(vcombine_s8(vmovn_s16(i16(low)), vmovn_s16(i16(high))));
}
inline void store_narrow(std::int8_t* to, V codes) { vst1_s8(to, vmovn_s16(i16(codes))); }
inline void transpose(V (&rows)[4]) {
  const int32x4_t a = vtrn1q_s32(i32(rows[0]), i32(rows[1])), b = vtrn2q_s32(i32(rows[0]), i32(rows[1]));
  const int32x4_t c = vtrn1q_s32(i32(rows[2]), i32(rows[3])), d = vtrn2q_s32(i32(rows[2]), i32(rows[3]));
  const auto low = [](int32x4_t x, int32x4_t y) { return bytes(vcombine_s32(vget_low_s32(x), vget_low_s32(y))); };
  const auto high = [](int32x4_t x, int32x4_t y) { return bytes(vcombine_s32(vget_high_s32(x), vget_high_s32(y))); };
  rows[0] = low(a, c);
  rows[1] = low(b, d);
  rows[2] = high(a, c);
  rows[3] = high(b, d);
}
inline void add_to_sums(std::int32_t* sums, V terms) {
  vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(i16(terms))));
  vst1q_s32(sums + 4, vaddw_high_s16(vld1q_s32(sums + 4), i16(terms)));
}

inline V popcounts(V words) { return bytes(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vcntq_u8(words))))); }
inline V add_i64(V a, V b) { return bytes(vaddq_u64(u64(a), u64(b))); }

#include "quaver/kernels/address/vector.inc"

#include "quaver/kernels/address/calls.inc"

}  // namespace

const AddressPath kNeonAddress{Isa::kNeon, split,    narrow,    hamming,     truncated,   exact, agreement,
                               read,       sum_rows, code_rows, code_packed, add_limited, find,  largest};

}  // namespace quaver

#endif
