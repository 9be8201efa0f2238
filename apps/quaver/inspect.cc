// quaver inspect MODEL: nodes, formats, bytes, operations, state, energy; of a memory network a question's.
#include "quaver/workflow/inspect.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct InspectFlags {
  SharedFlags shared;
  InspectRequest request;
};

}  // namespace

void add_inspect(CLI::App& program) {
  auto flags = std::make_shared<InspectFlags>();
  InspectRequest& request = flags->request;
  CLI::App* verb =
      program.add_subcommand("inspect", "Show what a model is and what a step of it, or a question to it, costs");
  verb->add_option("model", request.model, "Model file")->required();
  const char* group = "Memory networks";
  verb->add_option("--input", request.input,
                   "Count the mean of these questions: TASK[:split] (babi, stories) or a file in bAbI's format")
      ->group(group);
  verb->add_option("--facts", request.facts, "Count a question with so many facts; else a full memory")
      ->check(whole_number(1, 1u << 24))
      ->group(group);
  verb->add_option("--words", request.words, "Of every fact and the question; else the longest sentence's")
      ->check(whole_number(1, 4096))
      ->group(group);
  verb->add_option("--limit", request.limit, "Questions of each task at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->default_str("0")
      ->group(group);
  add_story_flags(*verb, request.data);
  add_data_flags(*verb, request.data);
  add_energy_table(*verb, request.energy_table);
  flags->shared.add_to(*verb);
  verb->callback([flags] {
    ConsoleListener listener;
    print_report(flags->shared, inspect(flags->request, listener));
  });
}

}  // namespace quaver
