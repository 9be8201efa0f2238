// calls.h - the calls of this floor for models of sequences. Internal.
#pragma once

#include "quaver/model/model.h"
#include "quaver/workflow/compare.h"
#include "quaver/workflow/evaluate.h"
#include "quaver/workflow/inspect.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/run.h"

namespace quaver {

InspectReport inspect(const Model& model, const InspectRequest& request, Listener& listener);
CompareReport compare(const Model& reference, const Model& quantized, const CompareRequest& request,
                      Listener& listener);
RunReport run(Model model, const RunRequest& request, Listener& listener);
QuantizeReport quantize(Model model, const QuantizeRequest& request, Listener& listener);
EvaluateReport evaluate(const Model& model, const EvaluateRequest& request, Listener& listener);

}  // namespace quaver
