// quaver reproduce PAPER: the trainings behind a paper's tables, resumable, and ours beside theirs.
#include "quaver/reproduce/reproduce.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "interrupt.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct ReproduceFlags {
  SharedFlags shared;
  ReproduceRequest request;
};

}  // namespace

void add_reproduce(CLI::App& program) {
  auto flags = std::make_shared<ReproduceFlags>();
  ReproduceRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("reproduce", "Regenerate a paper's table: ours beside theirs");
  verb->add_option("paper", request.paper, "Paper: qmann (memory networks at 8 bits and at 1 bit)")->required();
  verb->add_flag("--quick", request.quick, "Three tasks and one seed: a minute or two");
  verb->add_option("--task", request.task, "babi, or stories: generated ones, for machines without the data")
      ->capture_default_str();
  verb->add_option("--tasks", request.data.tasks, "Numbers and ranges (1, 1,2,5, 1-20), or all");
  verb->add_option("--rows", request.rows, "Rows of the table, by key, a list; else all")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--seeds", request.seeds, "Trainings of a row and task, with seeds N, N + 1, ... from --seed on")
      ->check(whole_number(1, 1000))
      ->default_str("3");
  verb->add_option("--seed", request.seed, "Of the first training of each row and task")
      ->check(seed_number())
      ->capture_default_str();
  verb->add_option("--epochs", request.epochs, "Of every training; 0: as the recipes say")
      ->check(whole_number(0, 65536))
      ->capture_default_str();
  verb->add_option("--questions", request.data.questions, "stories: to generate, for training and for the test")
      ->check(whole_number(kLeastQuestions, kMostQuestions))
      ->default_str("1000");
  verb->add_option("--work", request.work, "Folder of finished trainings, which a second call does not repeat")
      ->capture_default_str();
  verb->add_flag("--report-only", request.report_only, "Train nothing; report what is finished");
  verb->add_option("--save", request.save, "Also write NAME.json, NAME.md, NAME-errors.png, NAME-similarities.png");
  verb->add_option("--note", request.note, "A sentence for the report: machine, code");
  add_data_flags(*verb, request.data, "--data-seed");
  flags->shared.add_to(*verb);
  verb->callback([flags] {
    flags->request.threads = flags->shared.thread_count();
    flags->request.should_stop = [] { return interrupted(); };
    catch_interrupts();
    ConsoleListener listener;
    print_report(flags->shared, reproduce(flags->request, listener));
  });
}

}  // namespace quaver
