// sound.h - recordings as samples: wav files of any rate, channels and depth. Internal to this floor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

struct SoundForm {
  int rate = 0;            // Hz
  int channels = 0;        // 1 or more
  std::string encoding{};  // "16-bit PCM", "32-bit float", ...
  std::uint64_t frames = 0;
};

// "8000 Hz, 2 channels, 16-bit PCM".
std::string sound_text(const SoundForm& form);

// A recording whose header was read and compared with the bytes that are there.
class SoundFile {
 public:
  // name: for errors. `bytes` must outlive the object. Error (bad input) "NAME: ..." when it is no wav that can be
  // read, is cut off or has an encoding other than PCM, float, mu-law or A-law.
  SoundFile(std::string name, std::string_view bytes);
  // The same of a file, of which only the header is read.
  explicit SoundFile(const std::filesystem::path& path);
  SoundFile(SoundFile&&) noexcept;
  SoundFile& operator=(SoundFile&&) noexcept;
  ~SoundFile();

  const SoundForm& form() const;
  // The samples of all frames in [-1, 1]: the mean of the channels. Read once. Error (bad input) when fewer samples
  // come than the header says, or one is not finite.
  std::vector<float> samples();

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
};

// The same sound at another rate (libsamplerate's sinc filter of medium quality). Rates in Hz, above 0, at most 256
// times apart.
std::vector<float> resampled(std::span<const float> samples, int from, int to);

}  // namespace quaver
