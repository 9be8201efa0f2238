#include "quaver/train/recurrent/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/engine/sequence/session.h"

namespace quaver {
namespace {

using testing::HasSubstr;

constexpr std::size_t kFeatures = 3;

// Sequences whose class is which feature is largest on the mean; tags: at the step itself.
Dataset toy_data(std::size_t count, Target target, std::uint64_t seed) {
  Dataset data{.task = "toy", .split = "train", .target = target, .features = kFeatures, .vocabulary = 0};
  data.classes = {"a", "b", "c"};
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    Example example{.name = concat("toy/", i)};
    example.input.steps = static_cast<std::size_t>(random.between(2, 7));
    example.input.features = kFeatures;
    const auto whole = static_cast<std::int32_t>(random.below(kFeatures));
    for (std::size_t t = 0; t < example.input.steps; ++t) {
      const auto label = target == Target::kTags ? static_cast<std::int32_t>(random.below(kFeatures)) : whole;
      for (std::size_t j = 0; j < kFeatures; ++j)
        example.input.values.push_back(
            static_cast<float>(10 + 2 * random.normal() + (static_cast<std::int32_t>(j) == label ? 3 : 0)));
      if (target == Target::kTags) example.labels.push_back(label);
    }
    if (target == Target::kClass) example.labels = {whole};
    data.examples.push_back(std::move(example));
  }
  return data;
}

Dataset toy_ids(std::size_t count, std::uint64_t seed) {
  Dataset data{.task = "toy_ids", .split = "train", .target = Target::kClass, .features = 0, .vocabulary = 5};
  data.classes = {"low", "high"};
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    Example example{.name = concat("ids/", i)};
    example.input.steps = static_cast<std::size_t>(random.between(2, 7));
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < example.input.steps; ++t) {
      example.input.ids.push_back(static_cast<std::int32_t>(random.below(5)));
      sum += example.input.ids.back() - 2;
    }
    example.labels = {sum > 0 ? 1 : 0};
    data.examples.push_back(std::move(example));
  }
  return data;
}

TrainOptions small_options() {
  return {.hidden = 8, .epochs = 3, .batch = 16, .learning_rate = 0.02, .seed = 5, .threads = 2};
}

std::vector<double> epoch_losses(const Dataset& data, TrainOptions options) {
  std::vector<double> losses;
  options.on_progress = [&](const LoopProgress& progress) {
    if (progress.epoch_end) losses.push_back(progress.loss);
  };
  train(data, data, options);
  return losses;
}

std::string error_of(const Dataset& train_data, const Dataset& validation_data, const TrainOptions& options) {
  try {
    train(train_data, validation_data, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

struct TemporaryFolder {
  std::filesystem::path path;
  explicit TemporaryFolder(const std::string& name)
      : path(std::filesystem::temp_directory_path() / concat("quaver_train_", name, "_", ::getpid())) {
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
};

TEST(Train, LossFallsForEveryVariant) {
  const Dataset data = toy_data(160, Target::kClass, 1);
  const auto expect_falls = [&](const std::string& what, const TrainOptions& options) {
    const std::vector<double> losses = epoch_losses(data, options);
    EXPECT_LT(losses.back(), 0.8 * losses.front()) << what;
  };
  for (unsigned bits = 0; bits < 16; ++bits) {
    TrainOptions options = small_options();
    options.cifg = (bits & 1) != 0;
    options.peephole = (bits & 2) != 0;
    options.layer_norm = (bits & 4) != 0;
    options.projection = (bits & 8) != 0 ? 6 : 0;
    expect_falls(concat("lstm variant ", bits), options);
  }
  for (const Direction direction : {Direction::kForward, Direction::kReverse, Direction::kBidirectional}) {
    for (const std::string cell : {"lstm", "gru", "rnn"}) {
      TrainOptions options = small_options();
      options.cell = cell;
      options.layers = 2;
      options.direction = direction;
      expect_falls(concat(cell, " ", direction_name(direction)), options);
    }
  }
  TrainOptions options = small_options();
  options.cell = "gru";
  options.linear_before_reset = false;
  expect_falls("gru, reset before", options);
  options = small_options();
  options.cell = "rnn";
  options.nonlinearity = Nonlinearity::kRelu;
  expect_falls("rnn, relu", options);
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kMax}) {
    options = small_options();
    options.pooling = pooling;
    expect_falls(concat("pooling ", pooling_name(pooling)), options);
  }
  options = small_options();
  options.dropout = 0.2;
  options.input_noise = options.level_shift = options.time_stretch = 0.1;
  options.time_mask = options.feature_mask = 0.2;
  expect_falls("dropout and augmentation", options);
}

// Real numbers of a sequence and of a step, several labels a step: the loss falls, and the metric is the target's.
TEST(Train, LearnsEveryTarget) {
  for (const Target target : {Target::kReals, Target::kRealSteps, Target::kLabels}) {
    Dataset data = toy_data(160, Target::kClass, 2);
    data.target = target;
    if (is_real(target)) {
      data.classes.clear();
      data.outputs = 2;
    }
    for (Example& example : data.examples) {
      const float sign = example.labels[0] == 0 ? 1.0f : -1.0f;
      const std::size_t rows = is_of_steps(target) ? example.input.steps : 1;
      example.labels.clear();
      for (std::size_t row = 0; row < rows; ++row) {
        if (is_real(target)) {
          example.targets.insert(example.targets.end(), {sign, -sign});
        } else {
          for (std::size_t j = 0; j < kFeatures; ++j)
            example.labels.push_back(example.input.values[row * kFeatures + j] > 11 ? 1 : 0);
        }
      }
    }
    const std::vector<double> losses = epoch_losses(data, small_options());
    EXPECT_LT(losses.back(), 0.9 * losses.front()) << target_names().name(target);
    TrainOptions options = small_options();
    options.epochs = 1;
    const TrainResult result = train(data, data, options);
    EXPECT_EQ(result.metric, is_real(target) ? "mse" : "nats_per_frame");
    EXPECT_EQ(result.model.outputs[0], is_real(target) ? "predictions" : "scores");
  }
}

// The network reads rows of few codes while it learns, and these are what the model has.
TEST(Train, WeightsOfFewBitsAreThoseOfTheModel) {
  const Dataset data = toy_data(160, Target::kClass, 1);
  TrainOptions options = small_options();
  options.weights = "int4";
  EXPECT_LT(epoch_losses(data, options).back(), 0.9 * epoch_losses(data, options).front());
  const TrainResult result = train(data, data, options);
  for (const char* name : {"lstm0.W", "lstm0.R", "scores.W"}) {
    const Tensor& tensor = result.model.tensor(name);
    const std::span<const float> values = tensor.as<float>();
    const auto cols = static_cast<std::size_t>(tensor.row_size());
    for (std::size_t row = 0; row * cols < values.size(); ++row) {
      const auto of_row = values.subspan(row * cols, cols);
      float largest = 0;
      for (const float value : of_row) largest = std::max(largest, std::abs(value));
      for (const float value : of_row) {
        const float code = value / (largest / 7);
        EXPECT_NEAR(code, std::round(code), 1e-4f) << name;
      }
    }
  }
  EXPECT_DOUBLE_EQ(score(result.model, data).metric, result.value);
  options.weights = "int5";
  EXPECT_THAT(error_of(data, data, options), HasSubstr("int5"));
}

TEST(Train, LearnsTagsAndIds) {
  const std::vector<double> tags = epoch_losses(toy_data(160, Target::kTags, 2), small_options());
  EXPECT_LT(tags.back(), 0.9 * tags.front());
  const std::vector<double> ids = epoch_losses(toy_ids(160, 3), small_options());
  EXPECT_LT(ids.back(), 0.8 * ids.front());
}

TEST(Train, LearnsChirps) {
  const TaskOptions few{.limit = 200};
  const Dataset data = load_task("chirps", "train", few), validation = load_task("chirps", "validation", few);
  TrainOptions options{.hidden = 32, .epochs = 6, .batch = 16, .learning_rate = 0.01};
  const TrainResult result = train(data, validation, options);
  EXPECT_GT(result.value, 40) << "ten classes: 10 % is chance";
  EXPECT_EQ(result.epochs, 6u);
  EXPECT_FALSE(result.interrupted);
  EXPECT_DOUBLE_EQ(result.value, score(result.model, validation).metric);
  EXPECT_EQ(result.model.task, "chirps");
  EXPECT_EQ(result.model.classes, data.classes);
  EXPECT_EQ(result.model.provenance.at("seed"), "1");
  EXPECT_EQ(result.model.provenance.at("train_data"), hex64(data.content_hash()));
}

TEST(Train, SameBitsForAnyNumberOfThreads) {
  const Dataset data = toy_data(150, Target::kClass, 4);
  TrainOptions options = small_options();
  options.batch = 64;
  options.layer_norm = options.peephole = true;
  options.input_noise = options.dropout = 0.1;
  options.threads = 1;
  const Model one = train(data, data, options).model;
  options.threads = 3;
  EXPECT_TRUE(train(data, data, options).model == one);
  options.seed = 6;
  EXPECT_FALSE(train(data, data, options).model.tensors == one.tensors);
}

// A sequence's scores do not depend on what else is in its batch.
TEST(Train, OtherSequencesOfABatchChangeNothing) {
  const Dataset data = toy_data(90, Target::kClass, 5);
  for (const Direction direction : {Direction::kForward, Direction::kReverse, Direction::kBidirectional}) {
    for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kMax, Pooling::kFinal}) {
      if (pooling == Pooling::kFinal && direction == Direction::kForward) continue;
      TrainOptions options = small_options();
      options.epochs = 1;
      options.direction = direction;
      options.pooling = pooling;
      const Model model = train(data, data, options).model;
      double loss = 0;
      for (const Example& example : data.examples) {
        Dataset alone = data;
        alone.examples = {example};
        loss += score(model, alone).loss;
      }
      // The BLAS may sum in another order for other numbers of rows: some hundred roundings of numbers below 10.
      EXPECT_NEAR(score(model, data).loss, loss / static_cast<double>(data.examples.size()), 100 * 10 * 0x1p-24)
          << direction_name(direction) << " " << pooling_name(pooling);
    }
  }
}

TEST(Train, ResumesToTheSameBits) {
  const TemporaryFolder folder("resume");
  const Dataset data = toy_data(100, Target::kClass, 6), validation = toy_data(40, Target::kClass, 7);
  TrainOptions options = small_options();
  options.epochs = 4;
  options.dropout = 0.2;
  options.input_noise = 0.1;
  options.layer_norm = true;
  options.weight_decay = 0.01;
  const Model expected = train(data, validation, options).model;

  options.checkpoint = folder.path / "train.checkpoint";
  std::size_t asked = 0;
  options.should_stop = [&] { return ++asked == 11; };  // 7 batches an epoch: in the middle of the second
  const TrainResult stopped = train(data, validation, options);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.epochs, 1u);

  options.should_stop = {};
  options.resume = true;
  options.threads = 1;
  const TrainResult resumed = train(data, validation, options);
  EXPECT_FALSE(resumed.interrupted);
  EXPECT_EQ(resumed.epochs, 4u);
  EXPECT_TRUE(resumed.model == expected);

  const TrainResult again = train(data, validation, options);  // nothing is left to do
  EXPECT_TRUE(again.model == expected);
}

TEST(Train, RefusesToResumeAnotherTraining) {
  const TemporaryFolder folder("refuse");
  const Dataset data = toy_data(40, Target::kClass, 8);
  TrainOptions options = small_options();
  options.epochs = 1;
  options.checkpoint = folder.path / "train.checkpoint";
  options.resume = true;
  EXPECT_THAT(error_of(data, data, options), HasSubstr("there is no checkpoint to resume"));
  options.resume = false;
  train(data, data, options);
  options.resume = true;
  options.hidden = 9;
  options.learning_rate = 0.03;
  const std::string text = error_of(data, data, options);
  EXPECT_THAT(text, HasSubstr("hidden was 8 and is now 9"));
  EXPECT_THAT(text, HasSubstr("learning_rate was 0.02 and is now 0.03"));
  options = small_options();
  options.epochs = 1;
  options.checkpoint = folder.path / "train.checkpoint";
  options.resume = true;
  EXPECT_THAT(error_of(toy_data(40, Target::kClass, 9), data, options), HasSubstr("train_data was "));

  std::filesystem::resize_file(options.checkpoint, std::filesystem::file_size(options.checkpoint) - 1);
  EXPECT_NE(error_of(data, data, options), "no error");
}

TEST(Train, StopsEarlyAndKeepsTheBest) {
  const Dataset data = toy_data(100, Target::kClass, 10);
  Dataset shuffled = toy_data(30, Target::kClass, 11);  // labels that no learning can help
  Random random(1);
  for (Example& example : shuffled.examples) example.labels = {static_cast<std::int32_t>(random.below(3))};
  TrainOptions options = small_options();
  options.epochs = 200;
  options.patience = 3;
  std::vector<double> metrics;
  options.on_progress = [&](const LoopProgress& progress) {
    if (progress.epoch_end) metrics.push_back(progress.validation->metric);
  };
  const TrainResult result = train(data, shuffled, options);
  EXPECT_LT(result.epochs, 200u);
  EXPECT_EQ(result.epochs, metrics.size());
  EXPECT_EQ(result.value, *std::max_element(metrics.begin(), metrics.end()));
  EXPECT_EQ(score(result.model, shuffled).metric, result.value);
}

TEST(Train, ReportsProgress) {
  const Dataset data = toy_data(40, Target::kClass, 12);
  TrainOptions options = small_options();
  std::vector<LoopProgress> reports;
  options.on_progress = [&](const LoopProgress& progress) { reports.push_back(progress); };
  train(data, data, options);
  ASSERT_EQ(reports.size(), 9u);  // 3 epochs of 3 batches
  EXPECT_FALSE(reports[0].validation.has_value());
  EXPECT_EQ(reports[1].batch, 2u);
  EXPECT_EQ(reports[1].batches, 3u);
  EXPECT_TRUE(reports[2].epoch_end);
  EXPECT_TRUE(reports[3].validation.has_value());
  EXPECT_GT(reports[3].examples_per_second, 0);
  EXPECT_GT(reports[3].seconds_left, 0);
  EXPECT_EQ(reports[8].epoch, 3u);
  EXPECT_EQ(reports[8].seconds_left, 0);
}

TEST(Train, DivergenceIsAnError) {
  TrainOptions options = small_options();
  options.cell = "rnn";
  options.nonlinearity = Nonlinearity::kRelu;
  options.learning_rate = 1e5;
  options.gradient_clip = 0;
  options.epochs = 20;
  const Dataset data = toy_data(100, Target::kClass, 13);
  const std::string text = error_of(data, data, options);
  EXPECT_THAT(text, HasSubstr("training diverged"));
  EXPECT_THAT(text, HasSubstr("lower the learning rate"));
}

TEST(Train, RefusesBadData) {
  const Dataset good = toy_data(10, Target::kClass, 14);
  const auto error_with = [&](const auto& change) {
    Dataset data = good;
    change(data);
    return error_of(data, good, small_options());
  };
  EXPECT_THAT(error_with([](Dataset& data) { data.examples.clear(); }), HasSubstr("no examples"));
  EXPECT_THAT(
      error_with([](Dataset& data) { data.examples[3].input.values[4] = std::numeric_limits<float>::quiet_NaN(); }),
      HasSubstr("'toy/3' has nan at step 1, feature 1"));
  EXPECT_THAT(error_with([](Dataset& data) { data.examples[2].input = {.steps = 0, .features = kFeatures}; }),
              HasSubstr("'toy/2' has no steps"));
  EXPECT_THAT(error_with([](Dataset& data) { data.examples[1].labels = {3}; }), HasSubstr("label 3, expected 0 to 2"));
  EXPECT_THAT(error_with([](Dataset& data) { data.examples[1].labels = {}; }), HasSubstr("has 0 labels, expected 1"));
  EXPECT_THAT(error_with([](Dataset& data) { data.examples[0].input.values.pop_back(); }), HasSubstr("values"));
  Dataset reals = good;
  reals.target = Target::kReals;
  EXPECT_THAT(error_of(reals, reals, small_options()), HasSubstr("a target has no numbers"));
  reals.outputs = 2;
  EXPECT_THAT(error_of(reals, reals, small_options()), HasSubstr("'toy/0' has 0 real targets, expected 2"));
  EXPECT_THAT(error_with([](Dataset& data) { data.classes.push_back("d"); }),
              HasSubstr("number of classes is 3, but training has 4"));
  Dataset ids = toy_ids(5, 1);
  ids.examples[4].input.ids[0] = 5;
  EXPECT_THAT(error_of(ids, ids, small_options()), HasSubstr("has id 5 at step 0, expected 0 to 4"));
}

TEST(Train, RefusesNodesByName) {
  const Dataset data = toy_data(10, Target::kClass, 16);
  TrainOptions options = small_options();
  options.epochs = 1;
  options.layers = 2;
  const Model good = train(data, data, options).model;
  const auto error_with = [&](const auto& change) -> std::string {
    Model model = good;
    change(model);
    try {
      score(model, data);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string text = error_with([](Model& m) { m.nodes[3].operation = SoftmaxAttributes{}; });
  EXPECT_THAT(text, HasSubstr("node 'scores' (softmax) cannot be trained: training has no such operation"));
  EXPECT_THAT(text, HasSubstr("of the operations lstm, gru, rnn, dense, embedding, pool"));
  EXPECT_THAT(error_with([](Model& m) { m.nodes[2].scheme = "int4"; }), HasSubstr("its scheme is int4"));
  EXPECT_THAT(error_with([](Model& m) { m.nodes[3].inputs.push_back("pool"); }),
              HasSubstr("node 'scores' (dense) cannot be trained: it reads 2 values"));
  EXPECT_THAT(error_with([](Model& m) { m.nodes[1].outputs.push_back({.shape = {8}, .has_time = false}); }),
              HasSubstr("node 'lstm1' (lstm) cannot be trained: it gives 2 values"));
  EXPECT_THAT(error_with([](Model& m) { m.nodes[2].inputs = {"lstm0"}; }),
              HasSubstr("it reads 'lstm0', not 'lstm1' right before it"));
  EXPECT_THAT(error_with([](Model& m) {
                m.inputs.push_back({"context", m.inputs[0].value});
              }),
              HasSubstr("has 2 inputs and cannot be trained"));
}

TEST(Train, RefusesBadOptions) {
  const Dataset data = toy_data(10, Target::kClass, 15);
  const auto error_with = [&](const auto& change) {
    TrainOptions options = small_options();
    change(options);
    return error_of(data, data, options);
  };
  EXPECT_THAT(error_with([](TrainOptions& o) { o.cell = "lstn"; }),
              HasSubstr("unknown cell 'lstn': the cells are lstm, gru, rnn"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.hidden = 0; }), HasSubstr("hidden is 0"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.learning_rate = std::nan(""); }), HasSubstr("learning_rate is nan"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.dropout = 1; }), HasSubstr("dropout is 1"));
  EXPECT_THAT(error_with([](TrainOptions& o) {
                o.cell = "gru";
                o.peephole = true;
              }),
              HasSubstr("peephole belongs to the lstm"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.pooling = Pooling::kFinal; }), HasSubstr("it is pooling last"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.projection_clip = 1; }), HasSubstr("there is no projection"));
  EXPECT_THAT(error_with([](TrainOptions& o) { o.resume = true; }), HasSubstr("path of the checkpoint"));
  TrainOptions noisy = small_options();
  noisy.input_noise = 0.1;
  EXPECT_THAT(error_of(toy_ids(10, 1), toy_ids(10, 1), noisy), HasSubstr("input_noise is 0.1, but the data are ids"));
}

}  // namespace
}  // namespace quaver
