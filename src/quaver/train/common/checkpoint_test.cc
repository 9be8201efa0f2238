// Checkpoints: what was saved comes back; damage, and numbers that no training has, are refused with a reason.
#include "quaver/train/common/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;
using Texts = std::map<std::string, std::string>;

constexpr CheckpointLimits kLimits{.parameters = 3, .epochs = 4, .batches = 5, .sequences = 20};
constexpr CheckpointLimits kWholeEpochs{.parameters = 3, .average = false, .moments = false, .epochs = 4, .batches = 5};

Checkpoint sample() {
  return {.values = {1, 2, 3},
          .average = {0, 0.5f, -1},
          .best_values = {1, 1, 1},
          .first_moment = {0.1f, 0, 0},
          .second_moment = {0, 0, 1e-6f},
          .curve = {1, 50, 2, 0.5f, 75, 0.25f},
          .steps = 12,
          .epoch = 2,
          .batch = 2,
          .epoch_loss = 3.5,
          .epoch_sequences = 8,
          .best_epoch = 1,
          .best = {75, 0.25},
          .last = {50, 0.75}};
}

class CheckpointTest : public testing::Test {
 protected:
  ~CheckpointTest() override { fs::remove(path_); }

  void save(const Checkpoint& checkpoint) const { save_checkpoint(checkpoint, identity_, path_); }
  Checkpoint load(const CheckpointLimits& limits = kLimits) const { return load_checkpoint(path_, identity_, limits); }
  std::string text() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  std::string refusal(const CheckpointLimits& limits = kLimits) const {
    try {
      load(limits);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
      return error.what();
    }
    return "taken";
  }
  // The refusal of a checkpoint whose checksum is right.
  void expect_refused(const std::function<void(Checkpoint&)>& change, const std::string& reason,
                      const CheckpointLimits& limits = kLimits) const {
    Checkpoint changed = sample();
    change(changed);
    save(changed);
    const std::string text = refusal(limits);
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_NE(text.find(path_.string()), std::string::npos) << text;
    EXPECT_NE(text.find("without --resume"), std::string::npos) << text;
  }

  const fs::path path_ = fs::path(testing::TempDir()) / concat("quaver_checkpoint_", ::getpid());
  const Texts identity_{{"seed", "1"}, {"train_data", "abc"}};
};

TEST_F(CheckpointTest, ComesBackAsItWasSaved) {
  save(sample());
  const Checkpoint loaded = load(), saved = sample();
  EXPECT_EQ(loaded.values, saved.values);
  EXPECT_EQ(loaded.average, saved.average);
  EXPECT_EQ(loaded.best_values, saved.best_values);
  EXPECT_EQ(loaded.first_moment, saved.first_moment);
  EXPECT_EQ(loaded.second_moment, saved.second_moment);
  EXPECT_EQ(loaded.steps, saved.steps);
  EXPECT_EQ(loaded.epoch, saved.epoch);
  EXPECT_EQ(loaded.batch, saved.batch);
  EXPECT_EQ(loaded.epoch_loss, saved.epoch_loss);
  EXPECT_EQ(loaded.epoch_sequences, saved.epoch_sequences);
  EXPECT_EQ(loaded.best_epoch, saved.best_epoch);
  EXPECT_EQ(loaded.curve, saved.curve);
  EXPECT_EQ(loaded.best.metric, saved.best.metric);
  EXPECT_EQ(loaded.best.loss, saved.best.loss);
  EXPECT_EQ(loaded.last.metric, saved.last.metric);
  EXPECT_EQ(loaded.last.loss, saved.last.loss);
}

// Every bit: an error, or the same file to the byte once it is saved again (blanks of the header).
TEST_F(CheckpointTest, AFlippedBitIsFoundOrChangesNothing) {
  save(sample());
  const std::string good = text();
  std::size_t found = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    write(bad);
    try {
      save(load());
      EXPECT_EQ(text(), good) << "byte " << at;
    } catch (const Error&) {
      ++found;
    }
  }
  EXPECT_GT(found, good.size() - 16);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write(good.substr(0, size));
    EXPECT_NE(refusal(), "taken") << "cut at " << size;
  }
}

TEST_F(CheckpointTest, NumbersThatNoTrainingHasAreRefused) {
  constexpr std::size_t kLargest = std::numeric_limits<std::size_t>::max();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  expect_refused([](Checkpoint& c) { c.epoch = kLargest; }, "'epoch' is 18446744073709551615, expected 0 to 4");
  expect_refused([](Checkpoint& c) { c.epoch = 5; }, "'epoch' is 5");
  expect_refused([](Checkpoint& c) { c.batch = 5; }, "'batch' is 5, expected 0 to 4");
  expect_refused([](Checkpoint& c) { c.epoch = 4; }, "'batch' is 2, expected 0");
  expect_refused([](Checkpoint& c) { c.steps = 11; }, "'steps' is 11, expected 12");
  expect_refused([](Checkpoint& c) { c.steps = kLargest; }, "'steps'");
  expect_refused([](Checkpoint& c) { c.epoch_sequences = kLargest; }, "'epoch_sequences'");
  expect_refused([](Checkpoint& c) { c.epoch_sequences = 1; }, "'epoch_sequences' is 1, expected 2 to 20");
  expect_refused([=](Checkpoint& c) { c.epoch_loss = kNan; }, "'epoch_loss' is nan");
  expect_refused([](Checkpoint& c) { c.best_epoch = 3; }, "'best_epoch' is 3, expected 0 to 2");
  for (const double wrong : {kNan, kInfinity, -kInfinity}) {
    expect_refused([=](Checkpoint& c) { c.best.metric = wrong; }, "'best_metric'");
    expect_refused([=](Checkpoint& c) { c.last.metric = wrong; }, "'last_metric'");
    expect_refused([=](Checkpoint& c) { c.best.loss = wrong; }, "'best_loss'");
    expect_refused([=](Checkpoint& c) { c.last.loss = wrong; }, "'last_loss'");
  }
  expect_refused([](Checkpoint& c) { c.curve.pop_back(); }, "'curve' has 5 elements, expected 6, three an epoch");
  for (std::vector<float> Checkpoint::*values : {&Checkpoint::values, &Checkpoint::average, &Checkpoint::best_values,
                                                 &Checkpoint::first_moment, &Checkpoint::second_moment}) {
    expect_refused([=](Checkpoint& c) { (c.*values)[1] = std::numeric_limits<float>::quiet_NaN(); }, "has nan at 1");
    expect_refused([=](Checkpoint& c) { (c.*values).push_back(0); }, "has 4 elements, expected 3");
  }
}

// Memory networks save between epochs alone, and have no moments.
TEST_F(CheckpointTest, BetweenEpochsThereIsNoBatch) {
  const auto between = [](Checkpoint& c) {
    c.average = c.first_moment = c.second_moment = {};
    c.batch = c.epoch_sequences = 0;
    c.epoch_loss = 0;
    c.steps = 10;
  };
  Checkpoint whole = sample();
  between(whole);
  save(whole);
  EXPECT_EQ(load(kWholeEpochs).epoch, 2u);
  const auto refused = [&](const std::function<void(Checkpoint&)>& change, const std::string& reason) {
    expect_refused(
        [&](Checkpoint& c) {
          between(c);
          change(c);
        },
        reason, kWholeEpochs);
  };
  refused([](Checkpoint& c) { c.batch = 1; }, "'batch' is 1, expected 0");
  refused([](Checkpoint& c) { c.epoch_sequences = 1; }, "'epoch_sequences' is 1, expected 0");
  refused([](Checkpoint& c) { c.epoch_loss = 1; }, "'epoch_loss' is 1, expected 0");
  refused([](Checkpoint& c) { c.average = {1, 2, 3}; }, "'average' has 3 elements, expected 0");
}

TEST_F(CheckpointTest, OtherVersionsAreNamed) {
  save(sample());
  std::string old = text();
  const std::string mark = "\"version\":\"3\"";
  const std::size_t at = old.find(mark);
  ASSERT_NE(at, std::string::npos);
  old[at + mark.size() - 2] = '1';
  write(old);
  EXPECT_NE(refusal().find("version '1', made by another version of quaver"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace quaver
