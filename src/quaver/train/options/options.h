// options.h - what a training of a recurrent network is asked for and what it gives. Sees no libtorch: whoever lets
// someone else train needs this alone.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/data/dataset.h"
#include "quaver/metrics/metric.h"
#include "quaver/model/model.h"
#include "quaver/train/common/effective_weights.h"
#include "quaver/train/common/loop.h"
#include "quaver/train/common/loss.h"
#include "quaver/train/common/option_field.h"

namespace quaver {

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
  std::optional<Pooling> pooling{};  // one truth a sequence; not given: last for forward layers, else mean
  std::size_t embedding = 32;        // features of an id, when the data are ids
  std::string weights{"f32"};        // what matrices are read as: train/common/effective_weights.h

  // What is minimised, and what judges.
  std::string loss{};        // train/common/loss.h; empty: the target's own
  std::string metric{};      // metrics/metric.h; empty: the data's own
  double class_balance = 0;  // a class of n examples has the weight n^-class_balance in the loss; 1: all count alike

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
  double input_noise = 0;    // deviation of noise on every value
  double level_shift = 0;    // deviation of one number added to all values of a sequence: loudness, in log features
  double time_stretch = 0;   // a sequence's speed is multiplied by up to 1 +- this
  double time_mask = 0;      // longest part of the steps that is set to the mean
  double feature_shift = 0;  // features move up or down by up to this part of all: of a spectrum, another voice
  double feature_mask = 0;   // widest part of the features that is set to the mean
  std::uint64_t seed = 1;

  // The run.
  std::size_t threads = 0;  // 0: as many as the machine has; the result does not depend on it
  // Bytes that the parameters, what is kept beside each of them and what a batch leaves for its gradients may take.
  std::uint64_t max_memory = kDefaultMaxMemory;
  std::filesystem::path checkpoint{};   // as LoopOptions has it
  bool resume = false;                  // go on from `checkpoint`; Error when it is of other options or data
  std::function<bool()> should_stop{};  // asked before every batch
  // While all examples are read before the first epoch: how many of them, each data set twice where it has features.
  std::function<void(std::size_t done, std::size_t total)> on_reading{};
  std::function<void(const LoopProgress&)> on_progress{};  // after every batch
};

// The names of the values 0, 1, ... of an enum of the model's.
template <typename Enum, int kCount>
std::vector<std::string> names_of_values() {
  std::vector<std::string> names;
  for (int i = 0; i < kCount; ++i) names.emplace_back(name_of(static_cast<Enum>(i)));
  return names;
}

inline std::vector<std::string> trained_nonlinearities() {
  return {std::string(name_of(Nonlinearity::kTanh)), std::string(name_of(Nonlinearity::kRelu))};
}

// Calls visit(field, value) for each option that decides the bits of a training, in order: what identities, checks,
// requests and flags are made from.
template <typename Options, typename Visitor>
requires std::same_as<std::remove_const_t<Options>, TrainOptions>
void fields(Options& options, const Visitor& visit) {
  constexpr auto kSize = static_cast<double>(kMaxSize);
  constexpr double kLarge = 1e6, kShare = 0.99;
  visit(OptionField{"cell", 0, 0, ""}, options.cell);
  visit(OptionField{"hidden", 1, kSize, "Units of a layer and direction"}, options.hidden);
  visit(OptionField{"layers", 1, 64, "Recurrent layers"}, options.layers);
  visit(OptionField{"projection", 0, kSize, "lstm: size of the projected output; 0: none"}, options.projection);
  visit(OptionField{"cifg", 0, 1, "lstm: input gate = 1 - forget gate"}, options.cifg);
  visit(OptionField{"peephole", 0, 1, "lstm: gates see the cell"}, options.peephole);
  visit(OptionField{"layer_norm", 0, 1, "lstm: layer norm inside the cell"}, options.layer_norm);
  visit(OptionField{"clip", 0, kLarge, "lstm: limit of the cell state; 0: none"}, options.clip);
  visit(OptionField{"projection_clip", 0, kLarge, "lstm: limit of the projection; 0: none"}, options.projection_clip);
  visit(OptionField{"linear_before_reset", 0, 1, "gru: reset gate before or after the product"},
        options.linear_before_reset);
  visit(OptionField{"nonlinearity", 0, 0, "rnn", trained_nonlinearities}, options.nonlinearity);
  visit(OptionField{"direction", 0, 0, "Of every layer; only forward ones stream", names_of_values<Direction, 3>},
        options.direction);
  visit(OptionField{"pooling", 0, 0,
                    "One truth a sequence: over time. last: the last step, at which a reverse direction has seen one "
                    "step only; final: each direction after its own last step",
                    names_of_values<Pooling, 4>},
        options.pooling);
  visit(OptionField{"embedding", 1, kSize, "Features of an id or a word"}, options.embedding);
  visit(OptionField{"weights", 0, 0, "What the matrices learn to be coded as, while the network is float",
                    effective_weights_names},
        options.weights);
  visit(OptionField{"loss", 0, 0, "What is minimised; else the target's own", loss_names}, options.loss);
  visit(OptionField{"metric", 0, 0, "What judges an epoch; else the data's own", metric_names}, options.metric);
  visit(OptionField{"class_balance", 0, 1, "A class of N examples has the weight N^-SHARE; 1: all classes count alike"},
        options.class_balance);
  visit(OptionField{"epochs", 1, kSize, "Epochs at most; memory networks add those of the linear start"},
        options.epochs);
  visit(OptionField{"batch", 1, kSize, "Sequences (stories: questions) in a batch"}, options.batch);
  visit(OptionField{"learning_rate", 1e-12, kLarge,
                    "Adam's, at its highest; stories: of plain descent on gradients summed over a batch"},
        options.learning_rate);
  visit(OptionField{"weight_decay", 0, kLarge, "Per unit of learning rate"}, options.weight_decay);
  visit(OptionField{"gradient_clip", 0, kLarge, "Largest norm of the gradient; 0: none"}, options.gradient_clip);
  visit(OptionField{"average", 0, kLarge, "Epochs over which the running mean of the weights reaches back; 0: no mean"},
        options.average);
  visit(OptionField{"label_smoothing", 0, kShare, "Share of the target given to all classes"}, options.label_smoothing);
  visit(OptionField{"patience", 0, kSize, "Epochs without a better validation; 0: all epochs"}, options.patience);
  visit(OptionField{"dropout", 0, kShare, "Share of what the last layer reads"}, options.dropout);
  visit(OptionField{"input_noise", 0, kLarge, "Deviation of noise on every value"}, options.input_noise);
  visit(OptionField{"level_shift", 0, kLarge, "Deviation of one shift a sequence"}, options.level_shift);
  visit(OptionField{"time_stretch", 0, 0.9, "A sequence's speed changes by up to this share"}, options.time_stretch);
  visit(OptionField{"time_mask", 0, 1, "Longest share of steps set to the mean"}, options.time_mask);
  visit(OptionField{"feature_shift", 0, 1, "Features move by up to this share of all: of a spectrum, another voice"},
        options.feature_shift);
  visit(OptionField{"feature_mask", 0, 1, "Widest share of features set to the mean"}, options.feature_mask);
  visit(OptionField{"seed", 0, 0, "Of weights, order and augmentation"}, options.seed);
}

struct TrainResult {
  Model model;
  std::string metric{};             // by its name
  double value = 0;                 // on the validation set, of the parameters in `model`
  std::size_t epochs = 0;           // run, those before a resumption included
  std::size_t best_epoch = 0;       // that `model` is of, counted from 1
  std::vector<CurvePoint> curve{};  // of every epoch
  double seconds = 0;               // of this run
  bool interrupted = false;
};

// Who trains: so that a caller can hand over to one that is loaded when it is needed (libtorch is 300 libraries).
struct RecurrentTrainer {
  // Error (usage) for options that make no sense together, or whose sizes take more than max_memory whatever the data.
  void (*check)(const TrainOptions& options);
  TrainResult (*train)(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options);
};

}  // namespace quaver
