#include "quaver/train/common/loss.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

// With p = softmax(s) and the target t = (1 - e) [class] + e / width: -sum t log p, gradient p - t.
double cross_entropy(std::span<const float> outputs, std::size_t width, const Truth& truth, const LossOptions& options,
                     float scale, std::span<float> gradient) {
  const double share = options.label_smoothing / static_cast<double>(width);
  double sum = 0;
  for (std::size_t row = 0; row < truth.labels.size(); ++row) {
    const float* s = outputs.data() + row * width;
    float* d = gradient.data() + row * width;
    const auto label = static_cast<std::size_t>(truth.labels[row]);
    const double weight = options.class_weights.empty() ? 1.0 : double{options.class_weights[label]};
    const double largest = *std::max_element(s, s + width);
    double total = 0, mean = 0;
    for (std::size_t j = 0; j < width; ++j) {
      total += std::exp(s[j] - largest);
      mean += s[j];
    }
    const double log_total = std::log(total) + largest;
    sum += weight * ((1 - options.label_smoothing) * (log_total - s[label]) +
                     share * (static_cast<double>(width) * log_total - mean));
    for (std::size_t j = 0; j < width; ++j) {
      const double target = share + (j == label ? 1 - options.label_smoothing : 0.0);
      d[j] = static_cast<float>(scale * weight * (std::exp(s[j] - log_total) - target));
    }
  }
  return sum;
}

// Of each label with p = sigmoid(s) and the target t = (1 - e) y + e / 2: -t log p - (1 - t) log(1 - p), gradient p -
// t.
double binary_cross_entropy(std::span<const float> outputs, std::size_t, const Truth& truth, const LossOptions& options,
                            float scale, std::span<float> gradient) {
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double s = outputs[i];
    const double target = (1 - options.label_smoothing) * truth.labels[i] + options.label_smoothing / 2;
    // log(1 + exp(s)) without an overflow on either side.
    sum += std::max(s, 0.0) + std::log1p(std::exp(-std::abs(s))) - target * s;
    gradient[i] = static_cast<float>(scale * (1 / (1 + std::exp(-s)) - target));
  }
  return sum;
}

// The sum of term(error, slope) over all numbers, which sets its slope by the error.
template <typename Term>
double over_errors(std::span<const float> outputs, const Truth& truth, float scale, std::span<float> gradient,
                   const Term& term) {
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    double slope = 0;
    sum += term(double{outputs[i]} - truth.reals[i], slope);
    gradient[i] = static_cast<float>(scale * slope);
  }
  return sum;
}

double squared_error(std::span<const float> outputs, std::size_t, const Truth& truth, const LossOptions&, float scale,
                     std::span<float> gradient) {
  return over_errors(outputs, truth, scale, gradient, [](double error, double& slope) {
    slope = 2 * error;
    return error * error;
  });
}

double absolute_error(std::span<const float> outputs, std::size_t, const Truth& truth, const LossOptions&, float scale,
                      std::span<float> gradient) {
  return over_errors(outputs, truth, scale, gradient, [](double error, double& slope) {
    slope = error > 0 ? 1 : error < 0 ? -1 : 0;
    return std::abs(error);
  });
}

bool of_labels(Target target) { return target == Target::kLabels; }

// In this order: the first that suits a target is its own.
constexpr std::array kLosses{
    Loss{"cross_entropy", names_a_class, false, cross_entropy},
    Loss{"binary_cross_entropy", of_labels, false, binary_cross_entropy},
    Loss{"squared_error", is_real, true, squared_error},
    Loss{"absolute_error", is_real, true, absolute_error},
};

}  // namespace

const Loss& find_loss(std::string_view name, Target target) {
  std::vector<std::string> suitable;
  for (const Loss& loss : kLosses) {
    if (!loss.suits(target)) continue;
    if (name.empty() || loss.name == name) return loss;
    suitable.emplace_back(loss.name);
  }
  throw_usage(concat("loss '", printable(name), "' does not suit the target '", target_names().name(target),
                     "', expected one of: ", join(suitable, ", ")));
}

std::vector<std::string> loss_names() {
  std::vector<std::string> names;
  for (const Loss& loss : kLosses) names.emplace_back(loss.name);
  return names;
}

}  // namespace quaver
