#include "quaver/data/features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "quaver/core/random.h"
#include "quaver/data/test_support.h"

namespace quaver {
namespace {

std::vector<float> noise(std::size_t count, double deviation, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> samples(count);
  for (float& sample : samples) sample = static_cast<float>(deviation * random.normal());
  return samples;
}

std::vector<float> tone(std::size_t count, double hertz, double amplitude) {
  std::vector<float> samples(count);
  for (std::size_t n = 0; n < count; ++n) {
    samples[n] = static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(n) / 8000));
  }
  return samples;
}

double mel(double hertz) { return 1127 * std::log1p(hertz / 700); }

// One frame by the definition at the top of features.h, all in double, and a bound of what the float transform may
// miss.
struct SlowFrame {
  std::vector<double> log_energy;
  std::vector<double> bound;
};

// Bound: windowing rounds twice (the table entry and the product, each u = 2^-24 relative), which moves the spectrum by
// at most 2u ||w x||_1 in any bin. A transform of N = 2^s points in float moves it, in 2-norm, by at most s eta ||X||_2
// / (1 - s eta) with eta = u + gamma_4 (sqrt 2 + u), gamma_4 = 4u / (1 - 4u) (Higham, Accuracy and Stability of
// Numerical Algorithms, theorem 24.2; a radix-4 step counts as two of radix 2), and ||X||_2 = sqrt(N) ||w x||_2. With d
// the sum of both, a band sum_k m |X|^2 moves by at most sum_k m (2 |X| d + d^2), and its logarithm by that over what
// remains of the energy. Rounding the result to float adds u relative; sums in double vanish beside these.
SlowFrame slow_frame(std::span<const float> samples, const LogMelOptions& options) {
  constexpr double u = 0x1p-24;
  std::vector<double> windowed;
  double norm1 = 0, norm2 = 0;
  for (std::size_t n = 0; n < options.window; ++n) {
    const double turn = static_cast<double>(n) / static_cast<double>(options.window);
    windowed.push_back((0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn)) * static_cast<double>(samples[n]));
    norm1 += std::abs(windowed.back());
    norm2 += windowed.back() * windowed.back();
  }
  const auto points = static_cast<double>(options.fft);
  const double stages = std::ceil(std::log2(points));
  const double gamma = 4 * u / (1 - 4 * u);
  const double eta = u + gamma * (std::numbers::sqrt2 + u);
  const double moved = 2 * u * norm1 + stages * eta / (1 - stages * eta) * std::sqrt(points * norm2);

  std::vector<double> magnitude;
  for (std::size_t k = 0; k <= options.fft / 2; ++k) {
    std::complex<double> sum = 0;
    for (std::size_t n = 0; n < windowed.size(); ++n) {
      const double angle = -2 * std::numbers::pi * static_cast<double>(k * n % options.fft) / points;
      sum += windowed[n] * std::complex<double>(std::cos(angle), std::sin(angle));
    }
    magnitude.push_back(std::abs(sum));
  }

  SlowFrame frame;
  const double low = mel(options.low), spacing = (mel(options.high) - low) / static_cast<double>(options.bands + 1);
  for (std::size_t band = 0; band < options.bands; ++band) {
    double energy = 0, error = 0;
    for (std::size_t k = 0; k < magnitude.size(); ++k) {
      const double place = mel(static_cast<double>(k) * options.sample_rate / points);
      const double weight = std::max(0.0, 1 - std::abs((place - low) / spacing - static_cast<double>(band + 1)));
      energy += weight * magnitude[k] * magnitude[k];
      error += weight * (2 * magnitude[k] * moved + moved * moved);
    }
    const double value = std::log(options.floor + energy);
    frame.log_energy.push_back(value);
    frame.bound.push_back(std::log1p(error / std::max(options.floor, options.floor + energy - error)) +
                          u * std::abs(value) + 1e-12);
  }
  return frame;
}

TEST(LogMel, AgreesWithTheDefinition) {
  const LogMelOptions options;
  std::vector<std::vector<float>> signals{noise(520, 0.1, 1), noise(520, 1e-5, 2), tone(520, 440, 0.9),
                                          tone(520, 31, 0.01)};
  double worst = 0;
  for (const auto& signal : signals) {
    const Sequence frames = log_mel(signal, options);
    ASSERT_EQ(frames.steps, 5u);
    for (std::size_t t = 0; t < frames.steps; ++t) {
      const SlowFrame expected = slow_frame(std::span(signal).subspan(t * options.hop, options.window), options);
      for (std::size_t b = 0; b < options.bands; ++b) {
        const double found = frames.values[t * options.bands + b];
        ASSERT_NEAR(found, expected.log_energy[b], expected.bound[b]) << "frame " << t << " band " << b;
        worst = std::max(worst, std::abs(found - expected.log_energy[b]) / expected.bound[b]);
      }
    }
  }
  RecordProperty("worst_share_of_bound", std::to_string(worst));
  EXPECT_GT(worst, 0) << "a float transform that is exact is not what was tested";
}

TEST(LogMel, OtherSizesAgreeWithTheDefinitionToo) {
  const LogMelOptions options{
      .sample_rate = 16000, .window = 400, .hop = 400, .fft = 512, .bands = 23, .low = 60, .high = 7600, .floor = 1e-3};
  const auto signal = noise(800, 0.2, 3);
  const Sequence frames = log_mel(signal, options);
  ASSERT_EQ(frames.steps, 2u);
  for (std::size_t t = 0; t < frames.steps; ++t) {
    const SlowFrame expected = slow_frame(std::span(signal).subspan(t * options.hop, options.window), options);
    for (std::size_t b = 0; b < options.bands; ++b) {
      ASSERT_NEAR(frames.values[t * options.bands + b], expected.log_energy[b], expected.bound[b]) << t << " " << b;
    }
  }
}

TEST(LogMel, AnyChunkingGivesTheSameFrames) {
  const auto signal = noise(4000, 0.1, 4);
  const Sequence whole = log_mel(signal);
  ASSERT_EQ(whole.steps, (4000u - 200) / 80 + 1);
  Random random(5);
  for (const std::size_t largest : {1u, 2u, 79u, 80u, 81u, 200u, 333u, 4000u}) {
    LogMel stream;
    std::vector<float> frames;
    std::size_t count = 0;
    for (std::size_t at = 0; at < signal.size();) {
      const std::size_t size = std::min<std::size_t>(signal.size() - at, random.below(largest + 1));
      count += stream.push(std::span(signal).subspan(at, size), frames);
      at += size;
      // Causal and prompt: a frame is there as soon as its last sample is, and not before.
      ASSERT_EQ(count, at < 200 ? 0 : (at - 200) / 80 + 1) << "after " << at << " samples";
    }
    EXPECT_EQ(frames, whole.values) << "chunks of up to " << largest;
  }
}

TEST(LogMel, CopyGoesOnByItself) {
  const auto signal = noise(1000, 0.1, 6);
  LogMel first;
  std::vector<float> start, end_of_first, end_of_second;
  first.push(std::span(signal).subspan(0, 333), start);
  LogMel second = first;
  first.push(std::span(signal).subspan(333), end_of_first);
  second.push(std::span(signal).subspan(333), end_of_second);
  EXPECT_EQ(end_of_first, end_of_second);
  second.reset();
  std::vector<float> again;
  second.push(signal, again);
  EXPECT_EQ(again, log_mel(signal).values);
}

TEST(LogMel, SilenceIsTheFloorExactly) {
  const LogMelOptions options;
  const Sequence frames = log_mel(std::vector<float>(1000, 0.0f), options);
  ASSERT_GT(frames.steps, 0u);
  for (const float value : frames.values) EXPECT_EQ(value, static_cast<float>(std::log(options.floor)));
}

TEST(LogMel, ShortRecordingHasNoFrame) {
  EXPECT_EQ(log_mel({}).steps, 0u);
  EXPECT_EQ(log_mel(std::vector<float>(199, 0.5f)).steps, 0u);
  EXPECT_EQ(log_mel(std::vector<float>(200, 0.5f)).steps, 1u);
}

TEST(LogMel, ToneLandsInItsBand) {
  const LogMelOptions options;
  const double spacing = (mel(4000) - mel(20)) / 41;
  for (const std::size_t band : {5u, 12u, 20u, 30u, 38u}) {
    const double hertz = 700 * std::expm1((mel(20) + spacing * static_cast<double>(band + 1)) / 1127);
    const Sequence frames = log_mel(tone(200, hertz, 1.0), options);
    const auto loudest = std::max_element(frames.values.begin(), frames.values.end());
    EXPECT_EQ(loudest - frames.values.begin(), static_cast<std::ptrdiff_t>(band)) << hertz << " Hz";
    // The header's figure: (window / 4)^2 for a bin that the tone meets, more where a band sums several bins of the
    // lobe.
    EXPECT_NEAR(*loudest, std::log(2500.0), 1.0) << hertz << " Hz";
  }
}

TEST(LogMel, SenselessOptionsAreNamed) {
  const auto error = [](const LogMelOptions& options) {
    return expect_error(ErrorKind::kUsage, [&] { LogMel front_end(options); });
  };
  EXPECT_TRUE(says(error({.sample_rate = -1}), "sample_rate is -1"));
  EXPECT_TRUE(says(error({.hop = 0}), "hop is 0, expected 1 to window = 200"));
  EXPECT_TRUE(says(error({.hop = 201}), "hop is 201"));
  EXPECT_TRUE(says(error({.fft = 128}), "fft is 128"));
  EXPECT_TRUE(says(error({.fft = 257}), "fft is 257"));
  EXPECT_TRUE(says(error({.bands = 0}), "bands is 0"));
  EXPECT_TRUE(says(error({.high = 4001}), "to 4001 Hz"));
  EXPECT_TRUE(says(error({.low = 5000}), "from 5000"));
  EXPECT_TRUE(says(error({.floor = 0}), "floor is 0"));
  EXPECT_TRUE(says(error({.bands = 200}), "of 200 lies between two bins"));
}

}  // namespace
}  // namespace quaver
