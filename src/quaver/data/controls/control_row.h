// control_row.h - one row of the table of controls, and what the rows share. Internal to this folder.
//
// To add a control: its row in the file of its target, and a line in the table of controls.cc.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "quaver/data/controls/controls.h"

namespace quaver {

// The outputs for an example, as its target has them: [outputs] (kReals), [steps, outputs] (kRealSteps), scores of
// classes or labels, [classes] (kClass) or [steps, classes] (kTags, kLabels).
using Predictor = std::function<std::vector<float>(const Example&)>;

struct ControlData {
  const Dataset& train;
  const Dataset& validation;
  const Dataset& test;  // its sizes and shapes alone: nothing is fitted on it
  const Forecast& forecast;
};

struct ControlRow {
  std::string name{};
  bool (*suits)(const ControlData& data);
  Predictor (*fit)(const ControlData& data);
};

ControlRow majority_class_row();
ControlRow bag_of_frames_row();
ControlRow softmax_on_all_values_row();
ControlRow nearest_neighbour_row();
ControlRow token_before_row();
ControlRow label_marginals_row();
ControlRow frame_before_row();
ControlRow whole_frame_before_row();
ControlRow persistence_row();
ControlRow last_day_row();
ControlRow ridge_regression_row();
ControlRow ridge_a_column_row();

// How many real numbers each sequence of all three sets has; 0 where they differ, or are ids.
std::size_t common_values(const ControlData& data);
// Whether the labels of the step before are the input.
bool has_frame_before(const ControlData& data);

// The metric of the data.
double measure(const Predictor& predictor, const Dataset& data);
// That which `data` likes best, the first of equal ones. candidates: one at least.
Predictor best_of(const std::vector<Predictor>& candidates, const Dataset& data);

}  // namespace quaver
