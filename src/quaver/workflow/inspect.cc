#include "quaver/workflow/inspect.h"

#include <utility>

#include "quaver/io/model_file/artifact_file.h"
#include "quaver/workflow/kinds.h"

namespace quaver {

InspectReport inspect(const InspectRequest& request, Listener& listener) {
  if (!request.input.empty()) require_useful(request.data, request.input);
  Artifact artifact = open(request.model);
  const KindRow& kind = kind_of(artifact);
  return kind.inspect(std::move(artifact), request, listener);
}

}  // namespace quaver
