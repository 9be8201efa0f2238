#include "quaver/data/own/held_examples.h"

#include <algorithm>
#include <cmath>

#include "quaver/core/text.h"

namespace quaver {
namespace {

std::vector<std::int32_t> labels_of(const std::vector<Example>& examples, Target target) {
  std::vector<std::int32_t> labels;
  for (const Example& example : examples) labels.push_back(target == Target::kClass ? example.labels[0] : 0);
  return labels;
}

// Moves what is drawn out of `from`.
void divide(ReadExamples& examples, std::vector<Example> from, Division division, const OwnDataOptions& options,
            const Pipeline& pipeline, std::vector<std::string>& notes) {
  const Divided divided{.where = examples.where,
                        .what = examples.what,
                        .labels = labels_of(from, pipeline.target),
                        .classes = pipeline.target == Target::kClass ? std::span<const std::string>(pipeline.classes)
                                                                     : std::span<const std::string>()};
  const std::vector<Split> splits = divide_by_label(divided, division, options.seed);
  for (std::size_t i = 0; i < from.size(); ++i)
    examples.of_split[static_cast<std::size_t>(splits[i])].push_back(std::move(from[i]));
  notes.push_back(division_text(division, options.seed));
}

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

}  // namespace

void hold(ReadExamples examples, const OwnDataOptions& options, const Pipeline* trained, OpenedData& opened) {
  Pipeline& pipeline = opened.pipeline;
  auto& [train, validation, test] = examples.of_split;
  if (!examples.parted) {
    divide(examples, std::exchange(train, {}), Division::kThreeWays, options, pipeline, opened.notes);
  } else {
    opened.notes.emplace_back("split by file");
    if (validation.empty() && !train.empty())
      divide(examples, std::exchange(train, {}), Division::kTrainValidation, options, pipeline, opened.notes);
  }
  if (trained == nullptr && pipeline.target == Target::kClass) {
    Divided divided{.where = examples.where, .what = examples.what, .labels = {}, .classes = pipeline.classes};
    std::vector<Split> splits;
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      for (const Example& example : examples.of_split[static_cast<std::size_t>(split)]) {
        divided.labels.push_back(example.labels[0]);
        splits.push_back(split);
      }
    }
    check_classes(divided, splits, opened.notes);
  }
  if (!pipeline.target_mean.empty()) {
    if (trained == nullptr) take_statistics(train, pipeline);
    for (std::vector<Example>& split : examples.of_split)
      for (Example& example : split)
        for (std::size_t i = 0; i < example.targets.size(); ++i) {
          const std::size_t output = i % pipeline.target_mean.size();
          example.targets[i] = static_cast<float>((example.targets[i] - pipeline.target_mean[output]) /
                                                  pipeline.target_deviation[output]);
        }
    opened.notes.emplace_back("targets are standardized by the mean and deviation of train");
  }
  auto held = std::make_unique<HeldExamples>();
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    held->of(split) = std::move(examples.of_split[static_cast<std::size_t>(split)]);
  opened.parts = std::move(held);
}

}  // namespace quaver
