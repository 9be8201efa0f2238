// softmax_regression.h - classes that are linear in what is seen of a sequence. Internal to this folder.
#pragma once

#include <functional>
#include <vector>

#include "quaver/data/controls/control_row.h"

namespace quaver {

// What is seen of a sequence: as many numbers of each.
using View = std::function<std::vector<float>(const Sequence&)>;

// Softmax regression on the view, standardized over train, to convergence; its penalty, 1e-1 to 1e-5, is chosen on
// validation. Of a class a sequence.
Predictor fit_softmax_regression(const ControlData& data, const View& view);

}  // namespace quaver
