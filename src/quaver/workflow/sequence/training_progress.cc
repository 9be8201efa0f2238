#include "quaver/workflow/sequence/training_progress.h"

#include "quaver/core/text.h"
#include "quaver/report/show/evaluate_report.h"
#include "quaver/report/show/table.h"

namespace quaver {

void TrainingProgress::operator()(const LoopProgress& now) {
  const std::size_t done = (now.epoch - 1) * now.batches + now.batch;
  if (!begun_) {
    listener_.begin("training", "batches", now.epochs * now.batches);
    if (done > 1) listener_.resume(done);
  }
  begun_ = true;
  std::string detail = concat("epoch ", now.epoch, "/", now.epochs, "  loss ", fixed_text(now.loss, 4));
  if (now.validation)
    detail += concat("  validation ",
                     figure_text({.metric = {}, .unit = std::string(metric_.unit), .value = now.validation->metric}),
                     metric_.unit);
  listener_.advance(done, detail);
  if (now.epoch_end) listener_.note(concat(detail, "  ", fixed_text(now.examples_per_second, 0), " sequences/s"));
}

}  // namespace quaver
