#include "quaver/workflow/sequence/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace quaver {
namespace {

struct Recipe {
  std::string_view name;
  void (*apply)(TrainOptions&);
};

// Faster and noisier copies of few speakers are what helps; the mean over time hears a word wherever it is.
void speech(TrainOptions& options) {
  options.cell = GruAttributes::kName;
  options.pooling = Pooling::kMean;
  options.input_noise = 0.5;
  options.time_stretch = 0.3;
  options.dropout = 0.5;
  options.label_smoothing = 0.1;
}

// Of the built-in tasks; their results are in docs/results.
constexpr std::array kTasks{
    Recipe{"chirps", [](TrainOptions&) {}},
    Recipe{"chirps_tags", [](TrainOptions&) {}},
    Recipe{"digits",
           [](TrainOptions& options) {
             options.input_noise = 0.2;
             options.level_shift = 0.3;
             options.time_stretch = 0.15;
             options.dropout = 0.3;
           }},
    Recipe{"har",
           [](TrainOptions& options) {
             options.hidden = 64;
             options.epochs = 12;
             options.input_noise = 0.2;
             options.dropout = 0.3;
           }},
};

constexpr std::array kKinds{Recipe{"wav", speech}};

// Small data in small batches: what counts is the number of updates. Large data has enough of them in few epochs.
void by_size(const Dataset& data, TrainOptions& options) {
  constexpr double kUpdates = 2000;  // at least, where the epochs' limit allows
  const std::size_t examples = data.size();
  options.batch = examples < 2'000 ? 16 : examples < 20'000 ? 32 : 64;
  const double batches = std::max(1.0, std::ceil(static_cast<double>(examples) / static_cast<double>(options.batch)));
  options.epochs = static_cast<std::size_t>(std::clamp(std::ceil(kUpdates / batches), 15.0, 100.0));
  options.patience = std::max<std::size_t>(10, options.epochs / 3);
}

// What the target and the input ask for.
void by_target(const Dataset& data, TrainOptions& options) {
  if (data.target == Target::kClass) options.pooling = Pooling::kMean;
  options.dropout = 0.3;
  if (is_real(data.target)) {
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
    task->apply(options);
    return options;
  }
  by_size(train_data, options);
  by_target(train_data, options);
  if (const auto kind = std::ranges::find(kKinds, name, &Recipe::name); kind != kKinds.end()) kind->apply(options);
  return options;
}

}  // namespace quaver
