#include "quaver/data/controls/controls.h"

#include "quaver/data/controls/control_row.h"
#include "quaver/metrics/metric.h"

namespace quaver {
namespace {

const std::vector<ControlRow>& rows() {
  static const std::vector<ControlRow> table{
      majority_class_row(), bag_of_frames_row(),   softmax_on_all_values_row(), nearest_neighbour_row(),
      token_before_row(),   label_marginals_row(), frame_before_row(),          whole_frame_before_row(),
      persistence_row(),    last_day_row(),        ridge_regression_row(),      ridge_a_column_row(),
  };
  return table;
}

}  // namespace

std::size_t common_values(const ControlData& data) {
  if (data.train.features == 0 || data.train.size() == 0) return 0;
  Example room;
  const std::size_t steps = data.train.example(0, room).input.steps;
  bool equal = true;
  for (const Dataset* part : {&data.train, &data.validation, &data.test})
    part->for_each([&](const Example& example) { equal = equal && example.input.steps == steps; });
  return equal ? steps * data.train.features : 0;
}

bool has_frame_before(const ControlData& data) {
  return data.train.target == Target::kLabels && data.train.features == data.train.classes.size();
}

double measure(const Predictor& predictor, const Dataset& data) {
  Tally tally(data.target, is_real(data.target) ? data.outputs : data.classes.size());
  data.for_each([&](const Example& example) {
    tally.add(predictor(example), {.labels = example.labels, .reals = example.targets});
  });
  return find_metric(data.metric, data.target).value(tally);
}

Predictor best_of(const std::vector<Predictor>& candidates, const Dataset& data) {
  const double sign = find_metric(data.metric, data.target).higher_is_better ? 1 : -1;
  const Predictor* best = &candidates.front();
  double best_value = sign * measure(*best, data);
  for (const Predictor& candidate : candidates) {
    const double value = sign * measure(candidate, data);
    if (value > best_value) {
      best = &candidate;
      best_value = value;
    }
  }
  return *best;
}

std::vector<Control> controls(const Dataset& train, const Dataset& validation, const Dataset& test,
                              const Forecast& forecast) {
  const ControlData data{.train = train, .validation = validation, .test = test, .forecast = forecast};
  std::vector<Control> measured;
  for (const ControlRow& row : rows())
    if (row.suits(data)) measured.push_back({.name = row.name, .value = measure(row.fit(data), test)});
  return measured;
}

}  // namespace quaver
