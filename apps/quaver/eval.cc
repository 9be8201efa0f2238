// quaver eval MODEL TASK: how good the model is.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "quaver/core/text.h"
#include "quaver/metrics/metric.h"
#include "quaver/workflow/evaluate.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct EvalFlags {
  SharedFlags shared;
  EvaluateRequest request;
};

}  // namespace

void add_eval(CLI::App& program) {
  auto flags = std::make_shared<EvalFlags>();
  EvaluateRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("eval", "Measure a model on a task's data");
  verb->add_option("model", request.model, "Model file")->required();
  verb->add_option("task", request.task, concat("Task: ", task_names_text(), "; or KIND:PATH"))->required();
  verb->add_option("--split", request.split, "train, validation or test")->capture_default_str();
  verb->add_option("--metric", request.metric,
                   concat("What judges: ", join(metric_names(), ", "), "; else the data's own"))
      ->check(one_of(metric_names()));
  verb->add_flag("--controls", request.controls,
                 "Measure predictors without a network beside it, fitted on train and validation");
  verb->add_option("--limit", request.limit, "Sequences at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  add_story_flags(*verb, request.data);
  add_skip_broken(*verb, request.data);
  add_data_flags(*verb, request.data);
  flags->shared.add_to(*verb);
  verb->callback([flags] {
    flags->request.threads = flags->shared.thread_count();
    ConsoleListener listener;
    print_report(flags->shared, evaluate(flags->request, listener));
  });
}

}  // namespace quaver
