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

std::size_t Dataset::about_steps(std::size_t index) const {
  return reader ? reader->about_steps(index) : examples[index].input.steps;
}

const Example& Dataset::example(std::size_t index, Example& room) const {
  if (!reader) return examples[index];
  room = reader->read(index);
  return room;
}

void Dataset::for_each(const std::function<void(const Example&)>& visit) const {
  Example room;
  for (std::size_t i = 0; i < size(); ++i) visit(example(i, room));
}

std::size_t Dataset::step_count() const {
  std::size_t steps = 0;
  for_each([&](const Example& example) { steps += example.input.steps; });
  return steps;
}

std::uint64_t Dataset::content_hash() const {
  // Lengths go in too: without them two data sets that cut the same values differently would look equal.
  std::uint64_t hash = fnv1a({});
  hash = hash_number(static_cast<std::uint64_t>(target), hash);
  hash = hash_number(features, hash);
  hash = hash_number(vocabulary, hash);
  hash = hash_number(classes.size(), hash);
  for_each([&](const Example& example) {
    hash = hash_number(example.input.steps, hash);
    hash = hash_number(example.labels.size(), hash);
    hash = hash_values(example.input.values, hash);
    hash = hash_values(example.input.ids, hash);
    hash = hash_values(example.labels, hash);
    if (outputs > 0) hash = hash_values(example.targets, hash);  // provenance of before keeps its fingerprints
  });
  return hash;
}

FeatureStatistics feature_statistics(const Dataset& data) {
  FeatureStatistics statistics;
  if (data.features == 0) return statistics;
  // Two passes in double: a sum of up to 2^29 equal floats is exact, so that a constant feature has variance 0,
  // exactly.
  std::size_t steps = 0;
  std::vector<double> sum(data.features), squares(data.features);
  data.for_each([&](const Example& example) {
    steps += example.input.steps;
    for (std::size_t i = 0; i < example.input.values.size(); ++i) sum[i % data.features] += example.input.values[i];
  });
  if (steps == 0) {
    throw_bad_input(concat("data set '", data.task, "' (", data.split,
                           "): no steps to take the mean and deviation of its features from"));
  }
  for (double& mean : sum) mean /= static_cast<double>(steps);
  data.for_each([&](const Example& example) {
    for (std::size_t i = 0; i < example.input.values.size(); ++i) {
      const double distance = example.input.values[i] - sum[i % data.features];
      squares[i % data.features] += distance * distance;
    }
  });
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
