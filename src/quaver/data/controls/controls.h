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

// Those that suit the data, fitted on train, what they leave open chosen on validation.
//
// Of a class a sequence or a step: "majority class", how often each holds. Of a class a sequence of real features: "bag
// of frames", softmax regression on the mean and deviation of each feature. Of a class a sequence of one length, of
// 2048 numbers at most: "softmax on all values", linear in each of them, where train has no more than 1e8 products of
// numbers and classes; "nearest neighbour", the class of that of train whose numbers are nearest, where 4e9 differences
// are enough. Of a class a step for each id of a vocabulary of 4096 at most: "token before", how often each follows the
// id.
//
// Of labels a step: "label marginals", how often each holds; where the frame before is the input, "frame before", how
// often each holds behind itself and otherwise, and "whole frame before", a logistic regression for each on all
// of that frame, where 5e7 products give a gradient.
//
// Of a forecast: "persistence", the last value of each column goes on; of a day at most, "last day", the values of a
// day before. Of reals a sequence, all of one length, of 2048 numbers at most: "ridge regression", linear in all of
// the sequence; of a forecast of several features "ridge a column", each column linear in its own.
//
// forecast: as task_info() has it; none where the targets are no later values of the inputs. All three of one source.
std::vector<Control> controls(const Dataset& train, const Dataset& validation, const Dataset& test,
                              const Forecast& forecast = {});

}  // namespace quaver
