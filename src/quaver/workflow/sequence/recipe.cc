#include "quaver/workflow/sequence/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace quaver {
namespace {

struct Recipe {
  std::string_view name;
  void (*apply)(const Dataset& train_data, TrainOptions&);
};

// Faster and noisier copies of few speakers are what helps; the mean over time hears a word wherever it is.
void speech(const Dataset&, TrainOptions& options) {
  options.cell = GruAttributes::kName;
  options.pooling = Pooling::kMean;
  options.input_noise = 0.5;
  options.time_stretch = 0.3;
  options.dropout = 0.5;
  options.label_smoothing = 0.1;
}

// Mean square of the targets of a thousand examples, spread over the data: of distances, what persistence gets wrong.
double mean_square_target(const Dataset& data) {
  const std::size_t stride = std::max<std::size_t>(1, data.size() / 1000);
  double sum = 0;
  std::size_t count = 0;
  Example room;
  for (std::size_t i = 0; i < data.size(); i += stride)
    for (const float target : data.example(i, room).targets) {
      sum += double{target} * target;
      ++count;
    }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

// The future is like the past only roughly. Where a series stays near its last row little of what it does can be told,
// and a small network is to be held down (ett, a mean square of 0.11); what goes up and down each day can be learned
// (ett_all, 0.75).
void forecast(const Dataset& data, TrainOptions& options) {
  options.cell = GruAttributes::kName;  // labels or not: flags are checked against the cell before data is read
  if (!is_real(data.target)) return;
  options.epochs = 10;
  options.dropout = 0.3;
  options.input_noise = 0.3;
  const bool stays = mean_square_target(data) < 0.3;
  options.hidden = stays ? 64 : 128;
  options.weight_decay = stays ? 10 : 0.1;
}

// Few short sequences, each there as a whole.
void short_sequences(const Dataset&, TrainOptions& options) {
  options.direction = Direction::kBidirectional;
  options.hidden = 100;
  options.input_noise = 0.3;
}

// Beats stand at the same step of each sequence, and how early one came is told by where the one before stands: the
// last state has both, of which the mean over time loses the order.
void heart_beats(const Dataset&, TrainOptions& options) {
  options.cell = GruAttributes::kName;
  options.pooling = Pooling::kLast;
  options.hidden = 64;
  options.epochs = 40;
}

// A language has more to learn than the default size can hold in so few epochs.
void running_text(const Dataset&, TrainOptions& options) {
  options.cell = GruAttributes::kName;
  options.hidden = 256;
  options.embedding = 48;
  options.learning_rate = 5e-3;
  options.dropout = 0.2;
}

// Whole recipes of tasks; their results are in docs/results.
constexpr std::array kTasks{
    Recipe{"chirps", [](const Dataset&, TrainOptions&) {}},
    Recipe{"chirps_tags", [](const Dataset&, TrainOptions&) {}},
    Recipe{"digits",
           [](const Dataset&, TrainOptions& options) {
             options.input_noise = 0.2;
             options.level_shift = 0.3;
             options.time_stretch = 0.15;
             options.dropout = 0.3;
           }},
    Recipe{"har",
           [](const Dataset&, TrainOptions& options) {
             options.hidden = 64;
             options.epochs = 12;
             options.input_noise = 0.2;
             options.dropout = 0.3;
           }},
};

// What kinds of data and tasks change of the defaults that follow from size and target.
constexpr std::array kChanges{
    Recipe{"ecg", heart_beats},
    Recipe{"wav", speech},
    Recipe{"csv", forecast},
    Recipe{"ett", forecast},
    Recipe{"ett_all", forecast},
    Recipe{"ts", short_sequences},
    Recipe{"japanese_vowels", short_sequences},
    Recipe{"lm", running_text},
    Recipe{"shakespeare", running_text},
};

// Small data in small batches: what counts is the number of updates. Large data has enough of them in few epochs.
void by_size(const Dataset& data, TrainOptions& options) {
  const bool many_truths = data.target == Target::kLabels;  // of a sequence: one for each label and step
  const double updates = many_truths ? 3500 : 2000;         // at least, where the epochs' limit allows
  const std::size_t examples = data.size();
  options.batch = many_truths ? 8 : examples < 2'000 ? 16 : examples < 20'000 ? 32 : 64;
  const double batches = std::max(1.0, std::ceil(static_cast<double>(examples) / static_cast<double>(options.batch)));
  options.epochs = static_cast<std::size_t>(std::clamp(std::ceil(updates / batches), 15.0, 100.0));
  options.patience = std::max<std::size_t>(10, options.epochs / 3);
}

// What the target and the input ask for.
void by_target(const Dataset& data, TrainOptions& options) {
  if (data.target == Target::kClass) options.pooling = Pooling::kMean;
  options.dropout = 0.3;
  if (data.target == Target::kLabels) {
    options.hidden = 200;
    options.learning_rate = 1e-2;
    options.weight_decay = 0.03;
    options.dropout = 0.5;
  } else if (is_real(data.target)) {
    options.dropout = 0.1;
    options.hidden = 64;
    options.learning_rate = 1e-3;
  } else if (data.features > 0) {
    options.input_noise = 0.1;
  }
  if (data.metric == "macro_f1") options.class_balance = 0.5;
}

}  // namespace

TrainOptions recommended_options(const std::string& name, const Dataset& train_data) {
  TrainOptions options;
  if (const auto task = std::ranges::find(kTasks, name, &Recipe::name); task != kTasks.end()) {
    task->apply(train_data, options);
    return options;
  }
  by_size(train_data, options);
  by_target(train_data, options);
  if (const auto change = std::ranges::find(kChanges, name, &Recipe::name); change != kChanges.end())
    change->apply(train_data, options);
  return options;
}

}  // namespace quaver
