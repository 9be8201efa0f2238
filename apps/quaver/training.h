// training.h - who trains recurrent networks.
//
// libtorch is 300 shared libraries: half a second and 160 MB for every start of a program that is linked to it. So what
// needs it lies in a module of its own, libquaver_training.so beside the program, which is loaded when a verb trains.
#pragma once

#include "quaver/train/options/options.h"

namespace quaver {

// What the module offers, under the C name below.
struct TrainingModule {
  const char* version;  // of Quaver: a module of another one does not fit
  RecurrentTrainer trainer;
};
inline constexpr const char* kTrainingModuleName = "libquaver_training.so";
inline constexpr const char* kTrainingModuleSymbol = "quaver_training_module";

// Error (failed) that says how to get it, when this program was built without libtorch or can not load it.
const RecurrentTrainer& require_training();

}  // namespace quaver
