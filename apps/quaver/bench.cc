// quaver bench: how long a step takes, ours and, with --peers, other engines on the same shape in the same run.
#include "quaver/bench/bench.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checks.h"
#include "console_listener.h"
#include "quaver/bench/peers/peer.h"
#include "quaver/cells/memn2n/params.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/operations/operation.h"
#include "quaver/model/operations/row.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct BenchFlags {
  SharedFlags shared{.threads = 1};
  BenchRequest request;
};

void run_bench(BenchFlags flags, const CLI::App& verb) {
  if (verb.count("--threads") > 0) flags.request.threads = flags.shared.thread_count();
  flags.request.command = command_line();
  ConsoleListener listener;
  print_report(flags.shared, bench(flags.request, listener));
}

}  // namespace

void add_bench(CLI::App& program) {
  auto flags = std::make_shared<BenchFlags>();
  BenchRequest& request = flags->request;
  CLI::App* verb = program.add_subcommand("bench", "Time a step of a model, or of a cell with random weights");
  const auto names = [&](const char* name, std::vector<std::string>& values, const std::string& help) {
    return verb->add_option(name, values, help)->delimiter(',')->allow_extra_args(false);
  };
  const auto sizes = [&](const char* name, std::vector<std::size_t>& values, const char* help) {
    return verb->add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(whole_number(1, kMaxSize));
  };
  verb->add_option("model", request.model, "Model file; without one the shape that the flags say");
  names("--preset", request.presets, "Shapes with a name: " + join(preset_names(), ", ") + "; a list as well");
  names("--cell", request.cells,
        join(recurrent_names(), ", ") + "; a list is separated by commas. Or memn2n: facts and questions")
      ->default_str("[lstm,gru]");
  names("--reset", request.resets, "gru: after or before the product, or both")->default_str("[after]");
  sizes("--hidden", request.hidden, "Units; a list as well")->default_str("[128]");
  verb->add_option("--input-size", request.input, "Features of a step; 0: as many as units")
      ->check(whole_number(0, kMaxSize))
      ->default_str("40");
  sizes("--steps", request.steps, "Steps in one call; 1 is a stream; a list as well")->default_str("[1]");
  sizes("--batch", request.batch, "Sequences that are run together; a list as well")->default_str("[1]");
  sizes("--streams", request.streams, "Independent streams that one call moves a step on; a list as well")
      ->default_str("[1]");
  names("--scheme", request.schemes, join(scheme_names(), ", ") + "; a list as well")->default_str("[int8]");
  names("--frames", request.frames,
        "What a call of an integer model is handed: real, codes or real,codes (default: real; beside peers both)")
      ->default_str("[]");
  verb->add_option("--projection", request.projection, "lstm: size of the projected output; 0: none")
      ->check(whole_number(0, kMaxSize))
      ->default_str("0");
  const auto of_memory = [&](const char* name, auto& value, std::size_t least, std::size_t most, const char* help,
                             const char* otherwise) {
    return verb->add_option(name, value, help)
        ->check(whole_number(least, most))
        ->default_str(otherwise)
        ->group("Memory networks (--cell memn2n)");
  };
  of_memory("--facts", request.facts, 1, 10000000, "Stored facts; a list as well", "[10,1000,100000]")
      ->delimiter(',')
      ->allow_extra_args(false);
  of_memory("--embedding", request.embedding, 1, 4096, "Numbers of an embedding", "60");
  of_memory("--hops", request.hops, 1, kMaxHops, "Looks at the memory", "3");
  of_memory("--words", request.words, 1, 4096, "Words of a sentence", "6");
  of_memory("--vocabulary", request.vocabulary, 2, 1 << 24, "Words there are, the empty one included", "180");
  verb->add_flag("--cifg", request.cifg, "lstm: input gate = 1 - forget gate");
  verb->add_flag("--peephole", request.peephole, "lstm: gates see the cell");
  verb->add_flag("--layer-norm", request.layer_norm, "lstm: layer norm inside the cell");
  verb->add_flag("--peers", request.all_peers, "Also time other engines on the same shape, in turns with ours");
  names("--peer", request.peers, "Only these of them: " + join(peer_names(), ", "));
  verb->add_option("--peer-python", request.peer_python, "Python that has the peers' packages (tools/peers/README.md)")
      ->default_str("python3");
  verb->add_flag("--all-paths", request.all_paths, "A row for every path this CPU can run");
  verb->add_flag("--pin", request.pin, "Bind to one CPU (with one thread)");
  verb->add_option("--repetitions", request.repetitions, "Of each row")
      ->check(whole_number(1, 100000))
      ->capture_default_str();
  verb->add_option("--seed", request.seed, "Of weights and inputs")->check(seed_number())->capture_default_str();
  verb->add_option("--save", request.save, "Also write NAME.json and NAME.md");
  verb->add_option("--plot", request.plot, "Also draw the roofline and the ratios: a name that ends in .svg or .png");
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_bench(*flags, *verb); });
}

}  // namespace quaver
