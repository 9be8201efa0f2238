#include "quaver/workflow/run.h"

#include <utility>

#include "quaver/io/model_file/artifact_file.h"
#include "quaver/workflow/kinds.h"

namespace quaver {

RunReport run(const RunRequest& request, Listener& listener) {
  Artifact artifact = open(request.model);
  const KindRow& kind = kind_of(artifact);
  return kind.run(std::move(artifact), request, listener);
}

}  // namespace quaver
