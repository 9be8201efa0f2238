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
#include "quaver/train/common/loop.h"
#include "quaver/train/common/tree_sum.h"
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

// Number 0 is no word: it embeds to zero, and W does not score it.
void clear_number_zero(const MemoryPass& pass, std::span<float> values) {
  for (std::size_t place = 0; place < pass.matrices().size(); ++place)
    if (!pass.roles().has_H || place != pass.roles().H)
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(pass.matrices()[place].offset), pass.shape().d, 0.0f);
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

constexpr std::size_t kQuestionsPerShard = 32;  // the unit of arithmetic, as of sequences

std::size_t shard_count(std::size_t questions) { return (questions + kQuestionsPerShard - 1) / kQuestionsPerShard; }

// A network that learns, and how its values move.
class MemoryTrainee : public Trainee {
 public:
  MemoryTrainee(const MemN2NShape& shape, const CodedStories& train_data, const CodedStories& validation_data,
                const Vocabulary& vocabulary, const MemoryTrainOptions& options)
      : shape_(shape),
        words_(vocabulary.words()),
        train_(train_data),
        validation_(validation_data),
        options_(options),
        identity_(identity_of(shape, options, train_data, validation_data)),
        pass_(shape, options.scheme, options.gradients),
        random_(options.seed),
        values_(parameter_count(shape)),
        gradients_(shard_count(std::min(options.batch, train_data.questions().size())),
                   std::vector<float>(values_.size())) {
    if (options.warm_start != nullptr)
      values_ = options.warm_start->parameters;
    else
      draw_weights();
  }

  const Texts& identity() const override { return identity_; }
  std::span<float> values() override { return values_; }
  std::span<float> gradients() override { return gradients_[0]; }
  std::size_t batches() const override { return (train_.questions().size() + options_.batch - 1) / options_.batch; }
  std::size_t examples() const override { return train_.questions().size(); }
  // Its draws follow one another through an epoch, and a scaled scheme's scales are those of the epoch's first values.
  bool resumes_within_epoch() const override { return false; }

  void begin_epoch(std::size_t epoch) override {
    linear_ = is_linear(epoch);
    if (!scaled_) scales_ = scales_for(shape_, options_.scheme, values_, train_);
    scaled_ = false;
    if (options_.scheme.is_scaled()) pass_.set_scales(scales_);
    drawn_ = random_.fork(kEpochStream + epoch);
    order_ = epoch_order();
  }

  Learnt learn(std::size_t batch) override {
    pass_.set_parameters(values_);
    Learnt learnt;
    const std::size_t begin = batch * options_.batch, end = std::min(order_.size(), begin + options_.batch);
    const std::size_t shards = shard_count(end - begin);
    for (std::size_t shard = 0; shard < shards; ++shard) {
      const std::size_t first = begin + shard * kQuestionsPerShard;
      for (std::size_t i = first; i < std::min(end, first + kQuestionsPerShard); ++i) {
        const CodedStories::Question& question = train_.questions()[order_[i]];
        MemoryQuestion asked = question_of(question);
        asked.ages = draw_ages(asked.facts.size());
        learnt.loss += pass_.forward(asked, question.answer, linear_).loss;
        pass_.backward(asked);
        ++learnt.examples;
      }
      pass_.take_gradient(gradients_[shard]);
    }
    tree_sum(shards, [&](std::size_t i, std::size_t j) {
      for (std::size_t k = 0; k < values_.size(); ++k) gradients_[i][k] += gradients_[j][k];
    });
    return learnt;
  }

  void end_epoch() override {
    scales_ = scales_for(shape_, options_.scheme, values_, train_);
    scaled_ = true;
  }

  // By the session that answers, but for what it does not run, a linear start, and what it runs as the untuned
  // reference: a float network took 1.2 to 1.3 times the whole epoch.
  Score score(std::size_t epoch) override {
    const MemoryScore now = is_linear(epoch) || options_.scheme.is_float()
                                ? quaver::score(pass_, scales_, values_, validation_, is_linear(epoch))
                                : score_memory(network_of(values_, scales_), validation_);
    return {now.error, options_.keep == KeptWeights::kEarlyStopped ? -now.probability : now.loss};
  }

  bool is_better(const Score& candidate, const Score& best) const override {
    if (options_.keep == KeptWeights::kEarlyStopped)
      return candidate.metric <= best.metric && candidate.loss <= best.loss;
    return candidate.metric < best.metric || (candidate.metric <= best.metric && candidate.loss < best.loss);
  }
  bool may_keep(std::size_t epoch) const override { return !is_linear(epoch); }
  bool stops_early(std::size_t epochs, std::size_t best_epoch, const Score& last, const Score& best) const override {
    constexpr std::size_t kPatience = 5;  // epochs
    constexpr double kWorse = 30;         // percent
    return options_.keep == KeptWeights::kEarlyStopped && best_epoch > 0 && epochs > best_epoch + kPatience &&
           last.metric > best.metric + kWorse;
  }

  const MemoryPass& pass() const { return pass_; }
  MemoryNetwork network_of(const std::vector<float>& values) const {
    return network_of(values, scales_for(shape_, options_.scheme, values, train_));
  }

 private:
  bool is_linear(std::size_t epoch) const { return epoch < options_.linear_epochs; }

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

  void draw_weights() {
    Random random = random_.fork(kWeightStream);
    for (float& value : values_) value = static_cast<float>(options_.deviation * random.normal());
    clear_number_zero(pass_, values_);
  }

  // The questions of one epoch, in order.
  std::vector<std::size_t> epoch_order() {
    std::vector<std::size_t> order(train_.questions().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (options_.order == SampleOrder::kShuffled) drawn_.shuffle<std::size_t>(order);
    if (options_.order == SampleOrder::kDrawn)
      for (std::size_t& question : order) question = drawn_.below(order.size());
    return order;
  }

  // Random noise: the time words of n facts are n of n + e numbers, e drawn from 0 .. ceil(noise n). Empty: natural.
  std::span<const std::uint32_t> draw_ages(std::size_t facts) {
    if (options_.noise <= 0 || !shape_.temporal || facts == 0) return {};
    const auto most = static_cast<std::uint64_t>(std::ceil(options_.noise * static_cast<double>(facts)));
    const std::size_t numbers = facts + drawn_.below(most + 1);
    // Selection sampling from the oldest down: every choice of `facts` numbers is as likely.
    ages_.clear();
    for (std::size_t number = numbers; number-- > 0;) {
      const std::size_t wanted = facts - ages_.size();
      if (drawn_.below(number + 1) < wanted)
        ages_.push_back(static_cast<std::uint32_t>(std::min(number, shape_.memory - 1)));
    }
    return ages_;
  }

  MemN2NShape shape_;
  const std::vector<std::string>& words_;
  const CodedStories& train_;
  const CodedStories& validation_;
  const MemoryTrainOptions& options_;
  Texts identity_;
  MemoryPass pass_;
  Random random_;
  std::vector<float> values_;
  std::vector<std::vector<float>> gradients_;  // of each shard of a batch
  MemoryScales scales_;                        // of a scaled scheme, for the values as they were when the epoch began
  bool scaled_ = false;                        // they are those of the values as they are
  // Of an epoch.
  bool linear_ = false;
  Random drawn_{0};
  std::vector<std::size_t> order_;
  std::vector<std::uint32_t> ages_;
};

// Plain descent on gradients that are clipped a matrix, at a rate that is halved every few epochs.
class MatrixDescent : public Optimiser {
 public:
  MatrixDescent(const MemoryPass& pass, std::size_t batches, const MemoryTrainOptions& options)
      : pass_(pass),
        options_(options),
        batches_(batches),
        rate_(options.learning_rate.value_or(options.linear_epochs > 0 ? 0.005 : 0.01)) {}

  void step(std::span<float> values, std::span<float> gradients, std::uint64_t step) override {
    const double rate = rate_at(step / batches_);
    const MemoryRoles& roles = pass_.roles();
    for (std::size_t place = 0; place < pass_.matrices().size(); ++place) {
      const MemoryMatrix& matrix = pass_.matrices()[place];
      const bool controller = roles.has_H && place == roles.H;
      const double clip = controller ? options_.controller_clip : options_.gradient_clip;
      const double norm = norm_of(gradients, matrix, controller || (roles.has_H && place == roles.W));
      double length = rate * (controller ? options_.controller_rate : 1.0);
      if (clip > 0 && norm > clip) length *= clip / norm;
      const auto factor = static_cast<float>(length);
      for (std::size_t i = matrix.offset; i < matrix.offset + matrix.size(); ++i) values[i] -= factor * gradients[i];
    }
    clear_number_zero(pass_, values);
  }
  std::string advice() const override { return concat("try a lower learning rate (now ", rate_, ")"); }

 private:
  double rate_at(std::size_t epoch) const {
    if (epoch < options_.linear_epochs || options_.halve_every == 0) return rate_;
    return std::ldexp(rate_, -static_cast<int>((epoch - options_.linear_epochs) / options_.halve_every));
  }

  double norm_of(std::span<const float> gradients, const MemoryMatrix& matrix, bool rows_are_outputs) const {
    const float* values = gradients.data() + matrix.offset;
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

  const MemoryPass& pass_;
  const MemoryTrainOptions& options_;
  std::size_t batches_;
  double rate_;
};

MemoryTrainResult train_once(const MemN2NShape& shape, const CodedStories& train_data,
                             const CodedStories& validation_data, const Vocabulary& vocabulary,
                             const MemoryTrainOptions& options, std::size_t repeat) {
  MemoryTrainee trainee(shape, train_data, validation_data, vocabulary, options);
  MatrixDescent descent(trainee.pass(), trainee.batches(), options);
  LoopOptions loop{.epochs = options.linear_epochs + options.epochs,
                   .stay_after_stop = options.train_on,
                   .checkpoint = options.checkpoint,
                   .resume = options.resume,
                   .should_stop = options.should_stop};
  if (options.on_progress)
    loop.on_progress = [&](const LoopProgress& now) {
      if (!now.epoch_end) return;
      options.on_progress(
          {repeat + 1, now.epoch, now.epochs, now.epoch <= options.linear_epochs, now.loss, now.validation->metric});
    };
  const LoopResult learnt = run_loop(trainee, descent, loop);
  MemoryTrainResult result;
  result.final_parameters.assign(trainee.values().begin(), trainee.values().end());
  const bool final_ones = options.keep == KeptWeights::kFinal || learnt.best_epoch == 0;
  result.network = trainee.network_of(final_ones ? result.final_parameters : learnt.kept);
  result.best_epoch = final_ones ? learnt.epochs : learnt.best_epoch;
  result.epochs = learnt.epochs;
  result.seed = options.seed;
  result.seconds = learnt.seconds;
  result.interrupted = learnt.interrupted;
  return result;
}

}  // namespace

const NameTable<SampleOrder, 3>& sample_order_names() {
  static constexpr NameTable<SampleOrder, 3> kNames("order", {"drawn", "shuffled", "fixed"});
  return kNames;
}

const NameTable<KeptWeights, 3>& kept_weights_names() {
  static constexpr NameTable<KeptWeights, 3> kNames("weights to keep", {"best", "final", "early-stopped"});
  return kNames;
}

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
// epoch, a gradient of each shard of a batch, and as value and gradient of the pass.
void require_memory_to_learn(const MemN2NShape& shape, const MemoryTrainOptions& options, std::size_t questions) {
  const std::uint64_t copies = 6 + shard_count(std::min(options.batch, questions));
  require_memory_for(concat("training an embedding of ", shape.d, " numbers in ", shape.hops, " hops with a memory of ",
                            shape.memory, " facts takes"),
                     copies * parameter_count(shape) * sizeof(float), options.max_memory);
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
  require_memory_to_learn(least, options, 1);
}

MemoryTrainResult train_memory(const CodedStories& train_data, const CodedStories& validation_data,
                               const Vocabulary& vocabulary, const MemoryTrainOptions& options) {
  check_memory_training(options);
  if (train_data.questions().empty() || validation_data.questions().empty())
    throw_bad_input("training of a memory network: there are no questions to train or to validate with");
  const MemN2NShape shape = memory_shape(train_data, validation_data, vocabulary, options);
  validate(shape);
  require_memory_to_learn(shape, options, train_data.questions().size());
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
    MemoryTrainResult result = train_once(shape, train_data, validation_data, vocabulary, one, repeat);
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
