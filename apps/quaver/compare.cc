// quaver compare FLOAT QUANT: where the two part, per output, layer, gate and time step; memory networks hop by hop.
#include "quaver/workflow/compare.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct CompareFlags {
  SharedFlags shared;
  CompareRequest request;
};

}  // namespace

void add_compare(CLI::App& program) {
  auto flags = std::make_shared<CompareFlags>();
  CompareRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("compare", "Show where a quantized model parts from its float one");
  verb->add_option("float", request.reference, "Float model file")->required();
  verb->add_option("quant", request.quantized, "Model file that 'quaver quantize' made of it")->required();
  verb->add_option(
          "--input", request.input,
          "Sequences: X.npz, TASK[:split] (default split: test) or KIND:PATH (test); for memory networks stories: "
          "TASK[:split] or a file in bAbI's format")
      ->required();
  verb->add_option("--limit", request.limit, "Sequences, or questions of each task, at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  add_story_flags(*verb, request.data);
  add_skip_broken(*verb, request.data);
  add_data_flags(*verb, request.data);
  add_energy_table(*verb, request.energy_table);
  flags->shared.add_to(*verb);
  verb->callback([flags] {
    ConsoleListener listener;
    print_report(flags->shared, compare(flags->request, listener));
  });
}

}  // namespace quaver
