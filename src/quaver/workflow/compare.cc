#include "quaver/workflow/compare.h"

#include <utility>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/workflow/kinds.h"

namespace quaver {

CompareReport compare(const CompareRequest& request, Listener& listener) {
  require_useful(request.data, request.input);
  Artifact reference = open(request.reference), quantized = open(request.quantized);
  const KindRow &kind = kind_of(reference), &other = kind_of(quantized);
  if (&kind != &other)
    throw_bad_input(concat(request.reference.string(), " is ", kind.name, " and ", request.quantized.string(), " is ",
                           other.name, "; expected two forms of one network"));
  return kind.compare(std::move(reference), std::move(quantized), request, listener);
}

}  // namespace quaver
