#include "quaver/data/features.h"

#include <kiss_fft.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "quaver/core/check.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

double mel(double hertz) { return 1127.0 * std::log1p(hertz / 700.0); }

struct Band {
  std::size_t first = 0;  // bin of weights[0]
  std::vector<double> weights;
};

struct FreeFft {
  void operator()(kiss_fft_state* state) const { std::free(state); }
};

void check_options(const LogMelOptions& options) {
  const auto require = [](bool good, const std::string& text) {
    if (!good) throw_usage("log-mel features: " + text);
  };
  require(std::isfinite(options.sample_rate) && options.sample_rate > 0,
          concat("sample_rate is ", options.sample_rate, ", expected a positive number of Hz"));
  require(options.hop >= 1 && options.hop <= options.window,
          concat("hop is ", options.hop, ", expected 1 to window = ", options.window));
  require(options.fft % 2 == 0 && options.fft >= options.window && options.fft <= 1u << 20,
          concat("fft is ", options.fft, ", expected an even number from window = ", options.window, " to ", 1u << 20));
  require(options.bands >= 1, "bands is 0, expected at least 1");
  require(options.low >= 0 && options.low < options.high && options.high <= options.sample_rate / 2,
          concat("bands from ", options.low, " to ", options.high,
                 " Hz, expected 0 <= low < high <= sample_rate / 2 = ", options.sample_rate / 2));
  require(std::isfinite(options.floor) && options.floor > 0,
          concat("floor is ", options.floor, ", expected a positive energy"));
}

Band make_band(const LogMelOptions& options, std::size_t index) {
  const double low = mel(options.low);
  const double spacing = (mel(options.high) - low) / static_cast<double>(options.bands + 1);
  const double centre = low + spacing * static_cast<double>(index + 1);
  Band band;
  for (std::size_t bin = 0; bin <= options.fft / 2; ++bin) {
    const double hertz = options.sample_rate * static_cast<double>(bin) / static_cast<double>(options.fft);
    const double weight = 1.0 - std::abs(mel(hertz) - centre) / spacing;
    if (weight <= 0) continue;
    if (band.weights.empty()) band.first = bin;
    band.weights.push_back(weight);
  }
  if (band.weights.empty()) {
    throw_usage(concat("log-mel features: band ", index, " of ", options.bands, " lies between two bins of a ",
                       options.fft, "-point transform; use fewer bands or a longer transform"));
  }
  return band;
}

}  // namespace

// The complex transform, although the samples are real: its state is only read, so that copies can share it. The real
// one of kissfft keeps a scratch buffer in its state.
struct LogMel::Plan {
  LogMelOptions options;
  std::vector<float> window;
  std::vector<Band> bands;
  std::unique_ptr<kiss_fft_state, FreeFft> fft;

  explicit Plan(const LogMelOptions& chosen) : options(chosen) {
    check_options(options);
    for (std::size_t n = 0; n < options.window; ++n) {
      const double turn = static_cast<double>(n) / static_cast<double>(options.window);
      window.push_back(static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn)));
    }
    for (std::size_t band = 0; band < options.bands; ++band) bands.push_back(make_band(options, band));
    fft.reset(kiss_fft_alloc(static_cast<int>(options.fft), 0, nullptr, nullptr));
    if (fft == nullptr) throw_failed("log-mel features: no memory for the tables of the Fourier transform");
  }

  void append_frame(std::span<const float> samples, std::vector<float>& frames) const {
    QUAVER_DCHECK(samples.size() == options.window);
    std::vector<kiss_fft_cpx> input(options.fft), spectrum(options.fft);
    for (std::size_t n = 0; n < samples.size(); ++n) input[n].r = window[n] * samples[n];
    kiss_fft(fft.get(), input.data(), spectrum.data());
    for (const Band& band : bands) {
      double energy = 0;
      for (std::size_t i = 0; i < band.weights.size(); ++i) {
        const double real = spectrum[band.first + i].r;
        const double imaginary = spectrum[band.first + i].i;
        energy += band.weights[i] * (real * real + imaginary * imaginary);
      }
      frames.push_back(static_cast<float>(std::log(options.floor + energy)));
    }
  }
};

LogMel::LogMel(const LogMelOptions& options) : plan_(std::make_shared<const Plan>(options)), window_(options.window) {}

std::size_t LogMel::bands() const { return plan_->options.bands; }

std::size_t LogMel::push(std::span<const float> samples, std::vector<float>& frames) {
  std::size_t count = 0;
  while (!samples.empty()) {
    const std::size_t taken = std::min(samples.size(), window_.size() - filled_);
    std::copy_n(samples.begin(), taken, window_.begin() + static_cast<std::ptrdiff_t>(filled_));
    samples = samples.subspan(taken);
    filled_ += taken;
    if (filled_ < window_.size()) break;
    plan_->append_frame(window_, frames);
    ++count;
    std::copy(window_.begin() + static_cast<std::ptrdiff_t>(plan_->options.hop), window_.end(), window_.begin());
    filled_ -= plan_->options.hop;
  }
  return count;
}

void LogMel::reset() { filled_ = 0; }

void without_level(std::span<float> frames) {
  double sum = 0;
  for (const float value : frames) sum += value;
  const auto mean = static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(1, frames.size())));
  for (float& value : frames) value -= mean;
}

Sequence log_mel(std::span<const float> samples, const LogMelOptions& options) {
  LogMel front_end(options);
  Sequence frames{.steps = 0, .features = options.bands};
  frames.steps = front_end.push(samples, frames.values);
  return frames;
}

}  // namespace quaver
