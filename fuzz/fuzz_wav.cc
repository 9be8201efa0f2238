// fuzz_wav.cc - SoundFile on anything: an Error that names the file, or as many finite samples as its header says.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/data/sound.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    quaver::SoundFile file("sound", {reinterpret_cast<const char*>(data), size});
    const std::vector<float> samples = file.samples();
    if (samples.size() != file.form().frames || samples.size() > size) std::abort();
    for (const float sample : samples)
      if (!std::isfinite(sample)) std::abort();
  } catch (const quaver::Error& error) {
    if (!std::string_view(error.what()).starts_with("sound:")) std::abort();
  }
  return 0;
}
