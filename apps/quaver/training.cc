#include "training.h"

#include <fmt/format.h>

#include <memory>

#include "quaver/core/error.h"
#include "quaver/report/progress.h"

namespace quaver {

TrainOptions default_train_options(const std::string&) { return {}; }

#ifdef QUAVER_HAVE_TORCH

void require_training() {}

TrainResult train_showing_progress(const Dataset& train_data, const Dataset& validation_data, TrainOptions options) {
  std::unique_ptr<Progress> bar;
  options.on_progress = [&](const TrainProgress& now) {
    const std::size_t done = (now.epoch - 1) * now.batches + now.batch;
    if (!bar) {
      bar = std::make_unique<Progress>("training", "batches", now.epochs * now.batches);
      if (done > 1) bar->resume_at(done);
    }
    std::string note = fmt::format("epoch {}/{}  loss {:.4f}", now.epoch, now.epochs, now.loss);
    if (now.validation_metric) note += fmt::format("  validation {:.2f} %", *now.validation_metric);
    bar->update(done, note);
    if (now.epoch_end) bar->say(fmt::format("{}  {:.0f} sequences/s", note, now.sequences_per_second));
  };
  return train(train_data, validation_data, options);
}

#else

void require_training() {
  throw_failed(
      "this program was built without libtorch, which training needs: install libtorch-dev and libopenblas0-pthread "
      "(make setup), then build again with -DQUAVER_WITH_TORCH=ON");
}

TrainResult train_showing_progress(const Dataset&, const Dataset&, TrainOptions) {
  require_training();
  return {};
}

#endif

}  // namespace quaver
