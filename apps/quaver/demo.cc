// quaver demo: the whole way on generated data: train in float, quantize, compare, and one table of what it cost; then
// a memory network on generated stories.
#include "quaver/workflow/demo.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "shared.h"
#include "training.h"
#include "verbs.h"

namespace quaver {
namespace {

struct DemoFlags {
  SharedFlags shared;
  DemoRequest request;
};

}  // namespace

void add_demo(CLI::App& program) {
  auto flags = std::make_shared<DemoFlags>();
  DemoRequest& request = flags->request;
  CLI::App* verb =
      program.add_subcommand("demo", "Train, quantize and compare on generated data, in under two minutes");
  verb->add_option("--cell", request.cells, "lstm, gru, memn2n (without libtorch too); a list is separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(one_of({"lstm", "gru", kMemoryCell}))
      ->default_str("[lstm,gru,memn2n]");
  verb->add_option("--questions", request.questions, "memn2n: of the stories to train with, and of the test's")
      ->check(whole_number(kLeastQuestions, kMostQuestions))
      ->default_str("4000");
  verb->add_option("--keep", request.keep, "Folder to leave the models in");
  verb->add_option("--seed", request.seed, "Of weights and order")->check(seed_number())->capture_default_str();
  flags->shared.add_to(*verb);
  verb->callback([flags] {
    flags->request.threads = flags->shared.thread_count();
    flags->request.trainer = require_training;
    ConsoleListener listener;
    print_report(flags->shared, demo(flags->request, listener));
  });
}

}  // namespace quaver
