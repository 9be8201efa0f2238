// training.h - training as the verbs 'train' and 'demo' use it, and what they do in a program without libtorch.
#pragma once

#include <string>

#include "quaver/data/dataset.h"
#include "quaver/train/train.h"

namespace quaver {

// The options that suit a task, before any flag.
TrainOptions default_train_options(const std::string& task);

// Error (failed) that says how to get it, when this program was built without libtorch.
void require_training();

// train() with a progress bar and a line an epoch on standard error.
TrainResult train_showing_progress(const Dataset& train_data, const Dataset& validation_data, TrainOptions options);

}  // namespace quaver
