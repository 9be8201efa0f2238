// quaver inspect MODEL: nodes, formats, bytes, operations, state, energy.
#include "quaver/report/inspect.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "quaver/core/text.h"
#include "quaver/io/model_file.h"
#include "shared.h"
#include "verbs.h"

namespace quaver {
namespace {

struct InspectFlags {
  SharedFlags shared;
  EnergyFlags energy;
  std::string model;
};

void run_inspect(const InspectFlags& flags) {
  const Model model = load(flags.model);
  const Inspection inspection = inspect(model, std::filesystem::file_size(flags.model), flags.energy.table());
  nlohmann::ordered_json json = to_json(inspection);
  json["file"] = flags.model;
  json["fingerprint"] = hex64(fingerprint(model));
  json["classes"] = model.classes;
  json["provenance"] = model.provenance;
  std::string text = to_text(inspection);
  for (const auto& [key, value] : model.provenance) text += key + ": " + value + '\n';
  print_result(flags.shared, json, text);
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* verb = program.add_subcommand("inspect", "Show what a model is and what a step of it costs");
  verb->add_option("model", flags->model, "Model file")->required();
  flags->energy.add_to(*verb);
  flags->shared.add_to(*verb);
  verb->callback([flags] { run_inspect(*flags); });
}

}  // namespace quaver
