#include "quaver/engine/sequence/frame_coder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/fixed/quantization.h"

namespace quaver {
namespace {

// As the header writes it, one feature at a time.
std::int8_t plain_code(float x, std::size_t j, const Format& format, const Channels& channels,
                       const std::vector<float>& mean, const std::vector<float>& inverse) {
  if (!std::isfinite(x)) x = 0;
  if (!mean.empty()) x = (x - mean[j]) * inverse[j];
  auto real = static_cast<double>(x);
  if (!channels.empty()) real = (real - channels.offset_of(j)) / channels.scale_of(j);
  return static_cast<std::int8_t>(quantize(real, static_cast<double>(format.scale), format.zero_point, -128, 127));
}

// Sizes around the blocks; values of all sizes, on halves and beside them, and what is no number.
TEST(FrameCoder, GivesTheBitsOfTheDefinition) {
  Random random(4);
  for (const std::size_t features : {1u, 2u, 31u, 64u, 65u, 257u}) {
    for (const Format& format : {Format{NumberType::kI8, 0.02f, -5}, Format{NumberType::kI8, 0x1p-5f, 127},
                                 Format{NumberType::kI8, 1e-30f, -128}, Format{NumberType::kI8, 3e30f, 0}}) {
      for (const unsigned with : {0u, 1u, 2u, 3u}) {
        Channels channels;
        std::vector<float> mean, inverse;
        for (std::size_t j = 0; j < features; ++j) {
          if ((with & 1) != 0) {
            channels.scale.push_back(static_cast<float>(std::exp(random.uniform(-9, 9))));
            channels.offset.push_back(static_cast<float>(random.uniform(-1e4, 1e4)));
          }
          if ((with & 2) != 0) {
            mean.push_back(static_cast<float>(random.uniform(-3, 3)));
            inverse.push_back(static_cast<float>(random.uniform(0.1, 10)));
          }
        }
        const FrameCoder coder(features, format, channels, mean, inverse, chosen_isa());
        for (int round = 0; round < 60; ++round) {
          std::vector<float> frame(features);
          for (std::size_t j = 0; j < features; ++j) {
            const double step = channels.scale_of(j) * static_cast<double>(format.scale);
            const double steps = round % 3 == 0   ? static_cast<double>(random.between(-300, 300)) / 2
                                 : round % 3 == 1 ? random.uniform(-200, 200)
                                                  : random.normal() * std::exp(random.uniform(-20, 80));
            frame[j] = static_cast<float>(channels.offset_of(j) + step * steps);
            if (round % 3 == 0 && random.below(3) == 0) frame[j] = std::nextafter(frame[j], 1e30f);
          }
          if (round % 5 == 0) frame[0] = std::numeric_limits<float>::quiet_NaN();
          if (round % 5 == 1) frame.back() = -std::numeric_limits<float>::infinity();
          if (round % 5 == 2) frame.back() = std::numeric_limits<float>::max();
          std::vector<std::int8_t> codes(features);
          coder.code(frame.data(), reinterpret_cast<std::byte*>(codes.data()));
          for (std::size_t j = 0; j < features; ++j)
            ASSERT_EQ(codes[j], plain_code(frame[j], j, format, channels, mean, inverse))
                << frame[j] << " feature " << j << " of " << features << " with " << with;
        }
      }
    }
  }
}

TEST(FrameCoder, NormalisesReals) {
  const FrameCoder coder(3, {}, {}, {1.0f, 0.0f, -2.0f}, {2.0f, 1.0f, 0.5f}, Isa::kScalar);
  const std::vector<float> frame{3.0f, std::numeric_limits<float>::infinity(), 6.0f};
  std::vector<float> reals(3);
  coder.code(frame.data(), reinterpret_cast<std::byte*>(reals.data()));
  EXPECT_EQ(reals, (std::vector<float>{4.0f, 0.0f, 4.0f}));
}

}  // namespace
}  // namespace quaver
