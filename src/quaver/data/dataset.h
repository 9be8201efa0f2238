// dataset.h - sequences with labels, as training, calibration and evaluation use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "quaver/core/name_table.h"

namespace quaver {

// One sequence: real features [steps, features], row-major, or ids [steps] (then `values` is empty).
struct Sequence {
  std::size_t steps = 0;
  std::size_t features = 0;  // of one step; 0 for ids
  std::vector<float> values{};
  std::vector<std::int32_t> ids{};
  bool operator==(const Sequence&) const = default;
};

enum class Target {
  kClass,      // one label a sequence
  kTags,       // one label a step
  kReals,      // real numbers a sequence
  kRealSteps,  // real numbers a step
  kLabels,     // a step: of each class whether it holds
};
// "class", "tags", "reals", "real-steps", "labels": as models and pipelines store them.
const NameTable<Target, 5>& target_names();

struct Example {
  std::string name{};  // where it comes from, for messages: a file name or "train/17"
  Sequence input{};
  // 1 (kClass) or `steps` (kTags), each in [0, classes); [steps, classes], each 0 or 1 (kLabels); else none.
  std::vector<std::int32_t> labels{};
  std::vector<float> targets{};  // [outputs] (kReals) or [steps, outputs] (kRealSteps); else none
  bool operator==(const Example&) const = default;
};

struct Dataset {
  std::string task{};
  std::string split{};  // train, validation or test
  Target target = Target::kClass;
  std::size_t features = 0;    // 0 for ids
  std::size_t vocabulary = 0;  // 0 for real features
  std::size_t outputs = 0;     // real numbers of one target; 0 where targets are labels
  // What judges a model of it: "accuracy", "macro_f1", "perplexity", "bits_per_character", "mse", "mae",
  // "nats_per_frame"; empty: what suits the target.
  std::string metric{};
  std::vector<std::string> classes{};
  std::vector<Example> examples{};

  std::size_t step_count() const;
  // Fingerprint of inputs and labels, for provenance.
  std::uint64_t content_hash() const;
};

// Mean and 1 / deviation of every feature over all steps of a data set; a constant feature gets 1.
struct FeatureStatistics {
  std::vector<float> mean;
  std::vector<float> inverse_deviation;
};
FeatureStatistics feature_statistics(const Dataset& data);

}  // namespace quaver
