// pipeline.h - what turns raw input into what a model reads, and what a model says into words: a value that is stored
// beside the weights.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/data/features.h"

namespace quaver {

struct Pipeline {
  std::string kind{};  // of the data that it was made from: "wav"
  Target target = Target::kClass;
  std::size_t features = 0;            // of one step; 0 for ids
  std::size_t vocabulary = 0;          // 0 for real features
  std::vector<std::string> classes{};  // by label
  // Of each real number of a target, over train: data sets hold (y - mean) / deviation. Empty where targets are labels.
  std::vector<double> target_mean{}, target_deviation{};
  std::optional<LogMelOptions> sound{};  // wav: samples at this rate, mixed down, become log-mel frames

  bool operator==(const Pipeline&) const = default;
};

// As texts by name, for a model file's metadata, and back: to_map() of what from_map() gives is the same map. Error
// (bad input) naming the entry that is missing, unknown or malformed.
std::map<std::string, std::string> to_map(const Pipeline& pipeline);
Pipeline pipeline_from_map(const std::map<std::string, std::string>& map);

// What a model says of real targets in the user's units: value * deviation + mean. values: [..., outputs].
std::vector<double> in_units(const Pipeline& pipeline, std::span<const float> values);

// The log-mel front end for samples of this rate: frames of 25 ms every 10 ms, 40 bands up to half the rate.
LogMelOptions sound_options(int sample_rate);

// A recording as a model of this pipeline (kind wav) reads it. Error (bad input) naming the file.
Sequence read_recording(const Pipeline& pipeline, const std::filesystem::path& path);

}  // namespace quaver
