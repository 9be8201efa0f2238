// architecture.h - from options to a model with fresh weights: what training starts from. Internal to this floor.
#pragma once

#include "quaver/data/dataset.h"
#include "quaver/model/model.h"
#include "quaver/train/recurrent/train.h"

namespace quaver {

// Nodes, input statistics and initial weights. statistics: of the features of the data, where it has some. Error
// (usage) when the options make no sense together.
Model initial_model(const Dataset& data, const FeatureStatistics& statistics, const TrainOptions& options);

// Weights from the seed: input matrices uniform with Glorot's variance, recurrent ones orthogonal a gate, so that a
// state neither grows nor dies over the first long sequences; an LSTM's forget gate starts open (bias 1), layer norm
// as identity.
void initialise(Model& model, std::uint64_t seed);

}  // namespace quaver
