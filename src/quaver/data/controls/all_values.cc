// all_values.cc - classes of sequences of one length, told from all of their numbers as they stand: by a linear map,
// and by the sequence of train that is nearest.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "quaver/data/controls/control_row.h"
#include "quaver/data/controls/softmax_regression.h"

namespace quaver {
namespace {

constexpr std::size_t kMostValues = 2048;  // of a sequence
constexpr double kMostProducts = 1e8;      // of softmax regression: of one gradient, of which it takes thousands
constexpr double kMostDistances = 4e9;     // of the nearest neighbour: numbers that are subtracted

// Numbers of train; 0 where the sequences do not suit.
double values_of_train(const ControlData& data) {
  const std::size_t common = data.train.target == Target::kClass ? common_values(data) : 0;
  return common > kMostValues ? 0 : static_cast<double>(common) * static_cast<double>(data.train.size());
}

double squared_distance(const float* a, const float* b, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float distance = a[i + lane] - b[i + lane];
      sums[lane] += distance * distance;
    }
  double sum = 0;
  for (const float lane : sums) sum += lane;
  for (; i < count; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

struct Neighbours {
  std::vector<float> values{};         // [examples, of a sequence]
  std::vector<std::int32_t> labels{};  // [examples]

  // The class of the nearest one by Euclid, the first of equal ones.
  std::int32_t nearest(const Sequence& input) const {
    double least = std::numeric_limits<double>::infinity();
    std::int32_t label = 0;
    for (std::size_t n = 0; n < labels.size(); ++n) {
      const std::size_t count = input.values.size();
      const double distance = squared_distance(values.data() + n * count, input.values.data(), count);
      if (distance >= least) continue;
      least = distance;
      label = labels[n];
    }
    return label;
  }
};

// Its class is as likely as it was right on validation, for metrics of probabilities; counts begin at 1.
Predictor fit_nearest_neighbour(const ControlData& data) {
  const auto neighbours = std::make_shared<Neighbours>();
  data.train.for_each([&](const Example& example) {
    neighbours->values.insert(neighbours->values.end(), example.input.values.begin(), example.input.values.end());
    neighbours->labels.push_back(example.labels[0]);
  });
  double right = 1, wrong = 1;
  data.validation.for_each(
      [&](const Example& example) { ++(neighbours->nearest(example.input) == example.labels[0] ? right : wrong); });
  const std::size_t classes = data.train.classes.size();
  // Above 0 also where it is wrong more often than not: the nearest one's class is what it names.
  const double odds = right / wrong * static_cast<double>(classes - 1);
  const auto score = static_cast<float>(std::max(std::log(odds), 1e-3));
  return [neighbours = std::shared_ptr<const Neighbours>(neighbours), classes, score](const Example& example) {
    std::vector<float> scores(classes);
    scores[static_cast<std::size_t>(neighbours->nearest(example.input))] = score;
    return scores;
  };
}

}  // namespace

ControlRow softmax_on_all_values_row() {
  return {.name = "softmax on all values",
          .suits =
              [](const ControlData& data) {
                const double products = values_of_train(data) * static_cast<double>(data.train.classes.size());
                return products > 0 && products <= kMostProducts;
              },
          .fit =
              [](const ControlData& data) {
                return fit_softmax_regression(data, [](const Sequence& input) { return input.values; });
              }};
}

ControlRow nearest_neighbour_row() {
  return {.name = "nearest neighbour",
          .suits =
              [](const ControlData& data) {
                const double distances =
                    values_of_train(data) * static_cast<double>(data.validation.size() + data.test.size());
                return distances > 0 && distances <= kMostDistances;
              },
          .fit = fit_nearest_neighbour};
}

}  // namespace quaver
