#include "quaver/data/own/held_examples.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "quaver/core/text.h"

namespace quaver {
namespace {

// Mean and deviation of each output over train; a constant one has deviation 1.
void take_statistics(const std::vector<Example>& train, Pipeline& pipeline) {
  const std::size_t outputs = pipeline.target_mean.size();
  std::vector<double>&mean = pipeline.target_mean, &deviation = pipeline.target_deviation;
  const auto for_each = [&](const auto& visit) {
    for (const Example& example : train)
      for (std::size_t i = 0; i < example.targets.size(); ++i) visit(i % outputs, double{example.targets[i]});
  };
  std::vector<double> count(outputs), squares(outputs);
  mean.assign(outputs, 0);
  for_each([&](std::size_t output, double value) {
    mean[output] += value;
    ++count[output];
  });
  for (std::size_t i = 0; i < outputs; ++i) mean[i] /= std::max(count[i], 1.0);
  for_each(
      [&](std::size_t output, double value) { squares[output] += (value - mean[output]) * (value - mean[output]); });
  deviation.assign(outputs, 1);
  for (std::size_t i = 0; i < outputs; ++i)
    if (squares[i] > 0) deviation[i] = std::sqrt(squares[i] / count[i]);
}

void standardize(const Pipeline& pipeline, std::vector<float>& targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::size_t output = i % pipeline.target_mean.size();
    targets[i] = static_cast<float>((targets[i] - pipeline.target_mean[output]) / pipeline.target_deviation[output]);
  }
}

Divided divided_of(const ReadExamples& read, std::span<const std::string> classes) {
  Divided divided{.where = read.where, .what = read.what, .labels = {}, .classes = classes};
  for (const Example& example : read.examples) divided.labels.push_back(classes.empty() ? 0 : example.labels[0]);
  return divided;
}

template <typename Number>
std::uint64_t hash_of(const std::vector<Number>& numbers, std::uint64_t hash) {
  return fnv1a(std::as_bytes(std::span(numbers)), hash);
}

std::uint64_t hash_of(const std::vector<Example>& examples) {
  std::uint64_t hash = fnv1a({});
  for (const Example& example : examples) {
    hash = hash_of(example.input.values, hash_of(example.input.ids, hash));
    hash = hash_of(example.targets, hash_of(example.labels, hash));
  }
  return hash;
}

}  // namespace

std::vector<Split> splits_of(const ReadExamples& read, std::span<const std::string> classes,
                             const OwnDataOptions& options, std::vector<std::string>& notes) {
  return split_examples(divided_of(read, classes), read.splits, options.seed, notes);
}

void hold(ReadExamples read, std::span<const Split> splits, const Pipeline* trained, OpenedData& opened) {
  Pipeline& pipeline = opened.pipeline;
  if (read.splits.parts.empty()) opened.drawn = Drawn{read.what, read.examples.size(), hash_of(read.examples)};
  if (pipeline.target == Target::kClass && trained == nullptr)
    check_classes(divided_of(read, pipeline.classes), splits, opened.notes);

  auto held = std::make_unique<HeldExamples>();
  for (std::size_t i = 0; i < splits.size(); ++i) held->of(splits[i]).push_back(std::move(read.examples[i]));
  if (!pipeline.target_mean.empty()) {
    if (trained == nullptr) take_statistics(held->of(Split::kTrain), pipeline);
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
      for (Example& example : held->of(split)) standardize(pipeline, example.targets);
    opened.notes.emplace_back("targets are standardized by the mean and deviation of train");
  }
  opened.parts = std::move(held);
}

}  // namespace quaver
