// loop.h - the one training loop: epochs and batches, checkpoints, interruption, the running mean of the values, the
// best of them so far, progress. What is trained, and how its values move, it is given.
//
// Reproducible: a loop that was stopped and goes on from its checkpoint gives the bits of one that was not. Every
// random number follows from the seed, the epoch and its place in the epoch, so that a checkpoint need not keep any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/train/common/score.h"

namespace quaver {

// What a batch taught.
struct Learnt {
  double loss = 0;           // sum over its examples
  std::size_t examples = 0;  // sequences, or questions
};

// What learns.
class Trainee {
 public:
  virtual ~Trainee() = default;

  // By name, what decides the bits of the training: its options and data.
  virtual const std::map<std::string, std::string>& identity() const = 0;
  virtual std::span<float> values() = 0;          // all parameters, one after the other
  virtual std::span<float> gradients() = 0;       // of the last batch, as many
  virtual std::size_t batches() const = 0;        // of an epoch
  virtual std::size_t examples() const = 0;       // of an epoch
  virtual bool resumes_within_epoch() const = 0;  // else an epoch that is cut short begins anew

  // epoch: from 0; its order is drawn, and what follows from the values as they are now.
  virtual void begin_epoch(std::size_t epoch) = 0;
  // Leaves the gradients of batch `batch` of this epoch by the values as they are now.
  virtual Learnt learn(std::size_t batch) = 0;
  virtual void end_epoch() {}  // the values have moved for the last time in it
  // Of the values as they are now on the validation data. epoch: that has ended.
  virtual Score score(std::size_t epoch) = 0;

  virtual bool is_better(const Score& candidate, const Score& best) const = 0;
  virtual bool may_keep(std::size_t /*epoch*/) const { return true; }  // its values may become the result
  // epochs: whole ones so far; best_epoch: counted from 1, 0 when there is none yet.
  virtual bool stops_early(std::size_t epochs, std::size_t best_epoch, const Score& last, const Score& best) const = 0;
};

// How values move.
class Optimiser {
 public:
  virtual ~Optimiser() = default;
  // step: of the whole training, from 0. May change the gradients.
  virtual void step(std::span<float> values, std::span<float> gradients, std::uint64_t step) = 0;
  // What it keeps beside each value, for checkpoints; null where it keeps nothing.
  virtual std::vector<float>* first_moment() { return nullptr; }
  virtual std::vector<float>* second_moment() { return nullptr; }
  virtual std::string advice() const = 0;  // what to change when training diverges: "lower the learning rate (now 3)"
};

struct LoopProgress {
  std::size_t epoch = 0;  // counted from 1
  std::size_t epochs = 0;
  std::size_t batch = 0;  // batches of this epoch that are done
  std::size_t batches = 0;
  double loss = 0;                    // mean over this epoch's examples so far
  std::optional<Score> validation{};  // after the last whole epoch
  bool epoch_end = false;             // `validation` is this epoch's
  double examples_per_second = 0;
  double seconds_left = 0;  // to the last epoch, at this rate
};

struct LoopOptions {
  std::size_t epochs = 1;
  // Epochs over which the running mean of the values reaches back (Polyak averaging), which is then what is scored and
  // kept; 0: no mean, the values themselves.
  double average = 0;
  bool stay_after_stop = false;  // where it would stop early, keep what is kept then and go on to the last epoch
  // Written when an epoch ends, at most once a second, every half minute within one, and when it is stopped; empty:
  // none.
  std::filesystem::path checkpoint{};
  bool resume = false;                  // go on from `checkpoint`; Error when it is of other options or data
  std::function<bool()> should_stop{};  // asked before every batch
  std::function<void(const LoopProgress&)> on_progress{};  // after every batch
};

// What an epoch left: a point of the learning curve.
struct CurvePoint {
  float loss = 0;  // of training
  float metric = 0, validation_loss = 0;
};

struct LoopResult {
  std::vector<float> kept;     // of the best epoch; where none may be kept, the last values or their mean
  std::size_t best_epoch = 0;  // counted from 1; 0: none
  Score best{};
  std::size_t epochs = 0;           // run, those before a resumption included
  std::vector<CurvePoint> curve{};  // of every epoch
  double seconds = 0;               // of this run
  bool interrupted = false;
};

// Error (usage) for a checkpoint that does not fit; Error (failed) when training diverges.
LoopResult run_loop(Trainee& trainee, Optimiser& optimiser, const LoopOptions& options);

}  // namespace quaver
