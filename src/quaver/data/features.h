// features.h - log-mel energies of a stream of samples: what speech models hear.
//
//   x[n]     samples in [-1, 1)
//   X_t[k] = sum_{n < window} w[n] x[t hop + n] exp(-2 pi i k n / fft),  w[n] = 1/2 - 1/2 cos(2 pi n / window)  (Hann)
//   y_t[b] = ln(floor + sum_k m_b[k] |X_t[k]|^2)
//
// m_b is a triangle on the mel scale, mel(f) = 1127 ln(1 + f / 700) (HTK): 1 at the b-th of `bands` points evenly
// spaced between mel(low) and mel(high), 0 at its neighbours. A full-scale sine gives about (window / 4)^2, or 7.8 as a
// log with the defaults; silence gives ln(floor) exactly. Frame t needs samples up to t hop + window - 1 and nothing
// after them, there is no per-utterance normalisation, and no padding: a recording shorter than a window has no frame.
//
// The spectrum is computed in float by kissfft, the sums and the logarithm in double.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "quaver/data/dataset.h"

namespace quaver {

struct LogMelOptions {
  double sample_rate = 8000;  // Hz
  std::size_t window = 200;   // samples a frame looks at: 25 ms
  std::size_t hop = 80;       // samples from frame to frame: 10 ms; at most `window`
  std::size_t fft = 256;      // points of the transform, even; the window is padded with zeros to it
  std::size_t bands = 40;     // features of a frame
  double low = 20;            // Hz, lower edge of the first band
  double high = 4000;         // Hz, upper edge of the last band; at most sample_rate / 2
  double floor = 1e-6;        // energy of silence: about that of noise of four steps of a 16-bit recording
  bool operator==(const LogMelOptions&) const = default;
};

// A streaming front end, and a value: a copy goes on from the same sample. Any chunking gives the same frames.
class LogMel {
 public:
  explicit LogMel(const LogMelOptions& options = {});  // Error (usage) when the options make no sense

  std::size_t bands() const;

  // Takes any number of samples, appends the frames they complete to `frames` ([frames, bands]); returns how many.
  std::size_t push(std::span<const float> samples, std::vector<float>& frames);

  void reset();  // forgets all samples: the next one starts frame 0

 private:
  struct Plan;  // tables, shared by copies: const after construction
  std::shared_ptr<const Plan> plan_;
  std::vector<float> window_;  // samples of the frame that is being filled
  std::size_t filled_ = 0;
};

// Takes the mean of all features of a recording, or of a piece of one, from each: a factor on its samples then changes
// next to nothing. frames: [frames, bands].
void without_level(std::span<float> frames);

// All frames of one recording; zero steps when it is shorter than a window.
Sequence log_mel(std::span<const float> samples, const LogMelOptions& options = {});

}  // namespace quaver
