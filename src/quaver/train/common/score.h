// score.h - how good a trained network is on a set of data.
#pragma once

namespace quaver {

struct Score {
  double metric = 0;  // by the metric that training is judged by
  double loss = 0;    // its loss, or what else decides between equal metrics; lower is better
};

}  // namespace quaver
