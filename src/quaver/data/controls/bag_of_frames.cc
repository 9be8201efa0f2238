// bag_of_frames.cc - softmax regression on the mean and deviation of each feature of a sequence: what can be told
// without the order of its steps.
#include <algorithm>
#include <cmath>
#include <memory>

#include "quaver/data/controls/control_row.h"

namespace quaver {
namespace {

// Of descent: 100 and 1000 give the same accuracy on `digits` and `har` within 0.5.
constexpr std::size_t kRounds = 300;

// Mean and deviation of each feature over the steps.
std::vector<double> frame_statistics(const Sequence& input) {
  std::vector<double> statistics(2 * input.features);
  const auto steps = static_cast<double>(input.steps);
  for (std::size_t feature = 0; feature < input.features; ++feature) {
    double mean = 0, squares = 0;
    for (std::size_t i = feature; i < input.values.size(); i += input.features) mean += input.values[i] / steps;
    for (std::size_t i = feature; i < input.values.size(); i += input.features)
      squares += (input.values[i] - mean) * (input.values[i] - mean);
    statistics[2 * feature] = mean;
    statistics[2 * feature + 1] = std::sqrt(squares / steps);
  }
  return statistics;
}

// What brings the statistics to mean 0 and deviation 1 over train, and a 1 for the bias.
struct Scaling {
  std::vector<double> mean{}, deviation{};

  std::vector<double> scaled(const Sequence& input) const {
    std::vector<double> x = frame_statistics(input);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - mean[i]) / deviation[i];
    x.push_back(1);
    return x;
  }
};

Scaling scaling_of(const Dataset& train) {
  const auto count = static_cast<double>(train.size());
  std::vector<double> mean(2 * train.features), squares(mean.size());
  train.for_each([&](const Example& example) {
    const std::vector<double> x = frame_statistics(example.input);
    for (std::size_t i = 0; i < x.size(); ++i) mean[i] += x[i] / count;
  });
  train.for_each([&](const Example& example) {
    const std::vector<double> x = frame_statistics(example.input);
    for (std::size_t i = 0; i < x.size(); ++i) squares[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
  });
  for (double& square : squares) square = square > 0 ? std::sqrt(square / count) : 1;
  return {.mean = mean, .deviation = squares};
}

struct Inputs {
  std::size_t width = 0;         // of an example
  std::vector<double> values{};  // [examples, width]
  std::vector<std::size_t> labels{};
};

// scores[k] = sum_i x[i] W[i, k]; W: [width, classes].
std::vector<double> scores_of(const double* x, std::size_t width, const std::vector<double>& weights,
                              std::size_t classes) {
  std::vector<double> scores(classes);
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t k = 0; k < classes; ++k) scores[k] += x[i] * weights[i * classes + k];
  return scores;
}

void softmax(std::vector<double>& scores) {
  const double largest = *std::ranges::max_element(scores);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score /= sum;
}

// An upper bound of the largest eigenvalue of X' X / examples, by power iteration.
double curvature(const Inputs& inputs) {
  const std::size_t examples = inputs.labels.size();
  std::vector<double> direction(inputs.width, 1);
  double length = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<double> next(inputs.width);
    for (std::size_t n = 0; n < examples; ++n) {
      const double* const x = inputs.values.data() + n * inputs.width;
      double product = 0;
      for (std::size_t i = 0; i < inputs.width; ++i) product += x[i] * direction[i];
      for (std::size_t i = 0; i < inputs.width; ++i) next[i] += x[i] * product / static_cast<double>(examples);
    }
    length = 0;
    for (const double value : next) length += value * value;
    length = std::sqrt(length);
    for (double& value : next) value /= length;
    direction = std::move(next);
  }
  return 1.2 * length;  // the iteration comes from below
}

// Minimises the mean cross entropy plus penalty / 2 |W|^2 by accelerated gradient descent; the Hessian of the former is
// at most half the curvature of the inputs.
std::vector<double> weights_for(const Inputs& inputs, std::size_t classes, double penalty) {
  const std::size_t examples = inputs.labels.size();
  const double step = 1 / (0.5 * curvature(inputs) + penalty);
  std::vector<double> weights(inputs.width * classes), ahead = weights;
  for (std::size_t round = 0; round < kRounds; ++round) {
    std::vector<double> gradient(weights.size());
    for (std::size_t n = 0; n < examples; ++n) {
      const double* const x = inputs.values.data() + n * inputs.width;
      std::vector<double> error = scores_of(x, inputs.width, ahead, classes);
      softmax(error);
      error[inputs.labels[n]] -= 1;
      for (std::size_t i = 0; i < inputs.width; ++i)
        for (std::size_t k = 0; k < classes; ++k) gradient[i * classes + k] += x[i] * error[k];
    }
    const double momentum = static_cast<double>(round) / static_cast<double>(round + 3);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double before = weights[i];
      weights[i] = ahead[i] - step * (gradient[i] / static_cast<double>(examples) + penalty * ahead[i]);
      ahead[i] = weights[i] + momentum * (weights[i] - before);
    }
  }
  return weights;
}

Predictor fit_bag_of_frames(const ControlData& data) {
  const std::size_t classes = data.train.classes.size();
  const auto scaling = std::make_shared<const Scaling>(scaling_of(data.train));
  Inputs inputs{.width = 2 * data.train.features + 1};
  data.train.for_each([&](const Example& example) {
    const std::vector<double> x = scaling->scaled(example.input);
    inputs.values.insert(inputs.values.end(), x.begin(), x.end());
    inputs.labels.push_back(static_cast<std::size_t>(example.labels[0]));
  });
  std::vector<Predictor> candidates;
  for (const double penalty : {1e-1, 1e-2, 1e-3, 1e-4}) {
    candidates.emplace_back(
        [scaling, weights = weights_for(inputs, classes, penalty), classes](const Example& example) {
          const std::vector<double> x = scaling->scaled(example.input);
          const std::vector<double> scores = scores_of(x.data(), x.size(), weights, classes);
          return std::vector<float>(scores.begin(), scores.end());
        });
  }
  return best_of(candidates, data.validation);
}

}  // namespace

ControlRow bag_of_frames_row() {
  return {
      .name = "bag of frames",
      .suits = [](const ControlData& data) { return data.train.target == Target::kClass && data.train.features > 0; },
      .fit = fit_bag_of_frames};
}

}  // namespace quaver
