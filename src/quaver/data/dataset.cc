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

namespace {

// Lengths go in too: without them two data sets that cut the same values differently would look equal.
class ContentHash {
 public:
  explicit ContentHash(const Dataset& data) : has_targets_(data.outputs > 0) {
    hash_ = fnv1a({});
    hash_ = hash_number(static_cast<std::uint64_t>(data.target), hash_);
    hash_ = hash_number(data.features, hash_);
    hash_ = hash_number(data.vocabulary, hash_);
    hash_ = hash_number(data.classes.size(), hash_);
  }
  void add(const Example& example) {
    hash_ = hash_number(example.input.steps, hash_);
    hash_ = hash_number(example.labels.size(), hash_);
    hash_ = hash_values(example.input.values, hash_);
    hash_ = hash_values(example.input.ids, hash_);
    hash_ = hash_values(example.labels, hash_);
    if (has_targets_) hash_ = hash_values(example.targets, hash_);  // provenance of before keeps its fingerprints
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0;
  bool has_targets_;
};

// Two passes in double: a sum of up to 2^29 equal floats is exact, so that a constant feature has variance 0, exactly.
class Moments {
 public:
  explicit Moments(std::size_t features) : features_(features), mean_(features), squares_(features) {}

  void add_to_mean(const Example& example) {
    steps_ += example.input.steps;
    for (std::size_t i = 0; i < example.input.values.size(); ++i) mean_[i % features_] += example.input.values[i];
  }
  void end_mean(const Dataset& data) {
    if (steps_ == 0)
      throw_bad_input(concat("data set '", data.task, "' (", data.split,
                             "): no steps to take the mean and deviation of its features from"));
    for (double& mean : mean_) mean /= static_cast<double>(steps_);
  }
  void add_to_deviation(const Example& example) {
    for (std::size_t i = 0; i < example.input.values.size(); ++i) {
      const double distance = example.input.values[i] - mean_[i % features_];
      squares_[i % features_] += distance * distance;
    }
  }
  FeatureStatistics statistics() const {
    FeatureStatistics statistics;
    for (std::size_t feature = 0; feature < features_; ++feature) {
      const double deviation = std::sqrt(squares_[feature] / static_cast<double>(steps_));
      // Below the normal floats the inverse would overflow: that is a constant too.
      const bool constant = deviation < std::numeric_limits<float>::min();
      statistics.mean.push_back(static_cast<float>(mean_[feature]));
      statistics.inverse_deviation.push_back(constant ? 1.0f : static_cast<float>(1.0 / deviation));
    }
    return statistics;
  }

 private:
  std::size_t features_, steps_ = 0;
  std::vector<double> mean_, squares_;
};

}  // namespace

std::uint64_t Dataset::content_hash() const {
  ContentHash hash(*this);
  for_each([&](const Example& example) { hash.add(example); });
  return hash.value();
}

FeatureStatistics feature_statistics(const Dataset& data) {
  if (data.features == 0) return {};
  Moments moments(data.features);
  data.for_each([&](const Example& example) { moments.add_to_mean(example); });
  moments.end_mean(data);
  data.for_each([&](const Example& example) { moments.add_to_deviation(example); });
  return moments.statistics();
}

DataSurvey survey(const Dataset& data, const std::function<void(const Example&)>& check,
                  const std::function<void(std::size_t done, std::size_t total)>& progress) {
  constexpr std::size_t kExamplesPerReport = 256;
  const std::size_t total = data.size() * (data.features == 0 ? 1 : 2);
  std::size_t done = 0;
  const auto count = [&] {
    if (++done % kExamplesPerReport == 0 && progress) progress(done, total);
  };
  ContentHash hash(data);
  Moments moments(data.features);
  data.for_each([&](const Example& example) {
    check(example);
    hash.add(example);
    if (data.features > 0) moments.add_to_mean(example);
    count();
  });
  DataSurvey survey{.content_hash = hash.value()};
  if (data.features == 0) return survey;
  moments.end_mean(data);
  data.for_each([&](const Example& example) {
    moments.add_to_deviation(example);
    count();
  });
  survey.statistics = moments.statistics();
  return survey;
}

}  // namespace quaver
