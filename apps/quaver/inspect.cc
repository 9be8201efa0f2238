// quaver inspect MODEL: nodes, formats, bytes, operations, state, energy; of a memory network a question's.
#include "quaver/report/cost/inspect.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "checks.h"
#include "given_flags.h"
#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/report/cost/memory_inspect.h"
#include "shared.h"
#include "stories.h"
#include "story_input.h"
#include "verbs.h"

namespace quaver {
namespace {

struct InspectFlags {
  SharedFlags shared;
  EnergyFlags energy;
  DataFlags data;
  StoryFlags stories;
  std::string model, input;
  std::size_t facts = 0, words = 0, limit = 0;
};

void print_inspection(const InspectFlags& flags, nlohmann::ordered_json json, std::string text,
                      const std::map<std::string, std::string>& provenance) {
  json["file"] = flags.model;
  json["provenance"] = provenance;
  constexpr std::size_t kShownProvenance = 500;
  for (const auto& [key, value] : provenance) text += printable(key) + ": " + printable(value, kShownProvenance) + '\n';
  print_result(flags.shared, json, text);
}

// Without data: the largest question there is, or the one that --facts and --words describe.
void inspect_memory_network(const MemoryNetwork& network, const InspectFlags& flags, const GivenFlags& given) {
  if (flags.input.empty())
    given.refuse({"--limit", "--tasks", "--set", "--questions", "--data-seed", "--data"}, "--input TASK",
                 "here no questions are read");
  else
    given.refuse({"--facts", "--words"}, "a question that is described", "here --input reads some");
  if (flags.facts > network.shape.memory)
    throw_usage(concat("--facts ", flags.facts, ": the network's memory holds ", network.shape.memory));
  const EnergyTable table = flags.energy.table();
  QuestionSizes sizes;
  std::string source;
  if (flags.input.empty()) {
    sizes.facts = flags.facts > 0 ? flags.facts : network.shape.memory;
    sizes.question_words = flags.words > 0 ? flags.words : network.shape.sentence;
    sizes.fact_words = sizes.facts * sizes.question_words;
    source = flags.facts > 0 || flags.words > 0 ? "as described" : "the largest there is";
  } else {
    const AskedStories asked = read_asked_stories(flags.input, network, flags.stories, flags.data, flags.limit);
    sizes = question_sizes(asked.unanswered());
    source = fmt::format("{}, mean of {}", asked.source, sizes.questions);
  }
  const MemoryInspection inspection = inspect(network, sizes, source, std::filesystem::file_size(flags.model), table);
  print_inspection(flags, to_json(inspection), to_text(inspection), network.provenance);
}

void inspect_model(const Model& model, const InspectFlags& flags, const GivenFlags& given) {
  given.refuse({"--input", "--facts", "--words", "--limit", "--tasks", "--set", "--questions", "--data-seed", "--data"},
               "memory networks", concat("here ", flags.model, " is a model of sequences"));
  const Inspection inspection = inspect(model, std::filesystem::file_size(flags.model), flags.energy.table());
  print_inspection(flags, to_json(inspection), to_text(inspection), model.provenance);
}

void run_inspect(const InspectFlags& flags, const GivenFlags& given) {
  if (!flags.input.empty()) require_useful_data_flags(given, flags.input);
  const Artifact artifact = open(flags.model);
  if (const auto* network = std::get_if<MemoryNetwork>(&artifact)) {
    inspect_memory_network(*network, flags, given);
  } else {
    inspect_model(std::get<Model>(artifact), flags, given);
  }
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* verb =
      program.add_subcommand("inspect", "Show what a model is and what a step of it, or a question to it, costs");
  verb->add_option("model", flags->model, "Model file")->required();
  const char* group = "Memory networks";
  verb->add_option("--input", flags->input,
                   "Count the mean of these questions: TASK[:split] (babi, stories) or a file in bAbI's format")
      ->group(group);
  verb->add_option("--facts", flags->facts, "Count a question with so many facts; else a full memory")
      ->check(whole_number(1, 1u << 24))
      ->group(group);
  verb->add_option("--words", flags->words, "Of every fact and the question; else the longest sentence's")
      ->check(whole_number(1, 4096))
      ->group(group);
  verb->add_option("--limit", flags->limit, "Questions of each task at most; 0: all")
      ->check(whole_number(0, kMostSequences))
      ->capture_default_str()
      ->group(group);
  flags->stories.add_to(*verb);
  flags->data.add_to(*verb);
  flags->energy.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags, verb] { run_inspect(*flags, GivenFlags(*verb)); });
}

}  // namespace quaver
