#include "quaver/workflow/evaluate.h"

#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/workflow/kinds.h"
#include "quaver/workflow/own_input.h"

namespace quaver {

EvaluateReport evaluate(const EvaluateRequest& request, Listener& listener) {
  const bool is_file = std::filesystem::exists(request.task) && !is_story_task(request.task);
  if (!is_file) {
    if (!names_own_data(request.task)) require_known_task(request.task);
    require_useful(request.data, request.task);
  }
  Artifact artifact = open(request.model);
  const KindRow& kind = kind_of(artifact);
  if (is_file)
    throw_usage(concat("task '", request.task, "' is a file, expected the name of a task; 'quaver run ",
                       request.model.string(), " --input ", request.task, "' ", kind.run_with_a_file));
  return kind.evaluate(std::move(artifact), request, listener);
}

}  // namespace quaver
