#include "quaver/engine/sequence/frame_coder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "quaver/fixed/quantization.h"

namespace quaver {

FrameCoder::FrameCoder(std::size_t features, const Format& format, Channels channels, std::vector<float> mean,
                       std::vector<float> inverse_deviation, Isa isa)
    : path_(&frames_path(isa)),
      features_(features),
      format_(format),
      channels_(std::move(channels)),
      mean_(std::move(mean)),
      inverse_deviation_(std::move(inverse_deviation)) {
  for (std::size_t j = 0; j < features; ++j) {
    offset_.push_back(channels_.offset_of(j));
    factor_.push_back(1 / (channels_.scale_of(j) * static_cast<double>(format.scale)));
  }
}

void FrameCoder::code(const float* frame, std::byte* value) const noexcept {
  if (format_.kind == NumberType::kF32) return normalise(frame, 0, features_, reinterpret_cast<float*>(value));
  auto* codes = reinterpret_cast<std::int8_t*>(value);
  for (std::size_t first = 0; first < features_; first += kBlock) {
    const std::size_t count = std::min(kBlock, features_ - first);
    if (channels_.empty() && code_on_path(frame + first, first, count, codes + first)) continue;
    float x[kBlock];
    normalise(frame + first, first, count, x);
    if (!code_fast(x, first, count, codes + first)) code_exactly(x, first, count, codes + first);
  }
}

void FrameCoder::normalise(const float* frame, std::size_t first, std::size_t count, float* to) const noexcept {
  for (std::size_t j = 0; j < count; ++j)
    to[j] = std::abs(frame[j]) <= std::numeric_limits<float>::max() ? frame[j] : 0.0f;
  if (mean_.empty()) return;
  for (std::size_t j = 0; j < count; ++j) to[j] = (to[j] - mean_[first + j]) * inverse_deviation_[first + j];
}

bool FrameCoder::code_on_path(const float* frame, std::size_t first, std::size_t count,
                              std::int8_t* codes) const noexcept {
  const bool normalises = !mean_.empty();
  const FrameRule rule{normalises ? mean_.data() + first : nullptr,
                       normalises ? inverse_deviation_.data() + first : nullptr, 1 / format_.scale, format_.zero_point};
  return path_->code(frame, rule, count, codes);
}

// Both ways differ by five roundings in float64, 2^-50 of the quotient: below 1e-12 within +-1024, beyond which codes
// end whatever it is. Where the quotient is 1e-9 and more from a half, both round alike.
bool FrameCoder::code_fast(const float* x, std::size_t first, std::size_t count, std::int8_t* codes) const noexcept {
  constexpr double kEnd = 1024, kNearHalf = 0.5 - 1e-9;
  const double *offset = offset_.data() + first, *factor = factor_.data() + first;
  double cut[kBlock], near_half[kBlock];
  std::int32_t rounded[kBlock];
  // One thing a loop, so that compilers make vectors of them.
  for (std::size_t j = 0; j < count; ++j) cut[j] = (static_cast<double>(x[j]) - offset[j]) * factor[j];
  for (std::size_t j = 0; j < count; ++j) {
    const double least = cut[j] < -kEnd ? -kEnd : cut[j];
    cut[j] = least > kEnd ? kEnd : least;
  }
  for (std::size_t j = 0; j < count; ++j)
    rounded[j] = static_cast<std::int32_t>(cut[j] + std::copysign(0.5, cut[j]));  // toward 0
  for (std::size_t j = 0; j < count; ++j) near_half[j] = std::abs(cut[j] - rounded[j]) > kNearHalf ? 1 : 0;
  std::uint64_t unsure = 0;
  for (std::size_t j = 0; j < count; ++j) unsure |= std::bit_cast<std::uint64_t>(near_half[j]);
  const std::int32_t zero_point = format_.zero_point, low = -128 - zero_point, high = 127 - zero_point;
  for (std::size_t j = 0; j < count; ++j) {
    const std::int32_t least = rounded[j] < low ? low : rounded[j];
    rounded[j] = (least > high ? high : least) + zero_point;
  }
  for (std::size_t j = 0; j < count; ++j) codes[j] = static_cast<std::int8_t>(rounded[j]);
  return unsure == 0;
}

void FrameCoder::code_exactly(const float* x, std::size_t first, std::size_t count, std::int8_t* codes) const noexcept {
  for (std::size_t j = 0; j < count; ++j) {
    auto real = static_cast<double>(x[j]);
    if (!channels_.empty()) real = (real - channels_.offset_of(first + j)) / channels_.scale_of(first + j);
    codes[j] =
        static_cast<std::int8_t>(quantize(real, static_cast<double>(format_.scale), format_.zero_point, -128, 127));
  }
}

}  // namespace quaver
