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

inline V even_i16(V codes) { return bytes(vshrq_n_s16(vshlq_n_s16(i16(codes), 8), 8)); }
inline V odd_i16(V codes) { return bytes(vshrq_n_s16(i16(codes), 8)); }
inline V multiply_i16(V a, V b) { return bytes(vmulq_s16(i16(a), i16(b))); }
inline V add_i16(V a, V b) { return bytes(vaddq_s16(i16(a), i16(b))); }
inline V min_i16(V a, V b) { return bytes(vminq_s16(i16(a), i16(b))); }
inline V max_i16(V a, V b) { return bytes(vmaxq_s16(i16(a), i16(b))); }
inline V sign_i16(V a) { return bytes(vshrq_n_s16(i16(a), 15)); }
inline V shift_right_i16(V a, Shift minus_bits) { return bytes(vshlq_s16(i16(a), minus_bits)); }

using Shift32 = int32x4_t;
inline Shift32 shift32_of(int bits) { return vdupq_n_s32(bits); }
inline V add_i32(V a, V b) { return bytes(vaddq_s32(i32(a), i32(b))); }
inline V shift_left_i32(V a, Shift32 bits) { return bytes(vshlq_s32(i32(a), bits)); }
inline V shift_right_i32(V a, Shift32 bits) { return bytes(vshlq_s32(i32(a), vnegq_s32(bits))); }
inline V sign_i32(V a) { return bytes(vshrq_n_s32(i32(a), 31)); }
inline V widen_i32(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof(four));
  return bytes(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(static_cast<std::uint32_t>(four))))));
}
inline void store_i8(std::int8_t* to, V codes) {
  const int16x4_t halves = vmovn_s32(i32(codes));
  const std::uint64_t lanes = vget_lane_u64(vreinterpret_u64_s8(vmovn_s16(vcombine_s16(halves, halves))), 0);
  const auto four = static_cast<std::uint32_t>(lanes);
  __builtin_memcpy(to, &four, sizeof(four));
}
inline V min_i32(V a, V b) { return bytes(vminq_s32(i32(a), i32(b))); }
inline V max_i32(V a, V b) { return bytes(vmaxq_s32(i32(a), i32(b))); }
inline V add_pairs(V acc, V a) { return bytes(vpadalq_s16(i32(acc), i16(a))); }
inline V add_products(V acc, V a, V b) { return add_pairs(acc, multiply_i16(a, b)); }  // of bytes: they fit
inline V add_signed(V acc, V values, Mask mask) {
  const int8x16_t terms = vsubq_s8(i8(xor_(values, mask)), i8(mask));
  return add_pairs(acc, bytes(vpaddlq_s8(terms)));
}

inline V widen_i16(const std::int8_t* codes) { return bytes(vmovl_s8(vld1_s8(codes))); }
inline void add_to_sums(std::int32_t* sums, V terms) {
  vst1q_s32(sums, vaddw_s16(vld1q_s32(sums), vget_low_s16(i16(terms))));
  vst1q_s32(sums + 4, vaddw_high_s16(vld1q_s32(sums + 4), i16(terms)));
}

inline V popcounts(V words) { return bytes(vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vcntq_u8(words))))); }
inline V add_i64(V a, V b) { return bytes(vaddq_u64(u64(a), u64(b))); }

#include "quaver/kernels/address/vector.inc"

#include "quaver/kernels/address/calls.inc"

}  // namespace

const AddressPath kNeonAddress{Isa::kNeon, hamming, truncated, exact, agreement, read, accumulate, finish};
// Its products are cut before they are summed, which the dot product cannot do.
const AddressPath kNeonDotAddress{Isa::kNeonDot, hamming, truncated, exact, agreement, read, accumulate, finish};

}  // namespace quaver

#endif
