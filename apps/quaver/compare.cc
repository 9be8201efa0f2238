// quaver compare FLOAT QUANT: where the two part, per output, layer, gate and time step; memory networks hop by hop.
#include "quaver/report/error/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "checks.h"
#include "given_flags.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/report/cost/memory_inspect.h"
#include "quaver/report/error/memory_compare.h"
#include "quaver/report/show/progress.h"
#include "shared.h"
#include "stories.h"
#include "story_input.h"
#include "verbs.h"

namespace quaver {
namespace {

struct CompareFlags {
  SharedFlags shared;
  EnergyFlags energy;
  DataFlags data;
  StoryFlags stories;
  std::string reference, quantized, input;
  std::size_t limit = 0;
};

void compare_memory_networks(const MemoryNetwork& reference, const MemoryNetwork& quantized,
                             const CompareFlags& flags) {
  require_comparable(reference, quantized);
  const EnergyTable table = flags.energy.table();
  const AskedStories asked = read_asked_stories(flags.input, quantized, flags.stories, flags.data, flags.limit);
  Progress progress("comparing", "questions", asked.questions.size());
  const MemoryComparison comparison =
      compare(reference, quantized, asked.questions,
              {.energy_table = table, .progress = [&](std::size_t done, std::size_t) { progress.update(done); }});
  nlohmann::ordered_json json = to_json(comparison);
  json["input"] = asked.source;
  json["models"] = {flags.reference, flags.quantized};
  json["schemes"] = {memory_scheme_text(reference.scheme), memory_scheme_text(quantized.scheme)};
  print_result(flags.shared, json, to_text(comparison));
}

void compare_models(const Model& reference, const Model& quantized, const CompareFlags& flags,
                    const GivenFlags& given) {
  given.refuse({"--tasks", "--set", "--questions"}, "memory networks", "here are models of sequences");
  // What is lost is counted from the first: exchanged, every figure would be of the float model.
  if (!is_float_scheme(reference.scheme) && is_float_scheme(quantized.scheme))
    throw_bad_input(concat(flags.reference, " is quantized and ", flags.quantized,
                           " is a float model; expected the float one first"));
  const Sequences sequences = read_sequences(flags.input, "test", reference, flags.data, flags.limit);
  Progress progress("comparing", "sequences", sequences.views.size());
  CompareOptions options;
  options.progress = [&](std::size_t done, std::size_t) { progress.update(done); };
  const Comparison comparison = compare(reference, quantized, sequences.views, options);
  nlohmann::ordered_json json = to_json(comparison);
  json["input"] = sequences.source;
  json["models"] = {flags.reference, flags.quantized};
  json["path"] = isa_name(options.isa);
  const EnergyTable table = flags.energy.table();
  const Inspection first = inspect(reference, 0, table), second = inspect(quantized, 0, table);
  json["energy"] = {{"energy_pj", second.energy_pj},
                    {"reference_energy_pj", first.energy_pj},
                    {"energy_gain_vs_f32", second.energy_gain_vs_f32}};
  print_result(flags.shared, json,
               to_text(comparison) + fmt::format("energy      {:.1f} nJ/step in arithmetic, {:.1f}x less than the same "
                                                 "model in f32 ({}); docs/energy.md\n",
                                                 second.energy_pj / 1000, second.energy_gain_vs_f32, table.source));
}

void run_compare(const CompareFlags& flags, const GivenFlags& given) {
  require_useful_data_flags(given, flags.input);
  const Artifact reference = open(flags.reference), quantized = open(flags.quantized);
  const auto *first = std::get_if<MemoryNetwork>(&reference), *second = std::get_if<MemoryNetwork>(&quantized);
  if ((first == nullptr) != (second == nullptr))
    throw_bad_input(concat(first != nullptr ? flags.reference : flags.quantized, " is a memory network and ",
                           first != nullptr ? flags.quantized : flags.reference,
                           " a model of sequences; expected two forms of one network"));
  if (first != nullptr) {
    compare_memory_networks(*first, *second, flags);
  } else {
    compare_models(std::get<Model>(reference), std::get<Model>(quantized), flags, given);
  }
}

}  // namespace

void add_compare(CLI::App& program) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App* verb = program.add_subcommand("compare", "Show where a quantized model parts from its float one");
  verb->add_option("float", flags->reference, "Float model file")->required();
  verb->add_option("quant", flags->quantized, "Model file that 'quaver quantize' made of it")->required();
  verb->add_option(
          "--input", flags->input,
          "Sequences: X.npz or TASK[:split] (default split: test); for memory networks stories: TASK[:split] or a "
          "file in bAbI's format")
      ->required();
  verb->add_option("--limit", flags->limit, "Sequences, or questions of each task, at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str();
  flags->stories.add_to(*verb);
  flags->data.add_to(*verb);
  flags->energy.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_compare(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
