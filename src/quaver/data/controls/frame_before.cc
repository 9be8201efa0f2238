// frame_before.cc - labels a step from all labels of the step before: a logistic regression for each of them.
#include <algorithm>
#include <cmath>
#include <memory>

#include "quaver/data/controls/control_row.h"
#include "quaver/data/controls/descent.h"

namespace quaver {
namespace {

constexpr double kMostProducts = 5e7;  // of one gradient, of which it takes hundreds

// Most labels do not hold: a frame is the list of what does.
struct Frames {
  std::vector<std::size_t> begins{};   // of each frame in `places`
  std::vector<std::size_t> places{};   // of features that are not 0
  std::vector<float> values{};         // of those
  std::vector<std::int32_t> labels{};  // [frames, classes]

  void add(const Example& example) {
    for (std::size_t step = 0; step < example.input.steps; ++step) {
      begins.push_back(places.size());
      for (std::size_t i = 0; i < example.input.features; ++i) {
        const float value = example.input.values[step * example.input.features + i];
        if (value == 0) continue;
        places.push_back(i);
        values.push_back(value);
      }
    }
    labels.insert(labels.end(), example.labels.begin(), example.labels.end());
  }
  std::size_t end(std::size_t frame) const { return frame + 1 < begins.size() ? begins[frame + 1] : places.size(); }
};

// Scores of a frame's labels; weights: [features + 1, classes], the last row the biases.
void take_scores(const Frames& frames, std::size_t frame, const std::vector<double>& weights,
                 std::vector<double>& scores) {
  const std::size_t classes = scores.size();
  scores.assign(weights.end() - static_cast<std::ptrdiff_t>(classes), weights.end());
  for (std::size_t at = frames.begins[frame]; at < frames.end(frame); ++at) {
    const double* const row = weights.data() + frames.places[at] * classes;
    for (std::size_t k = 0; k < classes; ++k) scores[k] += frames.values[at] * row[k];
  }
}

// Mean over frames of the labels' cross entropies plus penalty / 2 |W|^2, the biases left out.
double loss_of(const Frames& frames, std::size_t classes, double penalty, const std::vector<double>& weights,
               std::vector<double>& gradient) {
  const auto count = static_cast<double>(frames.begins.size());
  double loss = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    gradient[i] = i < weights.size() - classes ? penalty * weights[i] : 0;
    loss += gradient[i] * weights[i] / 2;
  }
  std::vector<double> errors(classes);
  for (std::size_t frame = 0; frame < frames.begins.size(); ++frame) {
    take_scores(frames, frame, weights, errors);
    double factors = 1;  // whose logarithms are summed, in one call for many
    for (std::size_t k = 0; k < classes; ++k) {
      const double score = errors[k], shrunk = std::exp(-std::fabs(score));
      const bool holds = frames.labels[frame * classes + k] != 0;
      loss += (std::max(score, 0.0) - (holds ? score : 0)) / count;
      factors *= 1 + shrunk;
      if (factors > 1e300 || k + 1 == classes) {
        loss += std::log(factors) / count;
        factors = 1;
      }
      errors[k] = ((score >= 0 ? 1 : shrunk) / (1 + shrunk) - (holds ? 1 : 0)) / count;
    }
    for (std::size_t at = frames.begins[frame]; at < frames.end(frame); ++at) {
      double* const row = gradient.data() + frames.places[at] * classes;
      for (std::size_t k = 0; k < classes; ++k) row[k] += frames.values[at] * errors[k];
    }
    double* const biases = gradient.data() + (gradient.size() - classes);
    for (std::size_t k = 0; k < classes; ++k) biases[k] += errors[k];
  }
  return loss;
}

Predictor fit_whole_frame_before(const ControlData& data) {
  const std::size_t classes = data.train.classes.size();
  Frames frames;
  data.train.for_each([&](const Example& example) { frames.add(example); });
  std::vector<Predictor> candidates;
  std::vector<double> weights((data.train.features + 1) * classes);
  for (const double penalty : {1e-2, 1e-3, 1e-4, 1e-5}) {
    weights = minimum_below(weights, [&](const std::vector<double>& point, std::vector<double>& gradient) {
      return loss_of(frames, classes, penalty, point, gradient);
    });
    candidates.emplace_back([weights, classes](const Example& example) {
      Frames judged;
      judged.add(example);
      std::vector<float> outputs;
      std::vector<double> scores(classes);
      for (std::size_t step = 0; step < example.input.steps; ++step) {
        take_scores(judged, step, weights, scores);
        outputs.insert(outputs.end(), scores.begin(), scores.end());
      }
      return outputs;
    });
  }
  return best_of(candidates, data.validation);
}

bool suits_whole_frame_before(const ControlData& data) {
  if (!has_frame_before(data)) return false;
  double products = 0;
  data.train.for_each([&](const Example& example) {
    for (const float value : example.input.values) products += value != 0 ? 1 : 0;
    products += static_cast<double>(example.input.steps);
  });
  return products * static_cast<double>(data.train.classes.size()) <= kMostProducts;
}

}  // namespace

ControlRow whole_frame_before_row() {
  return {.name = "whole frame before", .suits = suits_whole_frame_before, .fit = fit_whole_frame_before};
}

}  // namespace quaver
