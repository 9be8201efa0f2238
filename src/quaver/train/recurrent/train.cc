#include "quaver/train/recurrent/train.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <thread>
#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/team.h"
#include "quaver/core/text.h"
#include "quaver/metrics/metric.h"
#include "quaver/train/common/adam.h"
#include "quaver/train/common/loss.h"
#include "quaver/train/common/parallel.h"
#include "quaver/train/common/tree_sum.h"
#include "quaver/train/recurrent/architecture.h"
#include "quaver/train/recurrent/batches.h"
#include "quaver/train/recurrent/gemm.h"
#include "quaver/train/recurrent/identity.h"
#include "quaver/train/recurrent/network.h"

namespace quaver {
namespace {

// Keys of Random::fork: each use of the seed has a stream of its own.
enum class StreamKey : std::uint64_t { kOrder = 1, kAugmentation = 2, kDropout = 3 };

constexpr std::size_t kScoringBatch = 128;

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
          .feature_shift = options.feature_shift,
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

std::size_t target_width(const Dataset& data) { return is_real(data.target) ? data.outputs : data.classes.size(); }

template <typename... Parts>
[[noreturn]] void refuse(const Dataset& data, const Parts&... parts) {
  throw_bad_input(concat("data set '", data.task, "' (", data.split, "): ", parts...));
}

void check_truth(const Dataset& data, const Example& example) {
  const auto refuse_example = [&](const auto&... parts) { refuse(data, "'", example.name, "' ", parts...); };
  const std::size_t rows = is_of_steps(data.target) ? example.input.steps : 1;
  if (is_real(data.target)) {
    if (example.targets.size() != rows * data.outputs)
      refuse_example("has ", example.targets.size(), " real targets, expected ", rows * data.outputs);
    for (const float target : example.targets)
      if (!std::isfinite(target)) refuse_example("has the target ", target, ", expected finite numbers");
    return;
  }
  const bool of_each = data.target == Target::kLabels;
  const std::size_t expected = rows * (of_each ? data.classes.size() : 1);
  if (example.labels.size() != expected) refuse_example("has ", example.labels.size(), " labels, expected ", expected);
  const std::size_t values = of_each ? 2 : data.classes.size();
  for (const std::int32_t label : example.labels)
    if (label < 0 || static_cast<std::size_t>(label) >= values)
      refuse_example("has label ", label, ", expected 0 to ", values - 1);
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
  check_truth(data, example);
}

// Error (bad input) for data that a network cannot learn from, or be judged by.
DataSurvey survey_checked(const Dataset& data, const TrainOptions& options) {
  if (data.size() == 0) refuse(data, "there are no examples");
  if (target_width(data) == 0) refuse(data, is_real(data.target) ? "a target has no numbers" : "there are no classes");
  if ((data.features == 0) == (data.vocabulary == 0))
    refuse(data, "features are ", data.features, " and the vocabulary has ", data.vocabulary,
           " ids, expected exactly one of the two above 0");
  return survey(
      data, [&](const Example& example) { check_example(data, example); }, options.on_reading);
}

void check_same_kind(const Dataset& train_data, const Dataset& validation_data) {
  const auto compare = [&](std::string_view what, std::size_t found, std::size_t expected) {
    if (found != expected) refuse(validation_data, what, " ", found, ", but training has ", expected);
  };
  compare("features are", validation_data.features, train_data.features);
  compare("the vocabulary is", validation_data.vocabulary, train_data.vocabulary);
  compare("the number of classes is", validation_data.classes.size(), train_data.classes.size());
  compare("real numbers of a target are", validation_data.outputs, train_data.outputs);
  if (validation_data.target != train_data.target)
    refuse(validation_data, "the target is '", target_names().name(validation_data.target), "', but training has '",
           target_names().name(train_data.target), "'");
}

std::vector<std::size_t> lengths_of(const Dataset& data) {
  std::vector<std::size_t> lengths(data.size());
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = data.about_steps(i);
  return lengths;
}

// Shards side by side; what they say is added up in their order.
Tally judge(Network& network, const Dataset& data, const FeatureStatistics& statistics, std::size_t threads) {
  const SingleThreadedBlas blas;
  Tally total(data.target, target_width(data));
  for (const std::vector<std::size_t>& batch : sorted_batches(lengths_of(data), kScoringBatch)) {
    std::vector<Tally> of_shards(shard_count(batch.size()), Tally(data.target, target_width(data)));
    parallel_for(threads, of_shards.size(), [&](std::size_t i) {
      const Shard shard = make_shard(data, shard_of(batch, i), statistics);
      of_shards[i].add(network.outputs(shard), shard.truth());
    });
    for (const Tally& of_shard : of_shards) total.merge(of_shard);
  }
  return total;
}

Score score_of(const Tally& tally, const Metric& metric) { return {metric.value(tally), tally.loss()}; }

const Metric& metric_of(const std::string& wanted, const Dataset& data) {
  return find_metric(wanted.empty() ? data.metric : wanted, data.target);
}

// n^-balance of a class of n examples or steps, so that the mean over all of them is 1.
std::vector<float> class_weights(const Dataset& data, double balance) {
  if (balance == 0) return {};
  if (!names_a_class(data.target))
    throw_usage(concat("class_balance is ", balance, ", but the target is '", target_names().name(data.target),
                       "', which names no class"));
  std::vector<double> counts(data.classes.size());
  data.for_each([&](const Example& example) {
    for (const std::int32_t label : example.labels) ++counts[static_cast<std::size_t>(label)];
  });
  double all = 0, weighted = 0;
  for (const double count : counts) {
    all += count;
    if (count > 0) weighted += count * std::pow(count, -balance);
  }
  std::vector<float> weights;
  for (const double count : counts)
    weights.push_back(count > 0 ? static_cast<float>(std::pow(count, -balance) * all / weighted) : 1.0f);
  return weights;
}

// Error (usage) for options that would change nothing.
void refuse_useless(const Dataset& data, const TrainOptions& options) {
  const std::string_view target = target_names().name(data.target);
  if (options.label_smoothing > 0 && is_real(data.target))
    throw_usage(concat("label_smoothing is ", options.label_smoothing, ", but the target is '", target,
                       "', which has no labels"));
  if (data.features > 0) return;
  const std::pair<const char*, double> augmentation[] = {
      {"input_noise", options.input_noise},     {"level_shift", options.level_shift},
      {"time_stretch", options.time_stretch},   {"time_mask", options.time_mask},
      {"feature_shift", options.feature_shift}, {"feature_mask", options.feature_mask}};
  for (const auto& [name, value] : augmentation)
    if (value > 0) throw_usage(concat(name, " is ", value, ", but the data are ids, not real features"));
}

class RecurrentTrainee : public Trainee {
 public:
  RecurrentTrainee(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options)
      : train_(train_data),
        validation_(validation_data),
        options_(options),
        survey_(survey_checked(train_data, options)),
        identity_(
            training_identity(survey_.content_hash, survey_checked(validation_data, options).content_hash, options)),
        metric_(metric_of(options.metric, train_data)),
        loss_(find_loss(options.loss, train_data.target)),
        weights_(class_weights(train_data, options.class_balance)),
        model_(initial_model(train_data, survey_.statistics, options)),
        statistics_(statistics_of(model_)),
        threads_(thread_count(options.threads)),
        network_(model_, find_effective_weights(options.weights)),
        lengths_(lengths_of(train_data)) {
    network_.reserve(shard_count(std::min(options.batch, train_data.size())));
  }

  const std::map<std::string, std::string>& identity() const override { return identity_; }
  std::span<float> values() override { return network_.values(); }
  std::span<float> gradients() override { return network_.gradients(0); }
  std::size_t batches() const override { return (train_.size() + options_.batch - 1) / options_.batch; }
  std::size_t examples() const override { return train_.size(); }
  bool resumes_within_epoch() const override { return true; }

  void begin_epoch(std::size_t epoch) override {
    const auto stream = [&](StreamKey key) {
      return Random(options_.seed).fork(static_cast<std::uint64_t>(key)).fork(epoch);
    };
    order_ = shuffled_batches(lengths_, options_.batch, stream(StreamKey::kOrder));
    augmentation_ = stream(StreamKey::kAugmentation);
    dropout_ = stream(StreamKey::kDropout);
  }

  Learnt learn(std::size_t batch) override {
    const SingleThreadedBlas blas;
    network_.update_weights();
    const std::span<const std::size_t> examples = order_[batch];
    std::vector<Shard> shards(shard_count(examples.size()));
    parallel_for(threads_, shards.size(), [&](std::size_t i) {
      shards[i] = make_shard(train_, shard_of(examples, i), statistics_, augmentation_of(options_), augmentation_);
    });
    std::size_t terms = 0;
    for (const Shard& shard : shards)
      terms += shard.rows(train_.target) * (loss_.of_numbers ? target_width(train_) : 1);
    const ShardLoss loss{.loss = loss_,
                         .options = {.label_smoothing = options_.label_smoothing, .class_weights = weights_},
                         .scale = 1.0f / static_cast<float>(terms),
                         .dropout = options_.dropout};
    std::vector<double> sums(shards.size());
    parallel_for(threads_, shards.size(),
                 [&](std::size_t i) { sums[i] = network_.loss_and_gradients(i, shards[i], loss, dropout_); });
    tree_sum(sums.size(), [&](std::size_t i, std::size_t j) { sums[i] += sums[j]; });
    add_gradients(shards.size());
    const double mean = sums[0] / static_cast<double>(terms);
    return {mean * static_cast<double>(examples.size()), examples.size()};
  }

  Score score(std::size_t) override {
    network_.update_weights();
    return score_of(judge(network_, validation_, statistics_, threads_), metric_);
  }

  bool is_better(const Score& candidate, const Score& best) const override {
    if (candidate.metric != best.metric)
      return metric_.higher_is_better ? candidate.metric > best.metric : candidate.metric < best.metric;
    return candidate.loss < best.loss;
  }

  bool stops_early(std::size_t epochs, std::size_t best_epoch, const Score&, const Score&) const override {
    return options_.patience > 0 && epochs - best_epoch >= options_.patience;
  }

  const Metric& metric() const { return metric_; }
  const Network& network() const { return network_; }

  // The model with these values.
  Model model_of(std::span<const float> values) {
    std::ranges::copy(values, network_.values().begin());
    network_.update_weights();
    network_.store(model_);
    return std::move(model_);
  }

 private:
  // Each value's sum along the tree; values are cut among the threads.
  void add_gradients(std::size_t shards) {
    constexpr std::size_t kValuesPerTask = 1 << 16;
    const std::size_t size = network_.values().size();
    parallel_for(threads_, shards == 1 ? 0 : (size + kValuesPerTask - 1) / kValuesPerTask, [&](std::size_t task) {
      const std::size_t first = task * kValuesPerTask, count = std::min(size - first, kValuesPerTask);
      tree_sum(shards, [&](std::size_t i, std::size_t j) {
        float* to = network_.gradients(i).data() + first;
        const float* from = network_.gradients(j).data() + first;
        for (std::size_t k = 0; k < count; ++k) to[k] += from[k];
      });
    });
  }

  const Dataset& train_;
  const Dataset& validation_;
  const TrainOptions& options_;
  DataSurvey survey_;  // of train
  std::map<std::string, std::string> identity_;
  const Metric& metric_;
  const Loss& loss_;
  std::vector<float> weights_;
  Model model_;
  FeatureStatistics statistics_;
  std::size_t threads_;
  Network network_;
  std::vector<std::size_t> lengths_;
  std::vector<std::vector<std::size_t>> order_;
  Random augmentation_{0}, dropout_{0};
};

// Adam on gradients clipped by their norm. The rate rises over the first half epoch, while Adam's moments are still
// guesses, then falls along half a cosine.
class ScheduledAdam : public Optimiser {
 public:
  ScheduledAdam(const Network& network, std::size_t size, std::size_t batches, const TrainOptions& options)
      : options_(options), batches_(batches), adam_(size), decay_(size) {
    for (const Network::Parameter& parameter : network.parameters())
      if (parameter.matrix)
        std::fill_n(decay_.begin() + static_cast<std::ptrdiff_t>(parameter.offset), parameter.size,
                    static_cast<float>(options.weight_decay));
  }

  void step(std::span<float> values, std::span<float> gradients, std::uint64_t step) override {
    clip(gradients);
    adam_.steps = step;
    adam_.step(values, gradients, decay_, rate_at(step));
  }
  std::vector<float>* first_moment() override { return &adam_.first; }
  std::vector<float>* second_moment() override { return &adam_.second; }
  std::string advice() const override {
    return concat("lower the learning rate (now ", options_.learning_rate, ") or the gradient clip (now ",
                  options_.gradient_clip, ", 0 is none)");
  }

 private:
  void clip(std::span<float> gradients) const {
    if (options_.gradient_clip == 0) return;
    double squares = 0;
    for (const float gradient : gradients) squares += double{gradient} * gradient;
    const double norm = std::sqrt(squares);
    if (norm <= options_.gradient_clip) return;
    const auto factor = static_cast<float>(options_.gradient_clip / norm);
    for (float& gradient : gradients) gradient *= factor;
  }

  double rate_at(std::uint64_t step) const {
    const auto position = static_cast<double>(step);
    const double warm_up = std::max(1.0, static_cast<double>(batches_) / 2);
    const double progress = position / static_cast<double>(batches_ * options_.epochs);
    return options_.learning_rate * std::min(1.0, (position + 1) / warm_up) *
           (1 + std::cos(std::numbers::pi * progress)) / 2;
  }

  const TrainOptions& options_;
  std::size_t batches_;
  Adam adam_;
  std::vector<float> decay_;
};

// The options that are not at their default, "cell=gru seed=3".
std::string options_text(const std::map<std::string, std::string>& identity,
                         const std::map<std::string, std::string>& defaults) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : identity)
    if (const auto usual = defaults.find(name); usual != defaults.end() && usual->second != value)
      parts.push_back(concat(name, "=", value));
  return join(parts, " ");
}

}  // namespace

TrainResult train(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options) {
  check_train_options(options);
  check_same_kind(train_data, validation_data);
  refuse_useless(train_data, options);
  RecurrentTrainee trainee(train_data, validation_data, options);
  ScheduledAdam adam(trainee.network(), trainee.values().size(), trainee.batches(), options);
  LoopResult result = run_loop(trainee, adam,
                               {.epochs = options.epochs,
                                .average = options.average,
                                .checkpoint = options.checkpoint,
                                .resume = options.resume,
                                .should_stop = options.should_stop,
                                .on_progress = options.on_progress});
  Model model = trainee.model_of(result.kept);
  const std::map<std::string, std::string>& identity = trainee.identity();
  model.provenance = {{"seed", concat(options.seed)},
                      {"train_options", options_text(identity, default_identity())},
                      {"train_data", identity.at("train_data")},
                      {"validation_data", identity.at("validation_data")},
                      {"best_epoch", concat(result.best_epoch)},
                      {concat("validation_", trainee.metric().name), number_text(result.best.metric)}};
  return {.model = std::move(model),
          .metric = std::string(trainee.metric().name),
          .value = result.best.metric,
          .epochs = result.epochs,
          .best_epoch = result.best_epoch,
          .curve = std::move(result.curve),
          .seconds = result.seconds,
          .interrupted = result.interrupted};
}

Score score(const Model& model, const Dataset& data, const std::string& metric, std::size_t threads) {
  survey_checked(data, {});
  const auto expected = static_cast<std::size_t>(model.inputs[0].value.size());
  if (model.inputs[0].value.format.kind == NumberType::kF32 ? data.features != expected : data.vocabulary == 0)
    refuse(data, "has ", data.features, " features a step, but model '", model.name, "' expects ", expected);
  Network network(model);
  return score_of(judge(network, data, statistics_of(model), thread_count(threads)), metric_of(metric, data));
}

}  // namespace quaver
