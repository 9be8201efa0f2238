#include <filesystem>

#include "quaver/core/text.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/sequence/calls.h"

namespace quaver {

InspectReport inspect(const Model& model, const InspectRequest& request, Listener& /*listener*/) {
  refuse({{"--input", !request.input.empty()},
          {"--facts", request.facts > 0},
          {"--words", request.words > 0},
          {"--limit", request.limit.has_value()},
          {"--tasks", request.data.tasks.has_value()},
          {"--set", request.data.set.has_value()},
          {"--questions", request.data.questions.has_value()},
          {"--data-seed", request.data.data_seed.has_value()},
          {"--data", request.data.data_dir.has_value()}},
         "memory networks", concat("here ", request.model.string(), " is a model of sequences"));
  return {
      .inspection = inspect(model, std::filesystem::file_size(request.model), load_energy_table(request.energy_table)),
      .file = request.model.string(),
      .provenance = model.provenance};
}

}  // namespace quaver
