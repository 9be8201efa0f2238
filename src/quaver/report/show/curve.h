// curve.h - how a training went, as a picture.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quaver {

// A value an epoch.
struct LearningCurve {
  std::string metric{}, unit{};  // "accuracy", "%"
  std::vector<double> train_loss{}, validation_loss{};
  std::vector<double> values{};  // of the metric, on validation
  std::size_t best_epoch = 0;    // counted from 1; 0: none
};

// An SVG of two panels above each other, losses and metric, that says what it shows to whoever cannot see it. The loss
// of training includes its augmentation, label smoothing and dropout.
std::string learning_curve_svg(const LearningCurve& curve);

}  // namespace quaver
