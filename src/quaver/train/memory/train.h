// train.h - trains memory networks, in float or fixed point, from stories to a MemoryNetwork.
//
// The recipes of the papers and their released programs, each part an option: plain SGD on gradients summed over a
// batch, a clip a matrix, a rate that is halved every few epochs, linear start (first epochs without the memory
// softmax), random noise (time words of training facts leave gaps, as if a tenth more facts were there).
//
// Reproducible: the same data, options and seed give the same bits. A run that was stopped and resumed from its
// checkpoint gives the bits of one that was not.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "quaver/core/memory_limit.h"
#include "quaver/core/name_table.h"
#include "quaver/data/babi.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/train/common/option_field.h"
#include "quaver/train/memory/gradient_rules.h"

namespace quaver {

enum class ClipRule {
  kMatrix,  // L2 norm of a matrix's gradient
  kRows,    // sum over output rows of each row's L2 norm: Q-MANN's program; up to sqrt(rows) larger, so clips earlier
};
enum class SampleOrder {
  kDrawn,     // batches drawn with replacement: MemN2N's program
  kShuffled,  // every question once an epoch
  kFixed,     // every question once, in order of the file: Q-MANN's program
};
enum class KeptWeights {
  kBest,   // of the epoch with the lowest validation error, then the lowest loss
  kFinal,  // of the last epoch
  // Q-MANN's program: of the last epoch of which neither the validation error nor the cost (the negative sum of the
  // answers' probabilities) is worse than of the one kept before; training stops when it is more than 5 epochs behind
  // that one and 30 points worse.
  kEarlyStopped
};

const NameTable<SampleOrder, 3>& sample_order_names();  // "drawn", "shuffled", "fixed"
const NameTable<KeptWeights, 3>& kept_weights_names();  // "best", "final", "early-stopped"

struct MemoryTrainProgress {
  std::size_t repeat = 0;  // counted from 1
  std::size_t epoch = 0;   // done, counted from 1, those of the linear start included
  std::size_t epochs = 0;
  bool linear = false;          // this epoch was part of the linear start
  double loss = 0;              // mean over the epoch's questions, nats
  double validation_error = 0;  // percent
};

struct MemoryTrainOptions {
  // The network. Vocabulary and longest sentence come from the data.
  std::size_t memory = 50;
  std::size_t d = 20;
  std::size_t hops = 3;
  MemoryTying tying = MemoryTying::kAdjacent;
  SentenceEncoding encoding = SentenceEncoding::kPosition;
  bool temporal = true;
  // Facts that every softmax sees at least, those not told as empty ones; 0: only what was told. MemN2N's program has
  // as many as the longest story has facts, at most 50.
  std::size_t slots = 0;
  // Not float: the forward pass computes in its fixed point while the weights that learn stay float.
  MemoryScheme scheme{};
  GradientRules gradients{};
  // Where training starts from instead of random weights: a float network of the same sizes and words, kept by the
  // caller. A scaled scheme without one starts from random weights.
  const MemoryNetwork* warm_start = nullptr;

  // The optimiser.
  std::size_t epochs = 100;        // after the linear start
  std::size_t linear_epochs = 20;  // of the linear start; 0: none
  std::size_t batch = 32;
  std::optional<double> learning_rate{};  // on summed gradients; not given: 0.005 with a linear start, else 0.01
  std::size_t halve_every = 25;           // epochs after the linear start; 0: never
  double gradient_clip = 40;              // 0: none
  ClipRule clip_rule = ClipRule::kMatrix;
  double controller_rate = 1;   // layer-wise: H learns at this share of the rate
  double controller_clip = 40;  // layer-wise: H's clip
  double noise = 0.1;           // of the number of facts: the most empty memories; 0: none
  double deviation = 0.1;       // of the first weights
  SampleOrder order = SampleOrder::kDrawn;
  KeptWeights keep = KeptWeights::kBest;
  // kEarlyStopped: where it would stop, fix what is kept and train on, so that one training gives what is kept and, in
  // final_parameters, what kFinal would have kept. Without a checkpoint, which would not know.
  bool train_on = false;
  std::uint64_t seed = 1;
  std::size_t repeats = 1;  // trainings, with seed, seed + 1, ...; the one with the lowest validation error is kept

  // The run.
  // Bytes that the parameters and what is kept beside each of them may take.
  std::uint64_t max_memory = kDefaultMaxMemory;
  std::filesystem::path checkpoint{};   // written when an epoch ends, at most once a second; empty: none. Repeats after
                                        // the first add ".2", ".3", ... to the name
  bool resume = false;                  // go on from `checkpoint`; Error when it is of other options or data
  std::function<bool()> should_stop{};  // asked before every batch
  std::function<void(const MemoryTrainProgress&)> on_progress{};  // after every epoch
};

// Calls visit(field, value) for each option that a request may set, as train/options has them for recurrent networks.
template <typename Options, typename Visitor>
requires std::same_as<std::remove_const_t<Options>, MemoryTrainOptions>
void fields(Options& options, const Visitor& visit) {
  constexpr double kMostEpochs = 65536, kSize = 65536;
  visit(OptionField{"embedding", 1, kSize, "Features of an id or a word"}, options.d);
  visit(OptionField{"hops", 1, double{kMaxHops}, "Looks at the memory"}, options.hops);
  visit(OptionField{"memory", 1, 1'000'000, "Facts kept, the most recent"}, options.memory);
  visit(OptionField{"tying", 0, 0, "Which matrices the hops share", memory_tying_names}, options.tying);
  visit(OptionField{"encoding", 0, 0, "Of a sentence: a bag of words, or words weighted by their place",
                    sentence_encoding_names},
        options.encoding);
  visit(OptionField{"temporal", 0, 1, "true or false: facts carry their age"}, options.temporal);
  visit(OptionField{"slots", 0, double{kMaxSlots},
                    "Facts that every softmax sees at least, those not told as empty ones; 0: only what was told"},
        options.slots);
  visit(OptionField{"epochs", 1, kMostEpochs, "After the linear start"}, options.epochs);
  visit(OptionField{"linear_epochs", 0, kMostEpochs, "First epochs without the memory softmax; 0: none"},
        options.linear_epochs);
  visit(OptionField{"batch", 1, kSize, "Questions in a batch"}, options.batch);
  visit(OptionField{"learning_rate", 1e-12, 1e6, "Of plain descent on gradients summed over a batch"},
        options.learning_rate);
  visit(OptionField{"halve_every", 0, kMostEpochs, "Epochs after which the rate is halved; 0: never"},
        options.halve_every);
  visit(OptionField{"gradient_clip", 0, 1e6, "Largest norm of the gradient; 0: none"}, options.gradient_clip);
  visit(OptionField{"noise", 0, 10, "Empty memories in training, as a share"}, options.noise);
  visit(OptionField{"order", 0, 0, "Of the questions of an epoch", [] { return sample_order_names().names(); }},
        options.order);
  visit(OptionField{"repeats", 1, 1000, "Trainings with SEED, SEED + 1, ...; the best on validation is kept"},
        options.repeats);
  visit(OptionField{"keep", 0, 0, "Whose weights become the model", [] { return kept_weights_names().names(); }},
        options.keep);
  visit(OptionField{"seed", 0, 0, "Of weights and order"}, options.seed);
}

// MemN2N's recipe (one task or joint: all tasks in one network) and Q-MANN's float baseline, as the digests of the
// released programs give them; with a scheme, that program's conventional or Q-MANN rows.
MemoryTrainOptions memn2n_recipe(bool joint);
MemoryTrainOptions qmann_recipe(const MemoryScheme& scheme = {});
// For a warm start: memn2n_recipe without a linear start, at a lower rate and for fewer epochs.
MemoryTrainOptions fine_tune_recipe(const MemoryScheme& scheme, bool joint);

struct MemoryScore {
  double error = 0;  // percent of questions
  double loss = 0;   // mean cross entropy, nats; an answer that the vocabulary does not hold counts 100
  std::size_t questions = 0;
  double probability = 0;  // of the answer, mean
};

struct MemoryTrainResult {
  MemoryNetwork network;
  MemoryScore train{}, validation{};  // score_memory() of `network`
  std::size_t epochs = 0;             // run, those of the linear start and before a resumption included
  std::size_t best_epoch = 0;         // that `network` is of, counted from 1
  std::uint64_t seed = 0;             // that `network` was trained with
  // Of the last epoch that was run, of the same training as `network`, as they learn: a scaled scheme codes them.
  std::vector<float> final_parameters{};
  double seconds = 0;  // of this run
  bool interrupted = false;
};

// Of the network that such a training makes.
MemN2NShape memory_shape(const CodedStories& train_data, const CodedStories& validation_data,
                         const Vocabulary& vocabulary, const MemoryTrainOptions& options);

// What decides the bits of a training: options by name, and the data. Two trainings with the same of these give the
// same, whatever `repeats`, which is `seed` again.
std::map<std::string, std::string> memory_training_identity(const CodedStories& train_data,
                                                            const CodedStories& validation_data,
                                                            const Vocabulary& vocabulary,
                                                            const MemoryTrainOptions& options);

// The files that a training with these options may leave behind.
std::vector<std::filesystem::path> memory_checkpoints(const MemoryTrainOptions& options);

// Error (usage) for options that make no sense, or whose sizes take more than max_memory whatever the data;
// train_memory() asks it first, and again with the sizes of its data before it allocates.
void check_memory_training(const MemoryTrainOptions& options);

// Error (usage) for options that make no sense, for a checkpoint that does not fit; Error (failed) when training
// diverges. The vocabulary's words become the network's.
MemoryTrainResult train_memory(const CodedStories& train_data, const CodedStories& validation_data,
                               const Vocabulary& vocabulary, const MemoryTrainOptions& options);

// By MemorySession, so by the forward pass that answers questions everywhere. Error (bad input) unless the network is
// valid. Of stories with more facts than the network's memory the oldest are forgotten.
MemoryScore score_memory(const MemoryNetwork& network, const CodedStories& data);

// By training's forward pass, which keeps what backward() needs and embeds each sentence once for all questions: what
// judges epochs of float networks, and the float row that 'bench' races. Tests hold it against score_memory().
MemoryScore score_by_training_pass(const MemoryNetwork& network, const CodedStories& data);

}  // namespace quaver
