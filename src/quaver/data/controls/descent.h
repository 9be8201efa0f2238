// descent.h - the minimum of a smooth convex function. Internal to this folder.
#pragma once

#include <functional>
#include <vector>

namespace quaver {

// The value at a point; the gradient there, of the point's size, is written.
using Objective = std::function<double(const std::vector<double>& point, std::vector<double>& gradient)>;

// Goes down from `start` by L-BFGS (Nocedal 1980) until ten rounds together take less than 1e-6 off the value.
std::vector<double> minimum_below(std::vector<double> start, const Objective& objective);

}  // namespace quaver
