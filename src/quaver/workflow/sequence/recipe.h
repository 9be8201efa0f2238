// recipe.h - the options that suit some data, before anyone says otherwise. Internal to this floor.
#pragma once

#include <string>

#include "quaver/data/dataset.h"
#include "quaver/train/options/options.h"

namespace quaver {

// name: of the task, or of the kind of one's own data: "wav". Chosen on validation splits; docs/own_data.md has the
// figures.
TrainOptions recommended_options(const std::string& name, const Dataset& train_data);

}  // namespace quaver
