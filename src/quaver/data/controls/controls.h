// controls.h - predictions that need no network: what a model must beat before it has learned anything of a sequence.
#pragma once

#include <string>
#include <vector>

#include "quaver/data/dataset.h"
#include "quaver/data/tasks.h"

namespace quaver {

// What one predictor reaches on test.
struct Control {
  std::string name{};  // "persistence"
  double value = 0;    // of the metric of the data
};

// Those that suit the data, fitted on train, what they leave open chosen on validation:
//
//   majority class     a class a sequence or step: how often each holds
//   bag of frames      a class a sequence of real features: softmax regression on the mean and deviation of each
//   feature token before       a class a step for each id of a vocabulary of 4096 at most: how often each follows the
//   id label marginals    labels a step: how often each holds frame before       labels a step whose frame before is
//   the input: how often each holds behind itself and otherwise persistence        a forecast: the last value of each
//   column goes on last day           a forecast of a day at most: the values of a day before ridge regression   reals
//   a sequence, all of one length, of 2048 numbers at most: linear in all of the sequence
//
// forecast: as task_info() has it; none where the targets are no later values of the inputs. All three of one source.
std::vector<Control> controls(const Dataset& train, const Dataset& validation, const Dataset& test,
                              const Forecast& forecast = {});

}  // namespace quaver
