// frame_coder.h - the border of a model: frames of reals become int8 codes, or normalised reals.
//
//   x'   = (x - mean) inverse_deviation          in float32, where the model normalises; what is not finite counts as 0
//   code = A1(((x' - offset) / scale_c) / scale) + zero_point, cut to int8               in float64 (A6, A44)
// Divisions and A1 cost more than the rest of a small step. Blocks of features are coded with one product each instead,
// whose rounding is the same unless a quotient lies near a half: without channels in float32 on vector paths
// (kernels/frames), else in float64, where near is 1e-9. Blocks with such a quotient are coded as written above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "quaver/kernels/frames/frames.h"
#include "quaver/model/formats/channels.h"
#include "quaver/model/formats/format.h"

namespace quaver {

class FrameCoder {
 public:
  FrameCoder() = default;
  // mean and inverse_deviation: one a feature, both or neither. format: f32 or i8; of ids (i32) nothing is coded.
  FrameCoder(std::size_t features, const Format& format, Channels channels, std::vector<float> mean,
             std::vector<float> inverse_deviation, Isa isa);

  // frame [features] to value: codes or floats as bytes.
  void code(const float* frame, std::byte* value) const noexcept;

 private:
  static constexpr std::size_t kBlock = 64;

  void normalise(const float* frame, std::size_t first, std::size_t count, float* to) const noexcept;
  // Whether all codes are sure: of a frame; of normalised reals.
  bool code_on_path(const float* frame, std::size_t first, std::size_t count, std::int8_t* codes) const noexcept;
  bool code_fast(const float* x, std::size_t first, std::size_t count, std::int8_t* codes) const noexcept;
  void code_exactly(const float* x, std::size_t first, std::size_t count, std::int8_t* codes) const noexcept;

  const FramesPath* path_ = nullptr;
  std::size_t features_ = 0;
  Format format_;
  Channels channels_;
  std::vector<float> mean_, inverse_deviation_;  // or empty
  std::vector<double> offset_, factor_;          // x' to codes: (x' - offset) factor
};

}  // namespace quaver
