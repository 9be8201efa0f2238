// The loop on a trainee of two numbers: what it keeps, when it stops, that it resumes to the same bits wherever it was
// stopped.
#include "quaver/train/common/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

// Values go to (1, -2); batches are noisy, drawn from the epoch and the batch.
class Toy : public Trainee {
 public:
  explicit Toy(bool within_epoch = true) : within_epoch_(within_epoch) {}

  const std::map<std::string, std::string>& identity() const override { return identity_; }
  std::span<float> values() override { return values_; }
  std::span<float> gradients() override { return gradients_; }
  std::size_t batches() const override { return 4; }
  std::size_t examples() const override { return 8; }
  bool resumes_within_epoch() const override { return within_epoch_; }
  void begin_epoch(std::size_t epoch) override { epoch_ = epoch; }
  Learnt learn(std::size_t batch) override {
    Random random = Random(1).fork(epoch_).fork(batch);
    double loss = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      gradients_[i] = values_[i] - kGoal[i] + static_cast<float>(0.1 * random.normal());
      loss += double{gradients_[i]} * gradients_[i];
    }
    return {loss_of ? loss_of(epoch_) : loss, 2};
  }
  Score score(std::size_t epoch) override {
    const double loss = std::hypot(values_[0] - kGoal[0], values_[1] - kGoal[1]);
    return {score_of ? score_of(epoch) : -loss, loss};
  }
  bool is_better(const Score& candidate, const Score& best) const override { return candidate.metric > best.metric; }
  bool may_keep(std::size_t epoch) const override { return epoch >= first_kept; }
  bool stops_early(std::size_t epochs, std::size_t best_epoch, const Score&, const Score&) const override {
    return patience > 0 && epochs - best_epoch >= patience;
  }

  std::function<double(std::size_t)> loss_of, score_of;
  std::size_t first_kept = 0, patience = 0;

 private:
  static constexpr float kGoal[2] = {1, -2};
  std::map<std::string, std::string> identity_{{"toy", "1"}};
  std::vector<float> values_{0, 0}, gradients_{0, 0};
  std::size_t epoch_ = 0;
  bool within_epoch_;
};

class Descent : public Optimiser {
 public:
  void step(std::span<float> values, std::span<float> gradients, std::uint64_t step) override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      moment_[i] = 0.5f * moment_[i] + gradients[i];
      values[i] -= 0.1f / static_cast<float>(1 + step / 8) * moment_[i];
    }
  }
  std::vector<float>* first_moment() override { return &moment_; }
  std::vector<float>* second_moment() override { return &moment_; }
  std::string advice() const override { return "lower the learning rate"; }

 private:
  std::vector<float> moment_{0, 0};
};

LoopResult loop(Toy& toy, const LoopOptions& options) {
  Descent descent;
  return run_loop(toy, descent, options);
}

TEST(Loop, LearnsAndKeepsTheBestEpoch) {
  Toy toy;
  toy.score_of = [](std::size_t epoch) { return epoch == 5 ? 9.0 : static_cast<double>(epoch); };
  const LoopResult result = loop(toy, {.epochs = 8, .average = 1});
  EXPECT_EQ(result.best_epoch, 6u);
  EXPECT_EQ(result.epochs, 8u);
  EXPECT_EQ(result.best.metric, 9);
  ASSERT_EQ(result.curve.size(), 8u);
  EXPECT_LT(result.curve[7].loss, 0.2f * result.curve[0].loss);
  EXPECT_NEAR(result.kept[0], 1, 0.3);
  EXPECT_NEAR(result.kept[1], -2, 0.3);
}

TEST(Loop, WhereNothingMayBeKeptTheLastValuesAre) {
  Toy toy;
  toy.first_kept = 100;
  const LoopResult result = loop(toy, {.epochs = 3});
  EXPECT_EQ(result.best_epoch, 0u);
  EXPECT_EQ(result.kept, std::vector<float>(toy.values().begin(), toy.values().end()));
}

TEST(Loop, StopsEarlyOrStaysWithWhatItKept) {
  for (const bool stay : {false, true}) {
    Toy toy;
    toy.patience = 2;
    toy.score_of = [](std::size_t epoch) { return epoch == 1 || epoch == 6 ? static_cast<double>(epoch) : 0.0; };
    const LoopResult result = loop(toy, {.epochs = 9, .stay_after_stop = stay});
    EXPECT_EQ(result.epochs, stay ? 9u : 4u);
    EXPECT_EQ(result.best_epoch, 2u) << "epoch 7 came after the stop";
  }
}

// Stopped before every batch in turn, and going on from the file: the same bits as a run that was not stopped.
TEST(Loop, ResumesToTheSameBitsFromAnyBatch) {
  const fs::path path = fs::path(testing::TempDir()) / concat("quaver_loop_", ::getpid());
  for (const bool within : {true, false}) {
    for (const double average : {0.0, 1.0}) {
      Toy whole(within);
      const LoopResult expected = loop(whole, {.epochs = 5, .average = average});
      for (std::size_t stop = 1; stop <= 20; ++stop) {
        std::size_t asked = 0;
        Toy first(within);
        const LoopResult stopped =
            loop(first,
                 {.epochs = 5, .average = average, .checkpoint = path, .should_stop = [&] { return ++asked == stop; }});
        EXPECT_TRUE(stopped.interrupted);
        EXPECT_EQ(stopped.epochs, (stop - 1) / 4);
        Toy second(within);
        const LoopResult resumed = loop(second, {.epochs = 5, .average = average, .checkpoint = path, .resume = true});
        EXPECT_EQ(resumed.kept, expected.kept) << stop;
        EXPECT_EQ(resumed.best_epoch, expected.best_epoch) << stop;
        ASSERT_EQ(resumed.curve.size(), expected.curve.size());
        for (std::size_t i = 0; i < resumed.curve.size(); ++i) {
          EXPECT_EQ(resumed.curve[i].loss, expected.curve[i].loss) << stop;
          EXPECT_EQ(resumed.curve[i].metric, expected.curve[i].metric) << stop;
        }
        EXPECT_TRUE(std::ranges::equal(second.values(), whole.values())) << stop;
      }
    }
  }
  fs::remove(path);
}

TEST(Loop, ReportsEveryBatch) {
  Toy toy;
  std::vector<LoopProgress> reports;
  loop(toy, {.epochs = 2, .on_progress = [&](const LoopProgress& progress) { reports.push_back(progress); }});
  ASSERT_EQ(reports.size(), 8u);
  EXPECT_FALSE(reports[2].validation.has_value());
  EXPECT_EQ(reports[2].batch, 3u);
  EXPECT_TRUE(reports[3].epoch_end);
  EXPECT_TRUE(reports[4].validation.has_value());
  EXPECT_GT(reports[4].seconds_left, 0);
  EXPECT_EQ(reports[7].seconds_left, 0);
}

TEST(Loop, DivergenceIsAnErrorWithAdvice) {
  Toy toy;
  toy.loss_of = [](std::size_t epoch) { return epoch == 1 ? std::numeric_limits<double>::quiet_NaN() : 1.0; };
  try {
    loop(toy, {.epochs = 3});
    FAIL() << "a loss that is no number went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailed);
    EXPECT_STREQ(error.what(), "training diverged: the loss is nan in epoch 2, batch 1 of 4; lower the learning rate");
  }
}

}  // namespace
}  // namespace quaver
