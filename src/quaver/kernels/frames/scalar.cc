#include <algorithm>
#include <cmath>
#include <cstddef>

#include "quaver/kernels/frames/constants.h"
#include "quaver/kernels/frames/paths.h"

namespace quaver {
namespace {

bool code(const float* frame, const FrameRule& rule, std::size_t n, std::int8_t* codes) noexcept {
  bool is_sure = true;
  for (std::size_t j = 0; j < n; ++j) {
    float x = std::isfinite(frame[j]) ? frame[j] : 0.0f;
    if (rule.mean != nullptr) x = (x - rule.mean[j]) * rule.inverse_deviation[j];
    const float q = std::clamp(x * rule.steps_per_unit, -kFrameEnd, kFrameEnd);
    const auto steps = static_cast<std::int32_t>(q + std::copysign(0.5f, q));  // toward 0
    is_sure = is_sure && std::abs(q - static_cast<float>(steps)) <= kFrameNearHalf;
    codes[j] = static_cast<std::int8_t>(std::clamp(steps + rule.zero_point, -128, 127));
  }
  return is_sure;
}

void decode(const std::int8_t* codes, float scale, std::int32_t zero_point, std::size_t n, float* reals) noexcept {
  for (std::size_t j = 0; j < n; ++j) reals[j] = scale * static_cast<float>(codes[j] - zero_point);
}

bool are_finite(const float* reals, std::size_t n) noexcept {
  return std::all_of(reals, reals + n, [](float real) { return std::isfinite(real); });
}

}  // namespace

const FramesPath kScalarFrames{Isa::kScalar, code, decode, are_finite};

}  // namespace quaver
