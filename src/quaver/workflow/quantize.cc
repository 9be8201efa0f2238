#include "quaver/workflow/quantize.h"

#include <utility>

#include "quaver/core/text.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/kinds.h"
#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/own_input.h"

namespace quaver {

QuantizeReport quantize(const QuantizeRequest& request, Listener& listener) {
  require_model_name(request.out);
  require_useful(request.data, request.calib);
  if (!names_own_data(request.calib))
    refuse({{"--calib-split", request.calib_split.has_value()}}, "data of one's own (KIND:PATH)",
           "a split of a task is named behind it: --calib TASK:split");
  const CalibrationMethod method = request.method.value_or(CalibrationMethod::kMinMax);
  if (method != CalibrationMethod::kPercentile)
    refuse({{"--percentile", request.percentile.has_value()}}, "--calib-method percentile",
           concat("here it is ", method_name(method)));
  // A network for each task of a list lies beside IN, in a file of its own; IN itself may not be there.
  if (request.data.names_several()) return quantize_each_task(request, listener);
  Artifact artifact = open(request.in);
  const KindRow& kind = kind_of(artifact);
  return kind.quantize(std::move(artifact), request, listener);
}

std::string strict_refusal(const QuantizeRequest& request, const std::vector<Warning>& warnings) {
  if (!request.strict || warnings.empty()) return "";
  return concat("--strict: ", warnings.size(), warnings.size() == 1 ? " warning; " : " warnings; ",
                request.out.string(), " was not written");
}

}  // namespace quaver
