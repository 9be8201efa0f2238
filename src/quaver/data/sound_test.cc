#include "quaver/data/sound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "quaver/data/test_support.h"

namespace quaver {
namespace {

TEST(Sound, AFileAndItsBytesAreTheSame) {
  const TemporaryFolder folder;
  const std::string bytes = wav(tone(5000, 440));
  write_file(folder.path() / "a.wav", bytes);
  SoundFile file(folder.path() / "a.wav"), memory("a", bytes);
  EXPECT_EQ(sound_text(file.form()), "8000 Hz, 1 channel, 16-bit PCM");
  EXPECT_EQ(file.form().frames, 5000u);
  EXPECT_EQ(file.samples(), memory.samples());
}

TEST(Sound, ChannelsBecomeTheirMean) {
  const std::vector<std::int16_t> codes{16384, 0, -16384, -16384, 100, -100};
  const std::string bytes = wav(codes, {.channels = 2});
  SoundFile file("a", bytes);
  EXPECT_EQ(file.form().frames, 3u);
  EXPECT_EQ(file.samples(), (std::vector<float>{0.25f, -0.5f, 0.0f}));
}

TEST(Sound, DepthIsNoMatter) {
  const std::string bytes = wav(tone(4000, 440), {.bits = 8});
  SoundFile file("a", bytes);
  EXPECT_EQ(file.form().encoding, "8-bit PCM");
  EXPECT_EQ(file.samples().size(), 4000u);
}

// A tone stays the tone, with the length that the rate says.
TEST(Sound, ResamplingKeepsATone) {
  const auto sine = [](std::size_t count, double rate) {
    std::vector<float> samples(count);
    for (std::size_t n = 0; n < count; ++n)
      samples[n] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(n) / rate));
    return samples;
  };
  for (const int from : {16000, 44100, 11025}) {
    const std::vector<float> out = resampled(sine(static_cast<std::size_t>(from), from), from, 8000);
    EXPECT_NEAR(static_cast<double>(out.size()), 8000, 1) << from;
    const std::vector<float> expected = sine(out.size(), 8000);
    for (std::size_t n = 500; n + 500 < out.size(); ++n) ASSERT_NEAR(out[n], expected[n], 1e-3) << from << " " << n;
  }
  const std::vector<float> same = sine(100, 8000);
  EXPECT_EQ(resampled(same, 8000, 8000), same);
}

}  // namespace
}  // namespace quaver
