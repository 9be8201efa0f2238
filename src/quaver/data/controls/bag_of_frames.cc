// bag_of_frames.cc - softmax regression on the mean and deviation of each feature of a sequence: what can be told
// without the order of its steps.
#include <cmath>

#include "quaver/data/controls/control_row.h"
#include "quaver/data/controls/softmax_regression.h"

namespace quaver {
namespace {

// Mean and deviation of each feature over the steps.
std::vector<float> frame_statistics(const Sequence& input) {
  std::vector<float> statistics(2 * input.features);
  const auto steps = static_cast<double>(input.steps);
  for (std::size_t feature = 0; feature < input.features; ++feature) {
    double mean = 0, squares = 0;
    for (std::size_t i = feature; i < input.values.size(); i += input.features) mean += input.values[i] / steps;
    for (std::size_t i = feature; i < input.values.size(); i += input.features)
      squares += (input.values[i] - mean) * (input.values[i] - mean);
    statistics[2 * feature] = static_cast<float>(mean);
    statistics[2 * feature + 1] = static_cast<float>(std::sqrt(squares / steps));
  }
  return statistics;
}

}  // namespace

ControlRow bag_of_frames_row() {
  return {
      .name = "bag of frames",
      .suits = [](const ControlData& data) { return data.train.target == Target::kClass && data.train.features > 0; },
      .fit = [](const ControlData& data) { return fit_softmax_regression(data, frame_statistics); }};
}

}  // namespace quaver
