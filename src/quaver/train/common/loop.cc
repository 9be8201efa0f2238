#include "quaver/train/common/loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/common/checkpoint.h"

namespace quaver {
namespace {

constexpr double kAverageStart = 10;  // the mean never reaches back over more than this share of all steps so far
constexpr double kSecondsBetweenEpochSaves = 1, kSecondsBetweenSaves = 30;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Loop {
 public:
  Loop(Trainee& trainee, Optimiser& optimiser, const LoopOptions& options)
      : trainee_(trainee), optimiser_(optimiser), options_(options), batches_(trainee.batches()) {
    if (options.average > 0) average_.assign(trainee.values().begin(), trainee.values().end());
  }

  LoopResult run() {
    if (options_.resume) resume();
    stopped_ = stops_early();
    while (!interrupted_ && state_.epoch < options_.epochs && (!stopped_ || options_.stay_after_stop)) run_epoch();
    const std::span<const float> last = scored_values();
    return {
        .kept = state_.best_epoch > 0 ? std::move(state_.best_values) : std::vector<float>(last.begin(), last.end()),
        .best_epoch = state_.best_epoch,
        .best = state_.best,
        .epochs = state_.epoch,
        .curve = curve(),
        .seconds = seconds_since(start_),
        .interrupted = interrupted_};
  }

 private:
  bool stops_early() const {
    return state_.epoch > 0 && trainee_.stops_early(state_.epoch, state_.best_epoch, state_.last, state_.best);
  }

  // What is judged and kept.
  std::span<const float> scored_values() {
    return average_.empty() ? std::span<const float>(trainee_.values()) : std::span<const float>(average_);
  }

  std::vector<CurvePoint> curve() const {
    std::vector<CurvePoint> points;
    for (std::size_t i = 0; i + 3 <= state_.curve.size(); i += 3)
      points.push_back({state_.curve[i], state_.curve[i + 1], state_.curve[i + 2]});
    return points;
  }

  void resume() {
    if (options_.checkpoint.empty()) throw_usage("resume needs the path of the checkpoint to go on from");
    state_ = load_checkpoint(options_.checkpoint, trainee_.identity(),
                             {.parameters = trainee_.values().size(),
                              .average = !average_.empty(),
                              .moments = optimiser_.first_moment() != nullptr,
                              .epochs = options_.epochs,
                              .batches = batches_,
                              .sequences = trainee_.resumes_within_epoch() ? trainee_.examples() : 0});
    std::ranges::copy(state_.values, trainee_.values().begin());
    average_ = state_.average;
    if (std::vector<float>* moment = optimiser_.first_moment()) *moment = state_.first_moment;
    if (std::vector<float>* moment = optimiser_.second_moment()) *moment = state_.second_moment;
  }

  void save() {
    saved_ = Clock::now();
    if (options_.checkpoint.empty()) return;
    state_.values.assign(trainee_.values().begin(), trainee_.values().end());
    state_.average = average_;
    if (state_.best_epoch == 0) {
      const std::span<const float> values = scored_values();
      state_.best_values.assign(values.begin(), values.end());
    }
    if (const std::vector<float>* moment = optimiser_.first_moment()) state_.first_moment = *moment;
    if (const std::vector<float>* moment = optimiser_.second_moment()) state_.second_moment = *moment;
    save_checkpoint(state_, trainee_.identity(), options_.checkpoint);
  }

  // What an epoch that is cut short and cannot be resumed within begins anew from.
  struct Before {
    std::vector<float> values, average, first_moment, second_moment;
  };
  Before before_epoch() {
    Before before{.values = {trainee_.values().begin(), trainee_.values().end()},
                  .average = average_,
                  .first_moment = {},
                  .second_moment = {}};
    if (const std::vector<float>* moment = optimiser_.first_moment()) before.first_moment = *moment;
    if (const std::vector<float>* moment = optimiser_.second_moment()) before.second_moment = *moment;
    return before;
  }

  void interrupt(const std::optional<Before>& before) {
    interrupted_ = true;
    if (before) {
      std::ranges::copy(before->values, trainee_.values().begin());
      average_ = before->average;
      if (std::vector<float>* moment = optimiser_.first_moment()) *moment = before->first_moment;
      if (std::vector<float>* moment = optimiser_.second_moment()) *moment = before->second_moment;
      state_.steps -= state_.batch;
      begin_next();
    }
    save();
  }

  void begin_next() {
    state_.batch = 0;
    state_.epoch_loss = 0;
    state_.epoch_sequences = 0;
  }

  void run_epoch() {
    std::optional<Before> before;
    if (options_.should_stop && !trainee_.resumes_within_epoch()) before = before_epoch();
    trainee_.begin_epoch(state_.epoch);
    while (state_.batch < batches_) {
      if (options_.should_stop && options_.should_stop()) return interrupt(before);
      learn();
      ++state_.batch;
      if (state_.batch == batches_) break;
      if (trainee_.resumes_within_epoch() && seconds_since(saved_) >= kSecondsBetweenSaves) save();
      report(/*epoch_end=*/false);
    }
    if (!std::ranges::all_of(trainee_.values(), [](float value) { return std::isfinite(value); }))
      diverged("a weight is no number any more");
    trainee_.end_epoch();
    judge_epoch();
    report(/*epoch_end=*/true);
    ++state_.epoch;
    begin_next();
    stopped_ = stopped_ || stops_early();
    if (seconds_since(saved_) >= kSecondsBetweenEpochSaves || state_.epoch == options_.epochs || stopped_) save();
  }

  void judge_epoch() {
    const Score score = score_kept_values();
    state_.last = score;
    for (const double number : {mean_loss(), score.metric, score.loss})
      state_.curve.push_back(static_cast<float>(number));
    if (stopped_ || !trainee_.may_keep(state_.epoch)) return;
    if (state_.best_epoch > 0 && !trainee_.is_better(score, state_.best)) return;
    state_.best = score;
    state_.best_epoch = state_.epoch + 1;
    const std::span<const float> values = scored_values();
    state_.best_values.assign(values.begin(), values.end());
  }

  Score score_kept_values() {
    if (average_.empty()) return trainee_.score(state_.epoch);
    const std::span<float> values = trainee_.values();
    const std::vector<float> learning(values.begin(), values.end());
    std::ranges::copy(average_, values.begin());
    const Score score = trainee_.score(state_.epoch);
    std::ranges::copy(learning, values.begin());
    return score;
  }

  void learn() {
    const Learnt learnt = trainee_.learn(state_.batch);
    if (!std::isfinite(learnt.loss)) diverged(concat("the loss is ", learnt.loss));
    optimiser_.step(trainee_.values(), trainee_.gradients(), state_.steps);
    ++state_.steps;
    if (!average_.empty()) update_average();
    state_.epoch_loss += learnt.loss;
    state_.epoch_sequences += learnt.examples;
    examples_ += learnt.examples;
  }

  [[noreturn]] void diverged(const std::string& what) const {
    throw_failed(concat("training diverged: ", what, " in epoch ", state_.epoch + 1, ", batch ",
                        std::min(state_.batch + 1, batches_), " of ", batches_, "; ", optimiser_.advice()));
  }

  // Reaches back less at first: early values are far from the later ones.
  void update_average() {
    const double reach =
        std::min(options_.average * static_cast<double>(batches_), static_cast<double>(state_.steps) / kAverageStart);
    const auto share = static_cast<float>(1 / std::max(1.0, reach));
    const std::span<const float> values = trainee_.values();
    for (std::size_t i = 0; i < values.size(); ++i) average_[i] += share * (values[i] - average_[i]);
  }

  double mean_loss() const { return state_.epoch_loss / static_cast<double>(state_.epoch_sequences); }

  void report(bool epoch_end) {
    if (!options_.on_progress) return;
    LoopProgress progress{.epoch = state_.epoch + 1,
                          .epochs = options_.epochs,
                          .batch = state_.batch,
                          .batches = batches_,
                          .loss = mean_loss(),
                          .epoch_end = epoch_end};
    if (epoch_end || state_.epoch > 0) progress.validation = state_.last;
    const auto left = static_cast<double>((options_.epochs - state_.epoch) * trainee_.examples()) -
                      static_cast<double>(state_.epoch_sequences);
    progress.examples_per_second = static_cast<double>(examples_) / seconds_since(start_);
    progress.seconds_left = left / progress.examples_per_second;
    options_.on_progress(progress);
  }

  Trainee& trainee_;
  Optimiser& optimiser_;
  const LoopOptions& options_;
  std::size_t batches_;
  std::vector<float> average_;  // running mean of the values; empty: none
  Checkpoint state_;
  bool stopped_ = false;  // early; what is kept stays so
  bool interrupted_ = false;
  std::size_t examples_ = 0;  // learnt from in this run
  Clock::time_point start_ = Clock::now(), saved_ = start_;
};

}  // namespace

LoopResult run_loop(Trainee& trainee, Optimiser& optimiser, const LoopOptions& options) {
  return Loop(trainee, optimiser, options).run();
}

}  // namespace quaver
