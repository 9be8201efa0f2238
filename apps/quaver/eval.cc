// quaver eval MODEL TASK: how often the model is right.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "checks.h"
#include "given_flags.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/tasks.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/report/error/evaluate.h"
#include "quaver/report/show/progress.h"
#include "quaver/report/show/table.h"
#include "shared.h"
#include "stories.h"
#include "verbs.h"

namespace quaver {
namespace {

struct EvalFlags {
  SharedFlags shared;
  DataFlags data;
  StoryFlags stories;
  std::string model, task, split = "test";
  std::size_t limit = 0;
};

void run_eval(const EvalFlags& flags, const GivenFlags& given) {
  if (std::filesystem::exists(flags.task) && !is_story_task(flags.task))
    throw_usage(concat("task '", flags.task, "' is a file, expected the name of a task; 'quaver run ", flags.model,
                       " --input ", flags.task, "' ",
                       std::holds_alternative<MemoryNetwork>(open(flags.model))
                           ? "judges the answers to a file of stories"
                           : "gives the outputs of data of your own"));
  require_known_task(flags.task);
  require_useful_data_flags(given, flags.task);
  if (is_story_task(flags.task)) {
    run_memory_evaluation({flags.shared, flags.data, flags.stories, flags.model, flags.task, flags.split, flags.limit});
    return;
  }
  const Artifact artifact = open(flags.model);
  if (std::holds_alternative<MemoryNetwork>(artifact))
    throw_bad_input(concat(flags.model, " is a memory network, task '", flags.task,
                           "' needs a model of sequences; memory networks answer ", join(story_task_names(), ", ")));
  const Model& model = std::get<Model>(artifact);
  const Dataset data = load_split(flags.task, flags.split, flags.data, flags.limit);
  require_fit(model, data);
  const std::vector<LabelledSequence> sequences = labelled(data);

  Session session(model, {.threads = flags.shared.thread_count()});
  Progress progress("evaluating", "sequences", sequences.size());
  const Evaluation evaluation =
      evaluate(session, sequences, {.progress = [&](std::size_t done, std::size_t) { progress.update(done); }});

  Table table({{"model", Align::kLeft},
               {"scheme", Align::kLeft},
               {"task", Align::kLeft},
               {"split", Align::kLeft},
               {evaluation.metric + " %"},
               {"of"},
               {"seconds"},
               {"path", Align::kLeft}});
  table.add_row({flags.model, model.scheme, flags.task, flags.split, fixed_text(evaluation.value, 2),
                 count_text(evaluation.n), fixed_text(evaluation.seconds, 2), std::string(isa_name(session.isa()))});
  print_result(flags.shared,
               {{"task", flags.task},
                {"split", flags.split},
                {"metric", evaluation.metric},
                {"value", evaluation.value},
                {"n", evaluation.n},
                {"seconds", evaluation.seconds},
                {"correct", evaluation.correct},
                {"sequences", evaluation.sequences},
                {"steps", evaluation.steps},
                {"model", flags.model},
                {"scheme", model.scheme},
                {"path", isa_name(session.isa())}},
               table.text());
}

}  // namespace

void add_eval(CLI::App& program) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* verb = program.add_subcommand("eval", "Measure a model on a task's data");
  verb->add_option("model", flags->model, "Model file")->required();
  verb->add_option("task", flags->task, "Task: chirps, chirps_tags, digits, har, babi, stories")->required();
  verb->add_option("--split", flags->split, "train, validation or test")->capture_default_str();
  verb->add_option("--limit", flags->limit, "Sequences at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  flags->stories.add_to(*verb);
  flags->data.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_eval(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
