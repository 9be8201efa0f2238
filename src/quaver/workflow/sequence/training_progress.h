// training_progress.h - tells a listener how far the training of a recurrent network is. Internal.
#pragma once

#include "quaver/metrics/metric.h"
#include "quaver/train/options/options.h"
#include "quaver/workflow/listener.h"

namespace quaver {

// For TrainOptions::on_progress: batches as they are done, with what an epoch taught. Both outlive it.
class TrainingProgress {
 public:
  TrainingProgress(const Metric& metric, Listener& listener) : metric_(metric), listener_(listener) {}
  void operator()(const LoopProgress& now);

 private:
  const Metric& metric_;
  Listener& listener_;
  bool begun_ = false;
};

}  // namespace quaver
