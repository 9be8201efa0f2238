#include "quaver/data/controls/softmax_regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "quaver/data/controls/descent.h"
#include "quaver/data/standard.h"

namespace quaver {
namespace {

// What brings a view to mean 0 and deviation 1 over train; behind it stands a 1 for the bias.
struct Scaling {
  View view;
  std::vector<Standard> standards{};  // of each number

  std::vector<float> scaled(const Sequence& input) const {
    std::vector<float> x = view(input);
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>((x[i] - standards[i].mean) / standards[i].deviation);
    x.push_back(1);
    return x;
  }
};

struct Inputs {
  std::size_t width = 0;        // of an example, its 1 too
  std::vector<float> values{};  // [examples, width]
  std::vector<std::size_t> labels{};
};

// Sums in lanes, which a compiler can keep in a register each.
double product(const float* x, const double* weights, std::size_t width) {
  constexpr std::size_t kLanes = 4;
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= width; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * weights[i + lane];
  for (; i < width; ++i) sums[0] += x[i] * weights[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// weights: [classes, width].
std::vector<double> scores_of(const float* x, std::size_t width, const std::vector<double>& weights) {
  std::vector<double> scores(weights.size() / width);
  for (std::size_t k = 0; k < scores.size(); ++k) scores[k] = product(x, weights.data() + k * width, width);
  return scores;
}

// Mean cross entropy plus penalty / 2 |W|^2, the biases left out.
double loss_of(const Inputs& inputs, double penalty, const std::vector<double>& weights,
               std::vector<double>& gradient) {
  const auto examples = static_cast<double>(inputs.labels.size());
  double loss = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool is_bias = i % inputs.width == inputs.width - 1;
    gradient[i] = is_bias ? 0 : penalty * weights[i];
    loss += gradient[i] * weights[i] / 2;
  }
  for (std::size_t n = 0; n < inputs.labels.size(); ++n) {
    const float* const x = inputs.values.data() + n * inputs.width;
    const std::vector<double> scores = scores_of(x, inputs.width, weights);
    const double largest = *std::ranges::max_element(scores);
    double sum = 0;
    for (const double score : scores) sum += std::exp(score - largest);
    loss += (std::log(sum) + largest - scores[inputs.labels[n]]) / examples;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const double error = std::exp(scores[k] - largest) / sum - (k == inputs.labels[n] ? 1 : 0);
      double* const row = gradient.data() + k * inputs.width;
      for (std::size_t i = 0; i < inputs.width; ++i) row[i] += error / examples * x[i];
    }
  }
  return loss;
}

}  // namespace

Predictor fit_softmax_regression(const ControlData& data, const View& view) {
  const auto scaling = std::make_shared<Scaling>(Scaling{.view = view});
  Inputs inputs;
  data.train.for_each([&](const Example& example) {
    std::vector<float> x = view(example.input);
    x.push_back(1);
    inputs.width = x.size();
    inputs.values.insert(inputs.values.end(), x.begin(), x.end());
    inputs.labels.push_back(static_cast<std::size_t>(example.labels[0]));
  });
  for (std::size_t i = 0; i + 1 < inputs.width; ++i) {
    const auto number = [&](std::size_t n) -> float& { return inputs.values[n * inputs.width + i]; };
    const Standard standard =
        standard_of(inputs.labels.size(), [&](std::size_t n) { return static_cast<double>(number(n)); });
    for (std::size_t n = 0; n < inputs.labels.size(); ++n)
      number(n) = static_cast<float>((number(n) - standard.mean) / standard.deviation);
    scaling->standards.push_back(standard);
  }
  std::vector<Predictor> candidates;
  std::vector<double> weights(data.train.classes.size() * inputs.width);
  for (const double penalty : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5}) {
    // From the weights of the penalty before, which are near.
    weights = minimum_below(weights, [&](const std::vector<double>& point, std::vector<double>& gradient) {
      return loss_of(inputs, penalty, point, gradient);
    });
    candidates.emplace_back(
        [scaling = std::shared_ptr<const Scaling>(scaling), weights, width = inputs.width](const Example& example) {
          const std::vector<double> scores = scores_of(scaling->scaled(example.input).data(), width, weights);
          return std::vector<float>(scores.begin(), scores.end());
        });
  }
  return best_of(candidates, data.validation);
}

}  // namespace quaver
