// dataset.h - sequences with labels, as training, calibration and evaluation use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "quaver/metrics/target.h"

namespace quaver {

// One sequence: real features [steps, features], row-major, or ids [steps] (then `values` is empty).
struct Sequence {
  std::size_t steps = 0;
  std::size_t features = 0;  // of one step; 0 for ids
  std::vector<float> values{};
  std::vector<std::int32_t> ids{};
  bool operator==(const Sequence&) const = default;
};

struct Example {
  std::string name{};  // where it comes from, for messages: a file name or "train/17"
  Sequence input{};
  // 1 (kClass) or `steps` (kTags), each in [0, classes); [steps, classes], each 0 or 1 (kLabels); else none.
  std::vector<std::int32_t> labels{};
  std::vector<float> targets{};  // [outputs] (kReals) or [steps, outputs] (kRealSteps); else none
  std::vector<float> origin{};   // [outputs] that `targets` are distances from (data/distances.h); none: from 0
  bool operator==(const Example&) const = default;
};

// Reads examples when they are asked for: of data that is not held in memory. Any number of threads may read.
class ExampleReader {
 public:
  virtual ~ExampleReader() = default;
  virtual std::size_t size() const = 0;
  // About how many, without reading it: what makes batches of similar lengths.
  virtual std::size_t about_steps(std::size_t index) const = 0;
  virtual Example read(std::size_t index) const = 0;
};

struct Dataset {
  std::string task{};
  std::string split{};  // train, validation or test
  Target target = Target::kClass;
  std::size_t features = 0;    // 0 for ids
  std::size_t vocabulary = 0;  // 0 for real features
  std::size_t outputs = 0;     // real numbers of one target; 0 where targets are labels
  std::string metric{};        // what judges a model of it, by name (metrics/metric.h); empty: the target's own
  std::vector<std::string> classes{};
  std::vector<Example> examples{};                // held; none where `reader` reads them
  std::shared_ptr<const ExampleReader> reader{};  // null: all are held

  std::size_t size() const { return reader ? reader->size() : examples.size(); }
  std::size_t about_steps(std::size_t index) const;
  // Example `index`: the held one, or what was read into `room`.
  const Example& example(std::size_t index, Example& room) const;
  void for_each(const std::function<void(const Example&)>& visit) const;  // in order

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

// What training asks of all examples, in two passes over them, and one over data without features.
struct DataSurvey {
  std::uint64_t content_hash = 0;
  FeatureStatistics statistics{};
};
// check: of every example, once. progress: told now and then how many examples of all passes are read.
DataSurvey survey(const Dataset& data, const std::function<void(const Example&)>& check,
                  const std::function<void(std::size_t done, std::size_t total)>& progress = {});

}  // namespace quaver
