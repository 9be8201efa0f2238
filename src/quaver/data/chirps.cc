// chirps.cc - the built-in tasks: ten classes of chirps in noise, made from a seed and heard through the log-mel front
// end, so that everything from training to integers can be shown without a file.
//
// A chirp is a tone whose frequency follows one of ten shapes over its length, on a scale of octaves. Where it starts,
// how long and loud it is, how far it moves and the noise around it are drawn at random. Waveforms are rounded to 16
// bits, as recordings are: that also makes them the same on machines whose sine differs in the last bit of a double.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>
#include <string_view>

#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/data/features.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr double kSampleRate = 8000;

// How hard the tasks are. Chosen so that a recurrent layer of 64 to 128 units gets 97 to 99.5 % of `chirps` right after
// a dozen epochs: enough errors to see a loss, few enough to see a gain.
constexpr double kLowestSnr = 3, kHighestSnr = 18;           // dB, tone to noise in all bands together
constexpr double kFarthestMiddle = 0.35;                     // octaves from 1 kHz to the middle of a chirp
constexpr double kLeastExtent = 0.8, kGreatestExtent = 1.4;  // octaves from lowest to highest frequency

enum class Shape : std::uint8_t { kRise, kFall, kFlat, kWarble, kChord, kHill, kValley, kStepUp, kStepDown, kPulse };
constexpr std::size_t kShapes = 10;
constexpr std::array<std::string_view, kShapes> kShapeNames{"rise", "fall",   "flat",    "warble",    "chord",
                                                            "hill", "valley", "step_up", "step_down", "pulse"};

// Keys of Random::fork; a number is never given a second meaning, or data sets made from a seed would change.
enum class StreamKey : std::uint64_t { kChirps = 1, kTags = 2 };
constexpr std::uint64_t kLabelKey = ~std::uint64_t{0};

Random split_random(StreamKey task, Split split, const TaskOptions& options) {
  return Random(options.seed).fork(static_cast<std::uint64_t>(task)).fork(static_cast<std::uint64_t>(split));
}

struct Chirp {
  Shape shape = Shape::kFlat;
  double middle = 0;     // octaves above 1 kHz
  double extent = 0;     // octaves from its lowest to its highest frequency
  double cycles = 0;     // of a warble or a pulse
  double turn = 0;       // where, from 0 to 1, a step happens or a hill has its top
  double amplitude = 0;  // of the tone
};

Chirp draw_chirp(Random& random, Shape shape, double amplitude) {
  Chirp chirp{.shape = shape, .amplitude = amplitude};
  chirp.extent = shape == Shape::kWarble ? random.uniform(0.3, 0.6) : random.uniform(kLeastExtent, kGreatestExtent);
  chirp.cycles = random.uniform(3, 6);
  chirp.turn = random.uniform(0.35, 0.65);
  // All shapes are placed alike, the flat ones too, so that the place says nothing about the shape.
  chirp.middle = random.uniform(-kFarthestMiddle, kFarthestMiddle);
  return chirp;
}

// Octaves above 1 kHz at `progress` in [0, 1) of the chirp.
double octave(const Chirp& chirp, double progress) {
  const double low = chirp.middle - chirp.extent / 2;
  const double turned = progress < chirp.turn ? progress / chirp.turn : (1 - progress) / (1 - chirp.turn);
  switch (chirp.shape) {
    case Shape::kRise: return low + chirp.extent * progress;
    case Shape::kFall: return low + chirp.extent * (1 - progress);
    case Shape::kWarble:
      return chirp.middle + chirp.extent / 2 * std::sin(2 * std::numbers::pi * chirp.cycles * progress);
    case Shape::kHill: return low + chirp.extent * turned;
    case Shape::kValley: return low + chirp.extent * (1 - turned);
    case Shape::kStepUp: return low + (progress < chirp.turn ? 0 : chirp.extent);
    case Shape::kStepDown: return low + (progress < chirp.turn ? chirp.extent : 0);
    case Shape::kChord: return low;  // its second tone is `extent` above
    case Shape::kFlat:
    case Shape::kPulse: return chirp.middle;
  }
  return 0;
}

void add_chirp(const Chirp& chirp, std::span<double> wave) {
  constexpr double kFade = 80;  // samples: a tone that starts at full strength would click in every band
  const auto length = static_cast<double>(wave.size());
  const double second_ratio = chirp.shape == Shape::kChord ? std::exp2(chirp.extent) : 0;
  double turns = 0, second_turns = 0;
  for (std::size_t n = 0; n < wave.size(); ++n) {
    const auto sample = static_cast<double>(n);
    const double progress = sample / length;
    const double step = 1000 * std::exp2(octave(chirp, progress)) / kSampleRate;
    turns += step;
    double tone = std::sin(2 * std::numbers::pi * turns);
    if (chirp.shape == Shape::kChord) {
      second_turns += step * second_ratio;
      tone = (tone + std::sin(2 * std::numbers::pi * second_turns)) * std::numbers::sqrt2 / 2;
    }
    double gate = std::min({sample / kFade, (length - sample) / kFade, 1.0});
    if (chirp.shape == Shape::kPulse) {
      const double phase = chirp.cycles * progress;
      if (phase - std::floor(phase) >= 0.5) gate = 0;
    }
    wave[n] += chirp.amplitude * gate * tone;
  }
}

// Nearly normal with deviation 1: the sum of four uniform numbers, each 16 bits of one draw. Only integers and exact
// doubles, and far cheaper than a logarithm and a cosine a sample.
double draw_noise(Random& random) {
  const std::uint64_t bits = random.next();
  const std::uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
  const double deviation = 65536.0 / std::sqrt(3.0);  // 4 x (2^32 - 1) / 12, rooted
  return (static_cast<double>(sum) - 2 * 65535.0) / deviation;
}

std::vector<float> as_recorded(std::span<const double> wave) {
  std::vector<float> samples;
  samples.reserve(wave.size());
  for (const double value : wave) {
    const double code = std::clamp(std::nearbyint(value * 32768), -32768.0, 32767.0);
    samples.push_back(static_cast<float>(code / 32768));
  }
  return samples;
}

std::size_t samples_of(std::size_t frames, const LogMelOptions& front_end) {
  return front_end.window + (frames - 1) * front_end.hop;
}

std::size_t draw_size(Random& random, std::size_t low, std::size_t high) { return low + random.below(high - low + 1); }

// Amplitude of a tone that is `decibels` above noise of deviation `noise`.
double tone_amplitude(double noise, double decibels) {
  return noise * std::numbers::sqrt2 * std::pow(10.0, decibels / 20);
}

double draw_noise_level(Random& random) { return 0.01 * std::pow(10.0, random.uniform(0, 0.7)); }

std::size_t chirps_count(Split split) {
  switch (split) {
    case Split::kTrain: return 2000;
    case Split::kValidation: return 300;
    case Split::kTest: return 500;
  }
  return 0;
}

// One chirp of 30 to 50 frames with 3 to 5 frames of noise at either end.
Sequence draw_one_chirp(Random random, Shape shape) {
  const LogMelOptions front_end;
  const std::size_t length = samples_of(draw_size(random, 30, 50), front_end);
  const std::size_t before = draw_size(random, 3 * front_end.hop, 5 * front_end.hop);
  const std::size_t after = draw_size(random, 3 * front_end.hop, 5 * front_end.hop);
  const double noise = draw_noise_level(random);
  std::vector<double> wave(before + length + after);
  for (double& value : wave) value = noise * draw_noise(random);
  const double amplitude = tone_amplitude(noise, random.uniform(kLowestSnr, kHighestSnr));
  add_chirp(draw_chirp(random, shape, amplitude), std::span(wave).subspan(before, length));
  return log_mel(as_recorded(wave), front_end);
}

std::vector<Example> load_chirps(Split split, const TaskOptions& options) {
  const Random random = split_random(StreamKey::kChirps, split, options);
  // As many of each class, in an order that a regular choice of every n-th example does not fall in step with.
  std::vector<std::int32_t> labels(chirps_count(split));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % kShapes);
  random.fork(kLabelKey).shuffle(std::span(labels));

  std::vector<Example> examples;
  for (const std::size_t index : spread(labels.size(), options.limit)) {
    const std::int32_t label = labels[index];
    examples.push_back({.name = concat(split_name(split), "/", index),
                        .input = draw_one_chirp(random.fork(index), static_cast<Shape>(label)),
                        .labels = {label}});
  }
  return examples;
}

struct StreamPlan {
  std::size_t count;
  std::size_t steps;
};

// Test streams are long: what drifts, drifts there.
StreamPlan stream_plan(Split split) {
  switch (split) {
    case Split::kTrain: return {.count = 250, .steps = 400};
    case Split::kValidation: return {.count = 40, .steps = 400};
    case Split::kTest: return {.count = 20, .steps = 2000};
  }
  return {};
}

// Chirps with pauses between them, in steady noise. A step carries the class of the chirp that sounds in the middle of
// its window. The first steps of a chirp cannot be told apart by anybody: a good tagger is right in about 88 % of the
// steps.
Example draw_stream(Random random, std::size_t steps, std::string name) {
  const LogMelOptions front_end;
  const double noise = draw_noise_level(random);
  std::vector<double> wave(samples_of(steps, front_end));
  for (double& value : wave) value = noise * draw_noise(random);
  Example example{.name = std::move(name), .labels = std::vector<std::int32_t>(steps, 0)};
  std::size_t start = draw_size(random, 5, 40) * front_end.hop;
  for (;;) {
    const std::size_t length = draw_size(random, 30, 50) * front_end.hop;
    if (start + length > wave.size()) break;
    const std::size_t shape = random.below(kShapes);
    const double amplitude = tone_amplitude(noise, random.uniform(kLowestSnr, kHighestSnr));
    add_chirp(draw_chirp(random, static_cast<Shape>(shape), amplitude), std::span(wave).subspan(start, length));
    for (std::size_t step = 0; step < steps; ++step) {
      const std::size_t middle = step * front_end.hop + front_end.window / 2;
      if (middle >= start && middle < start + length) example.labels[step] = static_cast<std::int32_t>(shape + 1);
    }
    start += length + draw_size(random, 10, 40) * front_end.hop;
  }
  example.input = log_mel(as_recorded(wave), front_end);
  return example;
}

std::vector<Example> load_chirps_tags(Split split, const TaskOptions& options) {
  const Random random = split_random(StreamKey::kTags, split, options);
  const StreamPlan plan = stream_plan(split);
  std::vector<Example> examples;
  for (const std::size_t index : spread(plan.count, options.limit)) {
    examples.push_back(draw_stream(random.fork(index), plan.steps, concat(split_name(split), "/", index)));
  }
  return examples;
}

}  // namespace

TaskRow chirps_row() {
  return {.info = {.name = "chirps",
                   .summary = "built in: ten classes of chirps in noise, 36 to 60 steps of 40 log-mel energies",
                   .target = Target::kClass,
                   .features = LogMelOptions{}.bands,
                   .classes = {kShapeNames.begin(), kShapeNames.end()},
                   .needs = "",
                   .step_seconds = 0.01},
          .load = load_chirps};
}

TaskRow chirps_tags_row() {
  std::vector<std::string> classes{"noise"};
  classes.insert(classes.end(), kShapeNames.begin(), kShapeNames.end());
  return {.info = {.name = "chirps_tags",
                   .summary = "built in: long streams of chirps and noise, one label a step",
                   .target = Target::kTags,
                   .features = LogMelOptions{}.bands,
                   .classes = classes,
                   .needs = "",
                   .step_seconds = 0.01},
          .load = load_chirps_tags};
}

}  // namespace quaver
