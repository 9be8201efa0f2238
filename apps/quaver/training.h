// training.h - training as the verbs 'train' and 'demo' use it.
//
// libtorch is 300 shared libraries: half a second and 160 MB for every start of a program that is linked to it. So what
// needs it lies in a module of its own, libquaver_training.so beside the program, which is loaded when a verb trains.
#pragma once

#include <string>

#include "quaver/data/dataset.h"
#include "quaver/train/recurrent/train.h"

namespace quaver {

// What the module offers, under the C name below.
struct TrainingModule {
  const char* version;  // of Quaver: a module of another one does not fit
  void (*check)(const TrainOptions& options);
  TrainResult (*train)(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options);
};
inline constexpr const char* kTrainingModuleName = "libquaver_training.so";
inline constexpr const char* kTrainingModuleSymbol = "quaver_training_module";

// The options that suit a task, before any flag.
TrainOptions default_train_options(const std::string& task);

// Error (failed) that says how to get it, when this program was built without libtorch or can not load it.
const TrainingModule& require_training();

// Trains with a progress bar and a line an epoch on standard error.
TrainResult train_showing_progress(const Dataset& train_data, const Dataset& validation_data, TrainOptions options);

}  // namespace quaver
