// quaver compare FLOAT QUANT: where the two part, per output, layer, gate and time step.
#include "quaver/report/compare.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "quaver/io/model_file.h"
#include "quaver/report/progress.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct CompareFlags {
  SharedFlags shared;
  DataFlags data;
  std::string reference, quantized, input;
  std::size_t limit = 0;
};

void run_compare(const CompareFlags& flags) {
  const Model reference = load(flags.reference), quantized = load(flags.quantized);
  const Sequences sequences = read_sequences(flags.input, "test", reference, flags.data, flags.limit);
  Progress progress("comparing", "sequences", sequences.views.size());
  CompareOptions options;
  options.progress = [&](std::size_t done, std::size_t) { progress.update(done); };
  const Comparison comparison = compare(reference, quantized, sequences.views, options);
  nlohmann::ordered_json json = to_json(comparison);
  json["input"] = sequences.source;
  json["models"] = {flags.reference, flags.quantized};
  json["path"] = isa_name(options.isa);
  print_result(flags.shared, json, to_text(comparison));
}

}  // namespace

void add_compare(CLI::App& program) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* verb = program.add_subcommand("compare", "Show where a quantized model parts from its float one");
  verb->add_option("float", flags->reference, "Float model file")->required();
  verb->add_option("quant", flags->quantized, "Model file that 'quaver quantize' made of it")->required();
  verb->add_option("--input", flags->input, "Sequences: X.npz or TASK[:split] (default split: test)")->required();
  verb->add_option("--limit", flags->limit, "Sequences at most; 0: all")->capture_default_str();
  flags->data.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_compare(*flags); });
}

}  // namespace quaver
