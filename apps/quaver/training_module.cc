// The module that links libtorch; training.cc loads it.
#include "quaver/core/version.h"
#include "quaver/train/recurrent/train.h"
#include "training.h"

extern "C" const quaver::TrainingModule quaver_training_module;
const quaver::TrainingModule quaver_training_module{quaver::version().data(),
                                                    {quaver::check_train_options, quaver::train}};
