#include "training.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <memory>
#include <string_view>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/report/show/progress.h"

namespace quaver {
namespace {

#ifdef QUAVER_HAVE_TORCH
constexpr bool kBuiltWithTraining = true;
#else
constexpr bool kBuiltWithTraining = false;
#endif

constexpr const char* kHowToGetIt =
    "'make build' installs libtorch-dev and libopenblas0-pthread and builds the program with them";

// Stays loaded to the end of the program: what it made may point into it.
const TrainingModule& load_module() {
  void* library = dlopen(kTrainingModuleName, RTLD_NOW | RTLD_LOCAL);
  const void* symbol = library == nullptr ? nullptr : dlsym(library, kTrainingModuleSymbol);
  if (symbol == nullptr)
    throw_failed(concat("training needs libtorch, which could not be loaded: ", dlerror(), "; ", kHowToGetIt));
  const auto& module = *static_cast<const TrainingModule*>(symbol);
  if (std::string_view(module.version) != QUAVER_VERSION)
    throw_failed(concat(kTrainingModuleName, " is of quaver ", module.version,
                        ", this program is quaver " QUAVER_VERSION, "; install both from one build"));
  return module;
}

}  // namespace

// Chosen on the validation split. Speech: louder, faster and noisier copies of few speakers are what helps.
TrainOptions default_train_options(const std::string& task) {
  TrainOptions options;
  if (task == "digits") {
    options.input_noise = 0.2;
    options.level_shift = 0.3;
    options.time_stretch = 0.15;
    options.dropout = 0.3;
  } else if (task == "har") {
    options.hidden = 64;
    options.epochs = 12;
    options.input_noise = 0.2;
    options.dropout = 0.3;
  }
  return options;
}

const TrainingModule& require_training() {
  if (!kBuiltWithTraining)
    throw_failed(concat("this program was built without libtorch, which training needs; ", kHowToGetIt));
  static const TrainingModule& module = load_module();
  return module;
}

TrainResult train_showing_progress(const Dataset& train_data, const Dataset& validation_data, TrainOptions options) {
  const TrainingModule& module = require_training();
  std::unique_ptr<Progress> bar;
  options.on_progress = [&](const LoopProgress& now) {
    const std::size_t done = (now.epoch - 1) * now.batches + now.batch;
    if (!bar) {
      bar = std::make_unique<Progress>("training", "batches", now.epochs * now.batches);
      if (done > 1) bar->resume_at(done);
    }
    std::string note = fmt::format("epoch {}/{}  loss {:.4f}", now.epoch, now.epochs, now.loss);
    if (now.validation) note += fmt::format("  validation {:.4g}", now.validation->metric);
    bar->update(done, note);
    if (now.epoch_end) bar->say(fmt::format("{}  {:.0f} sequences/s", note, now.examples_per_second));
  };
  return module.train(train_data, validation_data, options);
}

}  // namespace quaver
