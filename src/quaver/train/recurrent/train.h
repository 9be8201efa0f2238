// train.h - trains recurrent networks, float, from a Dataset to a Model.
//
// The network is one or more recurrent layers, after an embedding when the data are ids; where there is one truth a
// sequence it then pools over time; a dense layer gives the model's only output: "scores" of classes or labels, or
// "predictions", real numbers. Nodes: "embedding", "lstm0", "lstm1", ... (or "gru0", "rnn0"), "pool", "scores".
//
// Adam on the loss of the target, gradients clipped by their norm, the learning rate on half a cosine. After every
// epoch the running mean of the parameters is scored on the validation set; the mean with the best metric (then the
// lowest loss) is the result.
//
// Reproducible: the same data, options and seed give the same bits, for any number of threads. A run that was stopped
// and resumed from its checkpoint gives the bits of one that was not.
#pragma once

#include <cstddef>
#include <string>

#include "quaver/data/dataset.h"
#include "quaver/model/model.h"
#include "quaver/train/common/score.h"
#include "quaver/train/options/options.h"

namespace quaver {

// Error (usage) for options that make no sense together, or whose sizes take more than max_memory whatever the data;
// train() asks it first, and again with the sizes of its data before it allocates.
void check_train_options(const TrainOptions& options);

// Error for options that make no sense together, for data that a network cannot learn from (empty sequences, labels
// out of range, numbers that are not finite), for a checkpoint that does not fit, and when training diverges.
TrainResult train(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options);

// Scores a float model with the code that trained it. The engine gives the same within rounding; this one is batched.
// metric: empty: the data's own.
Score score(const Model& model, const Dataset& data, const std::string& metric = "", std::size_t threads = 0);

}  // namespace quaver
