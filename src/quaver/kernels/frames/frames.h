// frames.h - the border of a model: frames of reals to int8 codes in float32, where that is sure, and codes to reals.
//
//   x'   = (x - mean) inverse_deviation       where the model normalises; what is not finite counts as 0
//   code = A1(x' / scale) + zero_point, cut to int8                                                   (A6)
// q = x' (1 / scale) in float32 has two roundings of at most 2^-24 each: within +-384, beyond which codes end whatever
// it is, it differs from the quotient by less than 2^-14. Where it is 2^-13 and more from a half, both round alike. All
// paths return the same bits: no product is fused with an addition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quaver/kernels/dispatch/dispatch.h"

namespace quaver {

struct FrameRule {
  const float* mean = nullptr;               // [n]; null: not normalised
  const float* inverse_deviation = nullptr;  // [n], with mean
  float steps_per_unit = 1.0f;               // 1 / scale, rounded once
  std::int32_t zero_point = 0;               // an int8 code
};

struct FramesPath {
  Isa isa;
  // codes[0..n) of frame[0..n). False where a quotient lies so near to a half that float32 does not tell: the codes are
  // then to be made in float64.
  bool (*code)(const float* frame, const FrameRule& rule, std::size_t n, std::int8_t* codes) noexcept;
  // reals[j] = scale (codes[j] - zero_point), rounded once.
  void (*decode)(const std::int8_t* codes, float scale, std::int32_t zero_point, std::size_t n, float* reals) noexcept;
  bool (*are_finite)(const float* reals, std::size_t n) noexcept;  // all of them
};
std::span<const FramesPath> frames_paths();  // row 0 is scalar
const FramesPath& frames_path(Isa isa);

}  // namespace quaver
