// score.h - how good a trained network is on a set of data.
#pragma once

namespace quaver {

struct Score {
  double accuracy = 0;  // percent of sequences (classifier) or of steps (tagger)
  double loss = 0;      // cross entropy, nats
};

}  // namespace quaver
