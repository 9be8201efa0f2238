// Training of memory networks: it learns, repeats its bits, resumes to them, and refuses what makes no sense.
#include "quaver/train/memory/train.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>

#include "quaver/cells/memn2n/ref.h"
#include "quaver/core/error.h"

namespace quaver {
namespace {

struct Data {
  explicit Data(std::size_t number, std::size_t questions = 300, std::size_t memory = 50)
      : tasks(load_story_tasks("stories", {.tasks = std::to_string(number), .questions = questions})),
        vocabulary(story_vocabulary(tasks)),
        train(tasks[0].train, vocabulary, memory),
        validation(tasks[0].validation, vocabulary, memory),
        test(tasks[0].test, vocabulary, memory) {}
  std::vector<StoryTask> tasks;
  Vocabulary vocabulary;
  CodedStories train, validation, test;
};

MemoryTrainOptions short_run(std::size_t epochs = 20) {
  MemoryTrainOptions options;
  options.epochs = epochs;
  options.linear_epochs = 5;
  return options;
}

TEST(MemoryTrain, LearnsOneSupportingFact) {
  const Data data(1, 1000);
  const MemoryTrainResult result = train_memory(data.train, data.validation, data.vocabulary, short_run(30));
  EXPECT_EQ(result.epochs, 35u);
  EXPECT_GT(result.best_epoch, 5u) << "an epoch of the linear start is no network";
  EXPECT_LE(score_memory(result.network, data.test).error, 5.0) << "chance is 83 %";
  EXPECT_EQ(result.network.words, data.vocabulary.words());
}

TEST(MemoryTrain, TheScoreIsThatOfTheReference) {
  const Data data(2, 100);
  const MemoryNetwork network = train_memory(data.train, data.validation, data.vocabulary, short_run(3)).network;
  const MemN2NRef reference(network.shape, network.parameters);
  std::size_t wrong = 0;
  for (const CodedStories::Question& question : data.test.questions())
    if (reference.answer({question.facts, question.words, {}}).best() != static_cast<std::size_t>(question.answer))
      ++wrong;
  EXPECT_DOUBLE_EQ(score_memory(network, data.test).error, static_cast<double>(wrong));
}

// Training judges epochs of float networks by its own pass; what it hands over is scored as it is run. On codes both
// give the same bits, so that a training does not depend on who judges it.
TEST(MemoryTrain, TheSessionScoresAsTheTrainingPassDoes) {
  const Data data(2, 200);
  const Data other(7, 100);
  for (const char* scheme : {"f32", "fixed8", "qmann8", "fixed-binary", "qmann-binary", "fixed-binary-weights", "int8",
                             "fixed8-calibrated", "binary-calibrated"}) {
    MemoryTrainOptions options = short_run(2);
    options.scheme = memory_scheme_from_name(scheme);
    options.linear_epochs = 0;
    options.memory = 10;
    const CodedStories train_data(data.tasks[0].train, data.vocabulary, options.memory),
        validation_data(data.tasks[0].validation, data.vocabulary, options.memory),
        test_data(data.tasks[0].test, data.vocabulary, options.memory);
    const MemoryTrainResult result = train_memory(train_data, validation_data, data.vocabulary, options);
    EXPECT_DOUBLE_EQ(result.validation.error, score_memory(result.network, validation_data).error) << scheme;
    EXPECT_DOUBLE_EQ(result.train.error, score_memory(result.network, train_data).error) << scheme;
    const MemoryScore session = score_memory(result.network, test_data),
                      pass = score_by_training_pass(result.network, test_data);
    EXPECT_DOUBLE_EQ(session.error, pass.error) << scheme;
    const bool on_codes = !options.scheme.is_float();
    EXPECT_NEAR(session.loss, pass.loss, on_codes ? 0 : 1e-5 * (1 + pass.loss)) << scheme;
    EXPECT_NEAR(session.probability, pass.probability, on_codes ? 0 : 1e-5) << scheme;
    EXPECT_EQ(session.questions, pass.questions);
  }
}

// Slots are part of the network and of what decides a training; without them both are as they were before.
TEST(MemoryTrain, SlotsBelongToTheNetwork) {
  const Data data(6, 100, 10);
  MemoryTrainOptions options = short_run(2);
  const auto identity = [&] { return memory_training_identity(data.train, data.validation, data.vocabulary, options); };
  const auto trained = [&] { return train_memory(data.train, data.validation, data.vocabulary, options).network; };
  const MemoryNetwork plain = trained();
  EXPECT_FALSE(identity().contains("slots"));
  options.slots = 10;
  const MemoryNetwork network = trained();
  EXPECT_EQ(identity().at("slots"), "10");
  EXPECT_EQ(network.shape.slots, 10u);
  EXPECT_NE(network.parameters, plain.parameters);
  MemoryNetwork other = network;
  other.shape.slots = 0;
  EXPECT_NE(score_memory(network, data.test).loss, score_memory(other, data.test).loss);
}

TEST(MemoryTrain, TheSeedDecides) {
  const Data data(1, 100);
  const auto parameters = [&](std::uint64_t seed) {
    MemoryTrainOptions options = short_run(2);
    options.seed = seed;
    return train_memory(data.train, data.validation, data.vocabulary, options).network.parameters;
  };
  EXPECT_EQ(parameters(1), parameters(1));
  EXPECT_NE(parameters(1), parameters(2));
}

TEST(MemoryTrain, EveryRecipeTrains) {
  const Data data(6, 100, 10);
  std::vector<MemoryTrainOptions> recipes{memn2n_recipe(false), memn2n_recipe(true), qmann_recipe()};
  MemoryTrainOptions other = memn2n_recipe(false);
  other.order = SampleOrder::kShuffled;
  other.keep = KeptWeights::kEarlyStopped;
  other.temporal = false;
  other.memory = 10;
  recipes.push_back(other);
  for (MemoryTrainOptions options : recipes) {
    options.epochs = 2;
    options.linear_epochs = std::min<std::size_t>(options.linear_epochs, 1);
    const MemoryTrainResult result = train_memory(data.train, data.validation, data.vocabulary, options);
    EXPECT_EQ(result.epochs, options.epochs + options.linear_epochs);
    EXPECT_EQ(result.validation.questions, 10u);
    validate(result.network);
  }
}

TEST(MemoryTrain, AResumedRunHasTheBitsOfAWholeOne) {
  const Data data(1, 200);
  const std::filesystem::path checkpoint = std::filesystem::path(testing::TempDir()) / "memory.checkpoint";
  std::filesystem::remove(checkpoint);
  const MemoryTrainResult whole = train_memory(data.train, data.validation, data.vocabulary, short_run(6));

  MemoryTrainOptions options = short_run(6);
  options.checkpoint = checkpoint;
  std::size_t batches = 0;
  options.should_stop = [&] { return ++batches > 50; };  // in the middle of an epoch of 6 batches
  const MemoryTrainResult stopped = train_memory(data.train, data.validation, data.vocabulary, options);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_LT(stopped.epochs, whole.epochs);
  options.should_stop = {};
  options.resume = true;
  const MemoryTrainResult resumed = train_memory(data.train, data.validation, data.vocabulary, options);
  EXPECT_EQ(resumed.network, whole.network);
  EXPECT_EQ(resumed.best_epoch, whole.best_epoch);
  EXPECT_EQ(resumed.epochs, whole.epochs);

  options.seed = 7;
  try {
    train_memory(data.train, data.validation, data.vocabulary, options);
    FAIL() << "another seed is another training";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("seed was 1 and is now 7"), std::string::npos) << error.what();
  }
  std::filesystem::remove(checkpoint);
}

TEST(MemoryTrain, RepeatsKeepTheLowestValidationError) {
  const Data data(2, 200);
  MemoryTrainOptions options = short_run(4);
  double lowest = 100;
  for (options.seed = 5; options.seed < 8; ++options.seed)
    lowest = std::min(lowest, train_memory(data.train, data.validation, data.vocabulary, options).validation.error);
  options.seed = 5;
  options.repeats = 3;
  const MemoryTrainResult best = train_memory(data.train, data.validation, data.vocabulary, options);
  EXPECT_DOUBLE_EQ(best.validation.error, lowest);
  options.repeats = 1;
  options.seed = best.seed;
  EXPECT_EQ(train_memory(data.train, data.validation, data.vocabulary, options).network, best.network);
  options.checkpoint = "name";
  options.repeats = 2;
  EXPECT_EQ(memory_checkpoints(options), (std::vector<std::filesystem::path>{"name", "name.2"}));
}

MemoryTrainOptions fine_tuning(const std::string& scheme, const MemoryNetwork& start) {
  MemoryTrainOptions options = fine_tune_recipe(memory_scheme_from_name(scheme), false);
  options.epochs = 4;
  options.slots = start.shape.slots;
  options.warm_start = &start;
  return options;
}

TEST(MemoryTrain, ScaledSchemesGoOnFromTheFloatNetwork) {
  const Data data(1, 1000);
  const MemoryNetwork start = train_memory(data.train, data.validation, data.vocabulary, short_run(30)).network;
  const double before = score_memory(start, data.test).error;
  for (const std::string scheme : {"int8", "fixed8-calibrated", "binary-calibrated"}) {
    MemoryTrainOptions options = fine_tuning(scheme, start);
    if (scheme == "binary-calibrated") options.epochs = 12;
    const MemoryTrainResult result = train_memory(data.train, data.validation, data.vocabulary, options);
    validate(result.network);
    EXPECT_LE(score_memory(result.network, data.test).error, before + 3) << scheme;
    EXPECT_DOUBLE_EQ(score_memory(result.network, data.validation).error, result.validation.error);
  }
}

TEST(MemoryTrain, AResumedFineTuningHasTheBitsOfAWholeOne) {
  const Data data(1, 200);
  const std::filesystem::path checkpoint = std::filesystem::path(testing::TempDir()) / "scaled.checkpoint";
  std::filesystem::remove(checkpoint);
  const MemoryNetwork start = train_memory(data.train, data.validation, data.vocabulary, short_run(3)).network;
  MemoryTrainOptions options = fine_tuning("binary-weights-calibrated", start);
  const MemoryTrainResult whole = train_memory(data.train, data.validation, data.vocabulary, options);
  options.checkpoint = checkpoint;
  std::size_t batches = 0;
  options.should_stop = [&] { return ++batches > 15; };  // in the middle of an epoch of 6 batches
  EXPECT_TRUE(train_memory(data.train, data.validation, data.vocabulary, options).interrupted);
  options.should_stop = {};
  options.resume = true;
  EXPECT_EQ(train_memory(data.train, data.validation, data.vocabulary, options).network, whole.network);
  std::filesystem::remove(checkpoint);
}

TEST(MemoryTrain, WarmStartsThatDoNotFitAreRefused) {
  const Data data(1, 20);
  const MemoryNetwork start = train_memory(data.train, data.validation, data.vocabulary, short_run(1)).network;
  const auto refused = [&](const std::function<void(MemoryNetwork&, MemoryTrainOptions&)>& change) {
    MemoryNetwork changed = start;
    MemoryTrainOptions options = fine_tuning("int8", changed);
    change(changed, options);
    EXPECT_THROW(train_memory(data.train, data.validation, data.vocabulary, options), Error);
  };
  refused([](MemoryNetwork&, MemoryTrainOptions& options) { options.d = 7; });
  refused([](MemoryNetwork&, MemoryTrainOptions& options) { options.slots = 10; });
  refused([](MemoryNetwork&, MemoryTrainOptions& options) { options.linear_epochs = 1; });
  refused([](MemoryNetwork& network, MemoryTrainOptions&) { network.words[1] = "other"; });
  refused([](MemoryNetwork& network, MemoryTrainOptions&) { network.scheme = memory_scheme_from_name("fixed8"); });
}

// One training that goes on after its early stop keeps what two trainings keep. Rates so high that some collapse and
// stop: six validation questions make that likely.
TEST(MemoryTrain, OneTrainingGivesFinalAndEarlyStopped) {
  const Data data(6, 60);
  std::size_t stopped = 0;
  for (const double rate : {0.05, 0.3}) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      MemoryTrainOptions options = qmann_recipe(memory_scheme_from_name("fixed8"));
      options.epochs = 25;
      options.learning_rate = rate;
      options.seed = seed;
      const auto trained = [&] { return train_memory(data.train, data.validation, data.vocabulary, options); };
      const MemoryTrainResult final_one = trained();
      options.keep = KeptWeights::kEarlyStopped;
      const MemoryTrainResult early_one = trained();
      options.train_on = true;
      const MemoryTrainResult both = trained();
      EXPECT_EQ(both.epochs, 25u);
      EXPECT_EQ(both.final_parameters, final_one.network.parameters);
      EXPECT_EQ(both.network, early_one.network);
      EXPECT_EQ(both.best_epoch, early_one.best_epoch);
      if (early_one.epochs < 25) ++stopped;
    }
  }
  EXPECT_GT(stopped, 0u) << "no training stopped early: the test says nothing";
}

TEST(MemoryTrain, OptionsWithoutSenseAreRefused) {
  const Data data(1, 20);
  const auto refused = [&](const std::function<void(MemoryTrainOptions&)>& change) {
    MemoryTrainOptions options = short_run(1);
    change(options);
    EXPECT_THROW(train_memory(data.train, data.validation, data.vocabulary, options), Error);
  };
  refused([](MemoryTrainOptions& options) { options.epochs = 0; });
  refused([](MemoryTrainOptions& options) { options.batch = 0; });
  refused([](MemoryTrainOptions& options) { options.repeats = 0; });
  refused([](MemoryTrainOptions& options) { options.hops = 0; });
  refused([](MemoryTrainOptions& options) { options.hops = 7; });
  refused([](MemoryTrainOptions& options) { options.learning_rate = -1; });
  refused([](MemoryTrainOptions& options) { options.noise = -0.1; });
  refused([](MemoryTrainOptions& options) { options.deviation = 0; });
  refused([](MemoryTrainOptions& options) { options.learning_rate = 1e30; });
  refused([](MemoryTrainOptions& options) { options.train_on = true; });
}

TEST(MemoryTrain, NetworksThatDoNotFitAreRefused) {
  const Data data(1, 20);
  MemoryNetwork network = train_memory(data.train, data.validation, data.vocabulary, short_run(1)).network;
  const auto refused = [&](const std::function<void(MemoryNetwork&)>& change) {
    MemoryNetwork changed = network;
    change(changed);
    EXPECT_THROW(validate(changed), Error);
  };
  validate(network);
  refused([](MemoryNetwork& changed) { changed.words.pop_back(); });
  refused([](MemoryNetwork& changed) { changed.parameters.pop_back(); });
  refused([](MemoryNetwork& changed) { changed.parameters[3] = std::numeric_limits<float>::infinity(); });
  refused([](MemoryNetwork& changed) { changed.shape.hops = 9; });
}

}  // namespace
}  // namespace quaver
