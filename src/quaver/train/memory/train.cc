#include "quaver/train/memory/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/quantize/memory.h"
#include "quaver/train/common/checkpoint.h"
#include "quaver/train/memory/pass.h"

namespace quaver {
namespace {

using Clock = std::chrono::steady_clock;
using Texts = std::map<std::string, std::string>;

// Keys of the random streams, so that no two draw the same numbers.
constexpr std::uint64_t kWeightStream = 1, kEpochStream = 1000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

MemoryQuestion question_of(const CodedStories::Question& question) {
  return {.facts = question.facts, .words = question.words, .sentences = question.sentences};
}

Texts identity_of(const MemN2NShape& shape, const MemoryTrainOptions& options, const CodedStories& train_data,
                  const CodedStories& validation_data) {
  const auto number = [](auto value) { return number_text(static_cast<double>(value)); };
  Texts identity{{"cell", "memn2n"},
                 {"vocabulary", number(shape.vocabulary)},
                 {"memory", number(shape.memory)},
                 {"d", number(shape.d)},
                 {"hops", number(shape.hops)},
                 {"sentence", number(shape.sentence)},
                 {"tying", memory_tying_name(shape.tying)},
                 {"encoding", sentence_encoding_name(shape.encoding)},
                 {"temporal", number(shape.temporal)},
                 {"scheme", memory_scheme_text(options.scheme)},
                 {"coded_read_gradient", number(options.gradients.coded_read)},
                 {"released_slope", number(options.gradients.released_slope)},
                 {"epochs", number(options.epochs)},
                 {"linear_epochs", number(options.linear_epochs)},
                 {"batch", number(options.batch)},
                 {"learning_rate", options.learning_rate ? number(*options.learning_rate) : "default"},
                 {"halve_every", number(options.halve_every)},
                 {"gradient_clip", number(options.gradient_clip)},
                 {"clip_rule", number(static_cast<int>(options.clip_rule))},
                 {"controller_rate", number(options.controller_rate)},
                 {"controller_clip", number(options.controller_clip)},
                 {"noise", number(options.noise)},
                 {"deviation", number(options.deviation)},
                 {"order", number(static_cast<int>(options.order))},
                 {"keep", number(static_cast<int>(options.keep))},
                 {"train_on", number(options.train_on)},
                 {"seed", concat(options.seed)},
                 {"train_data", hex64(train_data.content_hash())},
                 {"validation_data", hex64(validation_data.content_hash())},
                 {"warm_start", options.warm_start == nullptr
                                    ? "none"
                                    : hex64(fnv1a(std::as_bytes(std::span(options.warm_start->parameters))))}};
  // What was trained before there were slots stays the same training.
  if (shape.slots > 0) identity["slots"] = number(shape.slots);
  return identity;
}

constexpr std::size_t kCalibrationQuestions = 256;

// Scales of a scaled scheme follow from the parameters and the first questions of training.
MemoryScales scales_for(const MemN2NShape& shape, const MemoryScheme& scheme, std::span<const float> parameters,
                        const CodedStories& data) {
  if (!scheme.is_scaled()) return {};
  std::vector<MemoryQuestion> questions;
  const std::size_t every = std::max<std::size_t>(1, data.questions().size() / kCalibrationQuestions);
  for (std::size_t i = 0; i < data.questions().size(); i += every)
    questions.push_back(question_of(data.questions()[i]));
  return calibrate_memory(shape, scheme, parameters, questions);
}

MemoryScore score(MemoryPass& pass, const MemoryScales& scales, std::span<const float> parameters,
                  const CodedStories& data, bool linear) {
  MemoryScore score;
  if (!scales.weights.empty()) pass.set_scales(scales);
  pass.set_parameters(parameters);
  std::size_t wrong = 0;
  for (const CodedStories::Question& question : data.questions()) {
    const auto outcome = pass.forward(question_of(question), question.answer, linear);
    score.loss += outcome.loss;
    score.probability += outcome.probability;
    if (outcome.word != static_cast<std::size_t>(question.answer)) ++wrong;
  }
  score.questions = data.questions().size();
  const auto count = static_cast<double>(score.questions);
  if (score.questions == 0) return score;
  return {100 * static_cast<double>(wrong) / count, score.loss / count, score.questions, score.probability / count};
}

class Trainer {
 public:
  Trainer(const MemN2NShape& shape, const CodedStories& train_data, const CodedStories& validation_data,
          const Vocabulary& vocabulary, const MemoryTrainOptions& options, std::size_t repeat)
      : repeat_(repeat),
        shape_(shape),
        words_(vocabulary.words()),
        train_(train_data),
        validation_(validation_data),
        options_(options),
        identity_(identity_of(shape, options, train_data, validation_data)),
        pass_(shape, options.scheme, options.gradients),
        random_(options.seed),
        rate_(options.learning_rate.value_or(options.linear_epochs > 0 ? 0.005 : 0.01)) {
    if (options.resume) {
      const std::size_t questions = train_data.questions().size();
      state_ = load_checkpoint(options.checkpoint, identity_,
                               {.parameters = parameter_count(shape),
                                .moments = false,
                                .epochs = options.linear_epochs + options.epochs,
                                .batches = (questions + options.batch - 1) / options.batch});
    } else {
      draw_weights();
      if (options.warm_start != nullptr) state_.best_values = state_.values = options.warm_start->parameters;
    }
    scales_ = scales_for(shape, options.scheme, state_.values, train_data);
    gradient_.resize(state_.values.size());
  }

  MemoryTrainResult run() {
    const Clock::time_point start = Clock::now();
    stopped_ = stops_early();
    const std::size_t epochs = options_.linear_epochs + options_.epochs;
    MemoryTrainResult result;
    Clock::time_point saved = start;
    while (state_.epoch < epochs && (!stopped_ || options_.train_on) && !result.interrupted) {
      const Checkpoint before = options_.should_stop ? state_ : Checkpoint{};
      const bool linear = state_.epoch < options_.linear_epochs;
      const std::optional<double> loss = run_epoch(linear);
      if (!loss) {
        // An epoch that was cut short is done again from its start.
        state_ = before;
        save();
        result.interrupted = true;
        break;
      }
      ++state_.epoch;
      scales_ = scales_for(shape_, options_.scheme, state_.values, train_);
      const MemoryScore now = validate_epoch(linear);
      state_.last_metric = now.error;
      if (!linear && !stopped_) keep_if_best(now);
      stopped_ = stopped_ || stops_early();
      if (options_.on_progress) options_.on_progress({repeat_ + 1, state_.epoch, epochs, linear, *loss, now.error});
      if (seconds_since(saved) >= 1 || state_.epoch == epochs) {
        save();
        saved = Clock::now();
      }
    }
    const bool final_ones = options_.keep == KeptWeights::kFinal || state_.best_epoch == 0;
    const std::vector<float>& kept = final_ones ? state_.values : state_.best_values;
    result.network = network_of(kept, scales_for(shape_, options_.scheme, kept, train_));
    result.final_parameters = state_.values;
    result.best_epoch = final_ones ? state_.epoch : state_.best_epoch;
    result.epochs = state_.epoch;
    result.seed = options_.seed;
    result.seconds = seconds_since(start);
    return result;
  }

 private:
  MemoryNetwork network_of(const std::vector<float>& values, const MemoryScales& scales) const {
    MemoryNetwork network{.name = "",
                          .task = "",
                          .shape = shape_,
                          .scheme = options_.scheme,
                          .scales = scales,
                          .words = words_,
                          .parameters = values,
                          .provenance = {}};
    if (options_.scheme.is_scaled()) network.parameters = coded_parameters(shape_, options_.scheme, scales, values);
    return network;
  }

  // By the session that answers, but for what it does not run, a linear start, and what it runs as the untuned
  // reference: a float network took 1.2 to 1.3 times the whole epoch.
  MemoryScore validate_epoch(bool linear) {
    if (linear || options_.scheme.is_float()) return score(pass_, scales_, state_.values, validation_, linear);
    return score_memory(network_of(state_.values, scales_), validation_);
  }

  void draw_weights() {
    Random random = random_.fork(kWeightStream);
    state_.values.resize(parameter_count(shape_));
    for (float& value : state_.values) value = static_cast<float>(options_.deviation * random.normal());
    clear_number_zero(state_.values);
    state_.best_values = state_.values;
  }

  // Number 0 is no word: it embeds to zero, and W does not score it.
  void clear_number_zero(std::vector<float>& values) const {
    for (std::size_t place = 0; place < pass_.matrices().size(); ++place)
      if (!pass_.roles().has_H || place != pass_.roles().H)
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(pass_.matrices()[place].offset), shape_.d, 0.0f);
  }

  // The questions of one epoch, in order.
  std::vector<std::size_t> epoch_order(Random& random) const {
    std::vector<std::size_t> order(train_.questions().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (options_.order == SampleOrder::kShuffled) random.shuffle<std::size_t>(order);
    if (options_.order == SampleOrder::kDrawn)
      for (std::size_t& question : order) question = random.below(order.size());
    return order;
  }

  // Random noise: the time words of n facts are n of n + e numbers, e drawn from 0 .. ceil(noise n). Empty: natural.
  std::span<const std::uint32_t> draw_ages(std::size_t facts, Random& random) {
    if (options_.noise <= 0 || !shape_.temporal || facts == 0) return {};
    const auto most = static_cast<std::uint64_t>(std::ceil(options_.noise * static_cast<double>(facts)));
    const std::size_t numbers = facts + random.below(most + 1);
    // Selection sampling from the oldest down: every choice of `facts` numbers is as likely.
    ages_.clear();
    for (std::size_t number = numbers; number-- > 0;) {
      const std::size_t wanted = facts - ages_.size();
      if (random.below(number + 1) < wanted)
        ages_.push_back(static_cast<std::uint32_t>(std::min(number, shape_.memory - 1)));
    }
    return ages_;
  }

  // Mean loss, or nothing when it was stopped.
  std::optional<double> run_epoch(bool linear) {
    Random random = random_.fork(kEpochStream + state_.epoch);
    const std::vector<std::size_t> order = epoch_order(random);
    double rate = rate_;
    if (!linear && options_.halve_every > 0)
      rate = std::ldexp(rate, -static_cast<int>((state_.epoch - options_.linear_epochs) / options_.halve_every));
    double loss = 0;
    for (std::size_t begin = 0; begin < order.size(); begin += options_.batch) {
      if (options_.should_stop && options_.should_stop()) return std::nullopt;
      if (begin == 0 && options_.scheme.is_scaled()) pass_.set_scales(scales_);
      pass_.set_parameters(state_.values);
      for (std::size_t i = begin; i < std::min(order.size(), begin + options_.batch); ++i) {
        const CodedStories::Question& question = train_.questions()[order[i]];
        MemoryQuestion asked = question_of(question);
        asked.ages = draw_ages(asked.facts.size(), random);
        loss += pass_.forward(asked, question.answer, linear).loss;
        pass_.backward(asked);
      }
      pass_.take_gradient(gradient_);
      descend(rate);
    }
    loss /= static_cast<double>(order.size());
    if (!std::isfinite(loss) || !std::ranges::all_of(state_.values, [](float value) { return std::isfinite(value); }))
      throw_failed(concat("training diverged in epoch ", state_.epoch + 1,
                          ": a weight is no number any more; try a lower --learning-rate"));
    return loss;
  }

  double norm_of(const MemoryMatrix& matrix, bool rows_are_outputs) const {
    const float* values = gradient_.data() + matrix.offset;
    if (options_.clip_rule == ClipRule::kMatrix) {
      double sum = 0;
      for (std::size_t i = 0; i < matrix.size(); ++i) sum += static_cast<double>(values[i]) * values[i];
      return std::sqrt(sum);
    }
    // Embeddings lie here with a row a word; their output rows are our columns.
    std::vector<double> sums(rows_are_outputs ? matrix.rows : matrix.cols);
    for (std::size_t row = 0; row < matrix.rows; ++row)
      for (std::size_t col = 0; col < matrix.cols; ++col) {
        const double value = values[row * matrix.cols + col];
        sums[rows_are_outputs ? row : col] += value * value;
      }
    return std::accumulate(sums.begin(), sums.end(), 0.0,
                           [](double sum, double next) { return sum + std::sqrt(next); });
  }

  void descend(double rate) {
    const MemoryRoles& roles = pass_.roles();
    for (std::size_t place = 0; place < pass_.matrices().size(); ++place) {
      const MemoryMatrix& matrix = pass_.matrices()[place];
      const bool controller = roles.has_H && place == roles.H;
      const double clip = controller ? options_.controller_clip : options_.gradient_clip;
      const double norm = norm_of(matrix, controller || (roles.has_H && place == roles.W));
      double step = rate * (controller ? options_.controller_rate : 1.0);
      if (clip > 0 && norm > clip) step *= clip / norm;
      const auto factor = static_cast<float>(step);
      for (std::size_t i = matrix.offset; i < matrix.offset + matrix.size(); ++i)
        state_.values[i] -= factor * gradient_[i];
    }
    clear_number_zero(state_.values);
    ++state_.steps;
  }

  void keep_if_best(const MemoryScore& now) {
    const double error = now.error, best_error = 100 - state_.best.accuracy;
    const bool stopping = options_.keep == KeptWeights::kEarlyStopped;
    const double cost = stopping ? -now.probability : now.loss;
    const bool better =
        state_.best_epoch == 0 || (stopping ? error <= best_error && cost <= state_.best.loss
                                            : error < best_error || (error <= best_error && cost < state_.best.loss));
    if (!better) return;
    state_.best = {100 - error, cost};
    state_.best_epoch = state_.epoch;
    state_.best_values = state_.values;
  }

  bool stops_early() const {
    constexpr std::size_t kPatience = 5;  // epochs
    constexpr double kWorse = 30;         // percent
    return options_.keep == KeptWeights::kEarlyStopped && state_.best_epoch > 0 &&
           state_.epoch > state_.best_epoch + kPatience && state_.last_metric > 100 - state_.best.accuracy + kWorse;
  }

  void save() const {
    if (!options_.checkpoint.empty()) save_checkpoint(state_, identity_, options_.checkpoint);
  }

  std::size_t repeat_;
  MemN2NShape shape_;
  const std::vector<std::string>& words_;
  const CodedStories& train_;
  const CodedStories& validation_;
  const MemoryTrainOptions& options_;
  Texts identity_;
  MemoryPass pass_;
  Random random_;
  double rate_;
  Checkpoint state_;
  MemoryScales scales_;   // of a scaled scheme, for state_.values as they were when the epoch began
  bool stopped_ = false;  // early; what is kept stays so
  std::vector<float> gradient_;
  std::vector<std::uint32_t> ages_;
};

}  // namespace

MemoryTrainOptions memn2n_recipe(bool joint) {
  MemoryTrainOptions options;
  options.slots = options.memory;
  if (joint) {
    options.d = 50;
    options.epochs = 60;
    options.linear_epochs = 30;
    options.halve_every = 15;
  }
  return options;
}

MemoryTrainOptions fine_tune_recipe(const MemoryScheme& scheme, bool joint) {
  MemoryTrainOptions options = memn2n_recipe(joint);
  options.scheme = scheme;
  options.linear_epochs = 0;
  options.epochs = 20;
  options.halve_every = 5;
  options.learning_rate = 0.002;
  return options;
}

MemoryTrainOptions qmann_recipe(const MemoryScheme& scheme) {
  MemoryTrainOptions options;
  options.scheme = scheme;
  options.d = 60;
  options.tying = MemoryTying::kLayerwise;
  options.encoding = SentenceEncoding::kWords;
  options.linear_epochs = 0;
  options.learning_rate = 0.3 / 32;
  options.clip_rule = ClipRule::kRows;
  options.controller_rate = 0.1;
  options.controller_clip = 20;
  options.noise = 0;
  options.order = SampleOrder::kFixed;
  options.keep = KeptWeights::kFinal;
  // That program's backward pass of the read is coded in its mode 3 alone.
  options.gradients.coded_read = scheme.is_fixed() && scheme.similarity == MemorySimilarity::kHamming;
  return options;
}

MemN2NShape memory_shape(const CodedStories& train_data, const CodedStories& validation_data,
                         const Vocabulary& vocabulary, const MemoryTrainOptions& options) {
  return {.vocabulary = vocabulary.size(),
          .memory = options.memory,
          .d = options.d,
          .hops = options.hops,
          .sentence = std::max(train_data.longest_sentence(), validation_data.longest_sentence()),
          .tying = options.tying,
          .encoding = options.encoding,
          .temporal = options.temporal,
          .slots = options.slots};
}

Texts memory_training_identity(const CodedStories& train_data, const CodedStories& validation_data,
                               const Vocabulary& vocabulary, const MemoryTrainOptions& options) {
  return identity_of(memory_shape(train_data, validation_data, vocabulary, options), options, train_data,
                     validation_data);
}

std::vector<std::filesystem::path> memory_checkpoints(const MemoryTrainOptions& options) {
  std::vector<std::filesystem::path> paths;
  if (options.checkpoint.empty()) return paths;
  for (std::size_t repeat = 1; repeat <= options.repeats; ++repeat)
    paths.push_back(repeat == 1 ? options.checkpoint
                                : std::filesystem::path(concat(options.checkpoint.string(), ".", repeat)));
  return paths;
}

namespace {

// Every parameter is there as a value that learns and the best one so far, both once more as they were before the
// epoch, the sum of its gradients, and as value and gradient of the pass.
void require_memory_to_learn(const MemN2NShape& shape, const MemoryTrainOptions& options) {
  constexpr std::uint64_t kCopies = 7;
  require_memory_for(concat("training an embedding of ", shape.d, " numbers in ", shape.hops, " hops with a memory of ",
                            shape.memory, " facts takes"),
                     kCopies * parameter_count(shape) * sizeof(float), options.max_memory);
}

}  // namespace

void check_memory_training(const MemoryTrainOptions& options) {
  const auto require = [](bool ok, const char* what, double found, const char* expected) {
    if (!ok) throw_usage(concat("training of a memory network: ", what, " is ", found, ", expected ", expected));
  };
  require(options.epochs >= 1, "epochs", static_cast<double>(options.epochs), "at least 1");
  require(options.repeats >= 1, "repeats", static_cast<double>(options.repeats), "at least 1");
  require(options.batch >= 1, "batch", static_cast<double>(options.batch), "at least 1");
  const double rate = options.learning_rate.value_or(0.01);
  require(std::isfinite(rate) && rate > 0, "the learning rate", rate, "a positive number");
  require(options.gradient_clip >= 0 && options.controller_clip >= 0, "a clip", options.gradient_clip, "0 or more");
  require(!options.scheme.is_scaled() || options.linear_epochs == 0, "epochs of a linear start",
          static_cast<double>(options.linear_epochs), "0 under a scaled scheme: train in float, then warm-start");
  require(options.noise >= 0 && options.noise <= 10, "the noise", options.noise, "0 to 10");
  require(std::isfinite(options.deviation) && options.deviation > 0, "the deviation of the first weights",
          options.deviation, "a positive number");
  if (options.train_on && (options.keep != KeptWeights::kEarlyStopped || !options.checkpoint.empty()))
    throw_usage("training of a memory network: training on after an early stop needs one, and no checkpoint");
  require(std::isfinite(options.controller_rate) && options.controller_rate >= 0, "the controller's rate",
          options.controller_rate, "0 or more");
  const MemN2NShape least{.vocabulary = 2,  // that can be learnt from
                          .memory = options.memory,
                          .d = options.d,
                          .hops = options.hops,
                          .sentence = 1,
                          .tying = options.tying,
                          .temporal = options.temporal,
                          .slots = options.slots};
  validate(least);
  require_memory_to_learn(least, options);
}

MemoryTrainResult train_memory(const CodedStories& train_data, const CodedStories& validation_data,
                               const Vocabulary& vocabulary, const MemoryTrainOptions& options) {
  check_memory_training(options);
  if (train_data.questions().empty() || validation_data.questions().empty())
    throw_bad_input("training of a memory network: there are no questions to train or to validate with");
  const MemN2NShape shape = memory_shape(train_data, validation_data, vocabulary, options);
  validate(shape);
  require_memory_to_learn(shape, options);
  if (options.warm_start != nullptr) {
    const MemoryNetwork& start = *options.warm_start;
    validate(start);
    if (!start.scheme.is_float())
      throw_bad_input(concat("the warm start '", start.name, "' has the scheme ", memory_scheme_text(start.scheme),
                             ", expected a float network"));
    MemN2NShape same_slots = start.shape;
    same_slots.slots = shape.slots;
    if (same_slots != shape || start.words != vocabulary.words())
      throw_bad_input(concat("the warm start '", start.name,
                             "' has other sizes, another tying or encoding, or other words than this training; give "
                             "the flags it was trained with"));
    if (start.shape.slots != shape.slots)
      throw_bad_input(concat("the warm start '", start.name, "' has ", start.shape.slots, " slots, this training ",
                             shape.slots, "; give --slots ", start.shape.slots));
  }
  const std::vector<std::filesystem::path> checkpoints = memory_checkpoints(options);
  MemoryTrainResult best;
  double seconds = 0;
  for (std::size_t repeat = 0; repeat < options.repeats; ++repeat) {
    MemoryTrainOptions one = options;
    one.seed = options.seed + repeat;
    if (!checkpoints.empty()) one.checkpoint = checkpoints[repeat];
    // A run that was stopped in an earlier repeat has not begun this one.
    if (repeat > 0) one.resume = options.resume && std::filesystem::exists(one.checkpoint);
    MemoryTrainResult result = Trainer(shape, train_data, validation_data, vocabulary, one, repeat).run();
    seconds += result.seconds;
    if (!result.interrupted) {
      const Clock::time_point start = Clock::now();
      result.train = score_memory(result.network, train_data);
      result.validation = score_memory(result.network, validation_data);
      seconds += seconds_since(start);
    }
    const MemoryScore &now = result.validation, &before = best.validation;
    const bool better = now.error < before.error || (now.error <= before.error && now.loss < before.loss);
    const bool interrupted = result.interrupted;
    if (repeat == 0 || better || interrupted) best = std::move(result);
    if (interrupted) break;
  }
  best.seconds = seconds;
  return best;
}

MemoryScore score_by_training_pass(const MemoryNetwork& network, const CodedStories& data) {
  validate(network);
  MemoryPass pass(network.shape, network.scheme);
  return score(pass, network.scales, network.parameters, data, false);
}

}  // namespace quaver
