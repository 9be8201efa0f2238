// train.h - trains recurrent classifiers and taggers, float, from a Dataset to a Model.
//
// The network is one or more recurrent layers, after an embedding when the data are ids; a classifier then pools
// over time; a dense layer gives the logits, the model's only output, "scores". Nodes: "embedding", "lstm0", "lstm1",
// ... (or "gru0", "rnn0"), "pool", "scores".
//
// Adam on the cross entropy, gradients clipped by their norm, the learning rate on half a cosine. After every epoch the
// running mean of the parameters is scored on the validation set; the mean with the best accuracy (then the lowest
// loss) is the result.
//
// Reproducible: the same data, options and seed give the same bits, for any number of threads. A run that was stopped
// and resumed from its checkpoint gives the bits of one that was not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"
#include "quaver/model/model.h"
#include "quaver/train/common/score.h"

namespace quaver {

struct TrainProgress {
  std::size_t epoch = 0;  // counted from 1
  std::size_t epochs = 0;
  std::size_t batch = 0;  // batches of this epoch that are done
  std::size_t batches = 0;
  double loss = 0;                            // mean over this epoch so far, nats
  std::optional<double> validation_metric{};  // accuracy after the last whole epoch, percent
  bool epoch_end = false;                     // validation_metric is this epoch's
  double sequences_per_second = 0;
  double seconds_left = 0;  // to the last epoch, at this rate
};

struct TrainOptions {
  // The network.
  std::string cell{LstmAttributes::kName};  // a recurrent operation of the model's: lstm, gru or rnn
  std::size_t hidden = 128;                 // units of a layer and direction
  std::size_t layers = 1;
  std::size_t projection = 0;       // lstm: size of the projected output; 0: none
  bool cifg = false;                // lstm: input gate = 1 - forget gate
  bool peephole = false;            // lstm
  bool layer_norm = false;          // lstm: inside the cell
  double clip = 0;                  // lstm: limit of the cell state, which bounds its integer range; 0: none
  double projection_clip = 0;       // lstm with projection: limit of the output; 0: none
  bool linear_before_reset = true;  // gru: reset after the product (PyTorch, Keras, cuDNN)
  Nonlinearity nonlinearity = Nonlinearity::kTanh;  // rnn: kTanh or kRelu (which has no integer form)
  Direction direction = Direction::kForward;        // of every layer; only forward layers can stream
  std::optional<Pooling> pooling{};                 // classifiers; not given: last for forward layers, else mean
  std::size_t embedding = 32;                       // features of an id, when the data are ids

  // The optimiser.
  std::size_t epochs = 30;
  std::size_t batch = 64;       // sequences
  double learning_rate = 3e-3;  // at its highest; it rises over the first epoch's half and falls to 0 at the last
  double weight_decay = 0;      // decoupled, per unit of learning rate, on matrices only
  double gradient_clip = 1;     // largest norm of all gradients together; 0: none
  // Epochs over which the running mean reaches back (Polyak averaging); 0: no mean, the parameters themselves. A mean
  // moves less from epoch to epoch, so that a small validation set picks less by chance.
  double average = 1;
  double label_smoothing = 0;  // of the target's probability, given to all classes alike
  std::size_t patience = 0;    // epochs without a better validation metric before it stops; 0: never
  double dropout = 0;          // of what the dense layer reads
  // Augmentation of real features, drawn anew for every sequence and epoch; in units of a feature's deviation.
  double input_noise = 0;   // deviation of noise on every value
  double level_shift = 0;   // deviation of one number added to all values of a sequence: loudness, in log features
  double time_stretch = 0;  // a sequence's speed is multiplied by up to 1 +- this
  double time_mask = 0;     // longest part of the steps that is set to the mean
  double feature_mask = 0;  // widest part of the features that is set to the mean
  std::uint64_t seed = 1;

  // The run.
  std::size_t threads = 0;  // 0: as many as the machine has; the result does not depend on it
  // Bytes that the parameters, what is kept beside each of them and what a batch leaves for its gradients may take.
  std::uint64_t max_memory = kDefaultMaxMemory;
  std::filesystem::path checkpoint{};   // written after every epoch and when the run is stopped; empty: none
  bool resume = false;                  // go on from `checkpoint`; Error when it is of other options or data
  std::function<bool()> should_stop{};  // asked before every batch
  std::function<void(const TrainProgress&)> on_progress{};  // after every batch
};

struct TrainResult {
  Model model;
  double metric = 0;       // accuracy on the validation set of the parameters in `model`, percent
  std::size_t epochs = 0;  // run, those before a resumption included
  double seconds = 0;      // of this run
  bool interrupted = false;
};

// Error (usage) for options that make no sense together, or whose sizes take more than max_memory whatever the data;
// train() asks it first, and again with the sizes of its data before it allocates.
void check_train_options(const TrainOptions& options);

// Error for options that make no sense together, for data that a network cannot learn from (empty sequences, labels
// out of range, numbers that are not finite), for a checkpoint that does not fit, and when training diverges.
TrainResult train(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options);

// Scores a float model with the code that trained it. The engine gives the same within rounding; this one is batched.
Score score(const Model& model, const Dataset& data, std::size_t threads = 0);

}  // namespace quaver
