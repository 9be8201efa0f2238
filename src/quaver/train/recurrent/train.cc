#include "quaver/train/recurrent/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <thread>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/team.h"
#include "quaver/core/text.h"
#include "quaver/train/common/adam.h"
#include "quaver/train/common/checkpoint.h"
#include "quaver/train/recurrent/architecture.h"
#include "quaver/train/recurrent/batches.h"
#include "quaver/train/recurrent/identity.h"
#include "quaver/train/recurrent/network.h"

namespace quaver {
namespace {

// Keys of Random::fork: each use of the seed has a stream of its own.
enum class StreamKey : std::uint64_t { kOrder = 1, kAugmentation = 2, kDropout = 3 };

constexpr std::size_t kScoringBatch = 128;
constexpr double kAverageStart = 10;  // the mean never reaches back over more than this share of all steps so far

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Error where they cannot be started.
std::size_t thread_count(std::size_t wanted) {
  const std::size_t threads = wanted > 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
  check_threads(threads);
  return threads;
}

Augmentation augmentation_of(const TrainOptions& options) {
  return {.input_noise = options.input_noise,
          .level_shift = options.level_shift,
          .time_stretch = options.time_stretch,
          .time_mask = options.time_mask,
          .feature_mask = options.feature_mask};
}

FeatureStatistics statistics_of(const Model& model) {
  if (model.find_tensor("input.mean") == nullptr) {
    const auto features = static_cast<std::size_t>(model.inputs[0].value.size());
    return {std::vector<float>(features, 0.0f), std::vector<float>(features, 1.0f)};
  }
  const std::span<const float> mean = model.tensor("input.mean").as<float>();
  const std::span<const float> inverse = model.tensor("input.inverse_deviation").as<float>();
  return {{mean.begin(), mean.end()}, {inverse.begin(), inverse.end()}};
}

template <typename... Parts>
[[noreturn]] void refuse(const Dataset& data, const Parts&... parts) {
  throw_bad_input(concat("data set '", data.task, "' (", data.split, "): ", parts...));
}

void check_example(const Dataset& data, const Example& example) {
  const auto refuse_example = [&](const auto&... parts) { refuse(data, "'", example.name, "' ", parts...); };
  const Sequence& sequence = example.input;
  if (sequence.steps == 0) refuse_example("has no steps; leave empty sequences out");
  const std::size_t expected_values = sequence.steps * data.features;
  const std::size_t expected_ids = data.features == 0 ? sequence.steps : 0;
  if (sequence.values.size() != expected_values || sequence.ids.size() != expected_ids)
    refuse_example("has ", sequence.values.size(), " values and ", sequence.ids.size(), " ids in ", sequence.steps,
                   " steps, expected ", expected_values, " and ", expected_ids);
  for (std::size_t i = 0; i < sequence.values.size(); ++i) {
    if (!std::isfinite(sequence.values[i]))
      refuse_example("has ", sequence.values[i], " at step ", i / data.features, ", feature ", i % data.features,
                     ", expected finite numbers");
  }
  for (std::size_t t = 0; t < sequence.ids.size(); ++t) {
    if (sequence.ids[t] < 0 || static_cast<std::size_t>(sequence.ids[t]) >= data.vocabulary)
      refuse_example("has id ", sequence.ids[t], " at step ", t, ", expected 0 to ", data.vocabulary - 1);
  }
  const std::size_t expected_labels = data.target == Target::kTags ? sequence.steps : 1;
  if (example.labels.size() != expected_labels)
    refuse_example("has ", example.labels.size(), " labels, expected ", expected_labels);
  for (const std::int32_t label : example.labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= data.classes.size())
      refuse_example("has label ", label, ", expected 0 to ", data.classes.size() - 1);
  }
}

void check_data(const Dataset& data) {
  if (data.examples.empty()) refuse(data, "there are no examples");
  if (data.target != Target::kClass && data.target != Target::kTags)
    refuse(data, "its targets are '", target_names().name(data.target),
           "', which training cannot learn yet; expected '", target_names().name(Target::kClass), "' or '",
           target_names().name(Target::kTags), "'");
  if (data.classes.empty()) refuse(data, "there are no classes");
  if ((data.features == 0) == (data.vocabulary == 0))
    refuse(data, "features are ", data.features, " and the vocabulary has ", data.vocabulary,
           " ids, expected exactly one of the two above 0");
  for (const Example& example : data.examples) check_example(data, example);
}

void check_same_kind(const Dataset& train_data, const Dataset& validation_data) {
  const auto compare = [&](std::string_view what, std::size_t found, std::size_t expected) {
    if (found != expected) refuse(validation_data, what, " ", found, ", but training has ", expected);
  };
  compare("features are", validation_data.features, train_data.features);
  compare("the vocabulary is", validation_data.vocabulary, train_data.vocabulary);
  compare("the number of classes is", validation_data.classes.size(), train_data.classes.size());
  if (validation_data.target != train_data.target)
    refuse(validation_data, "labels are for whole sequences in one of training and validation, for steps in the other");
}

Score score_network(Network& network, const Dataset& data, const FeatureStatistics& statistics) {
  std::size_t correct = 0, total = 0;
  double loss = 0;
  for (const std::vector<std::size_t>& examples : sorted_batches(data, kScoringBatch)) {
    const Batch batch = make_batch(data, examples, statistics);
    const std::vector<float> scores = network.scores(batch);
    const std::size_t classes = data.classes.size();
    for (std::size_t row = 0; row < batch.labels.size(); ++row) {
      const float* logits = scores.data() + row * classes;
      const auto label = static_cast<std::size_t>(batch.labels[row]);
      const float largest = *std::max_element(logits, logits + classes);
      double sum = 0;
      for (std::size_t j = 0; j < classes; ++j) sum += std::exp(double{logits[j]} - largest);
      loss += std::log(sum) + largest - logits[label];
      correct += static_cast<std::size_t>(std::max_element(logits, logits + classes) - logits) == label;
    }
    total += batch.labels.size();
  }
  return {.accuracy = 100.0 * static_cast<double>(correct) / static_cast<double>(total),
          .loss = loss / static_cast<double>(total)};
}

bool is_better(const Score& candidate, const Score& best) {
  return candidate.accuracy != best.accuracy ? candidate.accuracy > best.accuracy : candidate.loss < best.loss;
}

// Rises over the first half epoch, while Adam's moments are still guesses, then falls along half a cosine.
double rate_at(std::size_t step, std::size_t steps_per_epoch, const TrainOptions& options) {
  const auto position = static_cast<double>(step);
  const double warm_up = std::max(1.0, static_cast<double>(steps_per_epoch) / 2);
  const double progress = position / static_cast<double>(steps_per_epoch * options.epochs);
  return options.learning_rate * std::min(1.0, (position + 1) / warm_up) * (1 + std::cos(std::numbers::pi * progress)) /
         2;
}

// Scales the gradients down to the norm that is allowed; returns their norm before.
double clip_gradients(std::span<float> gradients, double limit) {
  double squares = 0;
  for (const float gradient : gradients) squares += double{gradient} * gradient;
  const double norm = std::sqrt(squares);
  if (limit > 0 && norm > limit) {
    const auto factor = static_cast<float>(limit / norm);
    for (float& gradient : gradients) gradient *= factor;
  }
  return norm;
}

// The options that are not at their default, "cell=gru seed=3".
std::string options_text(const std::map<std::string, std::string>& identity,
                         const std::map<std::string, std::string>& defaults) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : identity)
    if (defaults.at(name) != value) parts.push_back(concat(name, "=", value));
  return join(parts, " ");
}

// One training: what the loop below needs at hand.
class Trainer {
 public:
  Trainer(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options)
      : train_data_(train_data),
        validation_data_(validation_data),
        options_(options),
        identity_(training_identity(train_data, validation_data, options)),
        model_(initial_model(train_data, options)),
        statistics_(statistics_of(model_)),
        network_(model_, thread_count(options.threads)),
        adam_(network_.values().size()),
        decay_(network_.values().size()),
        average_(network_.values().begin(), network_.values().end()),
        batches_((train_data.examples.size() + options.batch - 1) / options.batch) {
    for (const Network::Parameter& parameter : network_.parameters())
      if (parameter.matrix)
        std::fill_n(decay_.begin() + static_cast<std::ptrdiff_t>(parameter.offset), parameter.size,
                    static_cast<float>(options.weight_decay));
  }

  TrainResult run() {
    if (options_.resume) resume();
    bool interrupted = false;
    while (!interrupted && !finished()) interrupted = !run_epoch();
    std::ranges::copy(state_.best_epoch > 0 ? state_.best_values : average_, network_.values().begin());
    network_.store(model_);
    model_.provenance = {
        {"seed", concat(options_.seed)},
        {"train_options", options_text(identity_, training_identity(train_data_, validation_data_, {}))},
        {"train_data", identity_.at("train_data")},
        {"validation_data", identity_.at("validation_data")},
        {"best_epoch", concat(state_.best_epoch)},
        {"validation_accuracy", number_text(state_.best.accuracy)}};
    return {.model = std::move(model_),
            .metric = state_.best.accuracy,
            .epochs = state_.epoch,
            .seconds = seconds_since(start_),
            .interrupted = interrupted};
  }

 private:
  bool finished() const {
    const bool patience_spent = options_.patience > 0 && state_.epoch - state_.best_epoch >= options_.patience;
    return state_.epoch >= options_.epochs || (state_.epoch > 0 && patience_spent);
  }

  Random stream(StreamKey key) const {
    return Random(options_.seed).fork(static_cast<std::uint64_t>(key)).fork(state_.epoch);
  }

  void resume() {
    if (options_.checkpoint.empty()) throw_usage("resume needs the path of the checkpoint to go on from");
    state_ = load_checkpoint(options_.checkpoint, identity_,
                             {.parameters = network_.values().size(),
                              .epochs = options_.epochs,
                              .batches = batches_,
                              .sequences = train_data_.examples.size()});
    std::ranges::copy(state_.values, network_.values().begin());
    average_ = state_.average;
    adam_.first = state_.first_moment;
    adam_.second = state_.second_moment;
    adam_.steps = state_.steps;
  }

  void save() {
    if (options_.checkpoint.empty()) return;
    state_.values.assign(network_.values().begin(), network_.values().end());
    state_.average = average_;
    if (state_.best_epoch == 0) state_.best_values = average_;
    state_.first_moment = adam_.first;
    state_.second_moment = adam_.second;
    state_.steps = adam_.steps;
    save_checkpoint(state_, identity_, options_.checkpoint);
  }

  // False when it was stopped.
  bool run_epoch() {
    const auto batches = shuffled_batches(train_data_, options_.batch, stream(StreamKey::kOrder));
    const Random augmentation = stream(StreamKey::kAugmentation), dropout = stream(StreamKey::kDropout);
    while (state_.batch < batches.size()) {
      if (options_.should_stop && options_.should_stop()) {
        save();
        return false;
      }
      const Batch batch =
          make_batch(train_data_, batches[state_.batch], statistics_, augmentation_of(options_), augmentation);
      learn(batch, dropout.fork(state_.batch));
      ++state_.batch;
      if (state_.batch < batches.size()) report(/*epoch_end=*/false);
    }
    const Score score = score_average();
    state_.last_metric = score.accuracy;
    if (state_.best_epoch == 0 || is_better(score, state_.best)) {
      state_.best = score;
      state_.best_epoch = state_.epoch + 1;
      state_.best_values = average_;
    }
    report(/*epoch_end=*/true);
    ++state_.epoch;
    state_.batch = 0;
    state_.epoch_loss = 0;
    state_.epoch_sequences = 0;
    save();
    return true;
  }

  void learn(const Batch& batch, const Random& dropout) {
    const double loss = network_.loss_and_gradients(
        batch, {.label_smoothing = options_.label_smoothing, .dropout = options_.dropout}, dropout);
    const double norm = clip_gradients(network_.gradients(), options_.gradient_clip);
    if (!std::isfinite(loss) || !std::isfinite(norm))
      throw_failed(concat("training diverged: the loss is ", loss, " and the gradients' norm ", norm, " in epoch ",
                          state_.epoch + 1, ", batch ", state_.batch + 1, " of ", batches_,
                          "; lower the learning rate (now ", options_.learning_rate, ") or the gradient clip (now ",
                          options_.gradient_clip, ", 0 is none)"));
    const double rate = rate_at(adam_.steps, batches_, options_);
    adam_.step(network_.values(), network_.gradients(), decay_, rate);
    update_average();
    state_.epoch_loss += loss * static_cast<double>(batch.examples.size());
    state_.epoch_sequences += batch.examples.size();
    sequences_ += batch.examples.size();
  }

  // Reaches back less at first: early parameters are far from the later ones.
  void update_average() {
    const double reach =
        std::min(options_.average * static_cast<double>(batches_), static_cast<double>(adam_.steps) / kAverageStart);
    const auto share = static_cast<float>(1 / std::max(1.0, reach));
    const std::span<const float> values = network_.values();
    for (std::size_t i = 0; i < values.size(); ++i) average_[i] += share * (values[i] - average_[i]);
  }

  Score score_average() {
    const std::vector<float> values(network_.values().begin(), network_.values().end());
    std::ranges::copy(average_, network_.values().begin());
    const Score score = score_network(network_, validation_data_, statistics_);
    std::ranges::copy(values, network_.values().begin());
    return score;
  }

  void report(bool epoch_end) {
    if (!options_.on_progress) return;
    TrainProgress progress{.epoch = state_.epoch + 1,
                           .epochs = options_.epochs,
                           .batch = state_.batch,
                           .batches = batches_,
                           .loss = state_.epoch_loss / static_cast<double>(state_.epoch_sequences),
                           .epoch_end = epoch_end};
    if (epoch_end || state_.epoch > 0) progress.validation_metric = state_.last_metric;
    const double done = static_cast<double>(sequences_);
    const std::size_t total = train_data_.examples.size();
    const auto left = static_cast<double>((options_.epochs - state_.epoch) * total - state_.epoch_sequences);
    progress.sequences_per_second = done / seconds_since(start_);
    progress.seconds_left = left / progress.sequences_per_second;
    options_.on_progress(progress);
  }

  const Dataset& train_data_;
  const Dataset& validation_data_;
  const TrainOptions& options_;
  std::map<std::string, std::string> identity_;
  Model model_;
  FeatureStatistics statistics_;
  Network network_;
  Adam adam_;
  std::vector<float> decay_;
  std::vector<float> average_;  // running mean of the parameters
  std::size_t batches_;
  Checkpoint state_;
  std::size_t sequences_ = 0;  // learnt from in this run
  Clock::time_point start_ = Clock::now();
};

}  // namespace

TrainResult train(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options) {
  check_data(train_data);
  check_data(validation_data);
  check_same_kind(train_data, validation_data);
  return Trainer(train_data, validation_data, options).run();
}

Score score(const Model& model, const Dataset& data, std::size_t threads) {
  check_data(data);
  const auto expected = static_cast<std::size_t>(model.inputs[0].value.size());
  if (model.inputs[0].value.format.kind == NumberType::kF32 ? data.features != expected : data.vocabulary == 0)
    refuse(data, "has ", data.features, " features a step, but model '", model.name, "' expects ", expected);
  Network network(model, thread_count(threads));
  return score_network(network, data, statistics_of(model));
}

}  // namespace quaver
