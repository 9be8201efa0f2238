// loss.h - what training minimises, as values: sums over rows of outputs and their gradients, on plain arrays.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/metrics/metric.h"
#include "quaver/metrics/target.h"

namespace quaver {

struct LossOptions {
  double label_smoothing = 0;              // share of the target's probability that all classes get alike
  std::span<const float> class_weights{};  // of a row by its class; empty: 1
};

struct Loss {
  std::string_view name;  // "cross_entropy"
  bool (*suits)(Target);
  bool of_numbers;  // a term is a number of a row; else it is a row
  // The sum over rows; sets gradient [rows, width] to the gradient of scale * sum by outputs [rows, width].
  double (*sum)(std::span<const float> outputs, std::size_t width, const Truth& truth, const LossOptions& options,
                float scale, std::span<float> gradient);
};

// cross_entropy          of the class by softmax, nats a row                  class, tags
// binary_cross_entropy   of each label by sigmoid, nats a row, labels summed  labels
// squared_error          a number                                             reals, real-steps
// absolute_error         a number                                             reals, real-steps
//
// Error (usage) that lists the losses that suit the target; of an empty name the first that does.
const Loss& find_loss(std::string_view name, Target target);
std::vector<std::string> loss_names();

}  // namespace quaver
