#include "quaver/data/dataset.h"

#include <cmath>
#include <limits>
#include <span>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

template <typename T>
std::uint64_t hash_values(const std::vector<T>& values, std::uint64_t hash) {
  return fnv1a(std::as_bytes(std::span(values)), hash);
}

std::uint64_t hash_number(std::uint64_t number, std::uint64_t hash) {
  return fnv1a(std::as_bytes(std::span(&number, 1)), hash);
}

}  // namespace

const NameTable<Target, 5>& target_names() {
  static constexpr NameTable<Target, 5> kNames("target", {"class", "tags", "reals", "real-steps", "labels"});
  return kNames;
}

std::size_t Dataset::step_count() const {
  std::size_t steps = 0;
  for (const Example& example : examples) steps += example.input.steps;
  return steps;
}

std::uint64_t Dataset::content_hash() const {
  // Lengths go in too: without them two data sets that cut the same values differently would look equal.
  std::uint64_t hash = fnv1a({});
  hash = hash_number(static_cast<std::uint64_t>(target), hash);
  hash = hash_number(features, hash);
  hash = hash_number(vocabulary, hash);
  hash = hash_number(classes.size(), hash);
  for (const Example& example : examples) {
    hash = hash_number(example.input.steps, hash);
    hash = hash_number(example.labels.size(), hash);
    hash = hash_values(example.input.values, hash);
    hash = hash_values(example.input.ids, hash);
    hash = hash_values(example.labels, hash);
    if (outputs > 0) hash = hash_values(example.targets, hash);  // provenance of before keeps its fingerprints
  }
  return hash;
}

FeatureStatistics feature_statistics(const Dataset& data) {
  FeatureStatistics statistics;
  if (data.features == 0) return statistics;
  const std::size_t steps = data.step_count();
  if (steps == 0) {
    throw_bad_input(concat("data set '", data.task, "' (", data.split,
                           "): no steps to take the mean and deviation of its features from"));
  }
  // Two passes in double: a sum of up to 2^29 equal floats is exact, so that a constant feature has variance 0,
  // exactly.
  const auto for_each_value = [&](const auto& visit) {
    for (const Example& example : data.examples) {
      for (std::size_t i = 0; i < example.input.values.size(); ++i) visit(i % data.features, example.input.values[i]);
    }
  };
  std::vector<double> sum(data.features), squares(data.features);
  for_each_value([&](std::size_t feature, double value) { sum[feature] += value; });
  for (double& mean : sum) mean /= static_cast<double>(steps);
  for_each_value(
      [&](std::size_t feature, double value) { squares[feature] += (value - sum[feature]) * (value - sum[feature]); });
  for (std::size_t feature = 0; feature < data.features; ++feature) {
    const double deviation = std::sqrt(squares[feature] / static_cast<double>(steps));
    // Below the normal floats the inverse would overflow: that is a constant too.
    const bool constant = deviation < std::numeric_limits<float>::min();
    statistics.mean.push_back(static_cast<float>(sum[feature]));
    statistics.inverse_deviation.push_back(constant ? 1.0f : static_cast<float>(1.0 / deviation));
  }
  return statistics;
}

}  // namespace quaver
