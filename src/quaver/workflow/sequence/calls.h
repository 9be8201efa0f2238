// calls.h - the calls of this floor for models of sequences. Internal.
#pragma once

#include <string>

#include "quaver/data/dataset.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"
#include "quaver/report/error/evaluate.h"
#include "quaver/workflow/compare.h"
#include "quaver/workflow/evaluate.h"
#include "quaver/workflow/inspect.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/run.h"
#include "quaver/workflow/train.h"

namespace quaver {

InspectReport inspect(const Model& model, const InspectRequest& request, Listener& listener);
CompareReport compare(const Model& reference, const Model& quantized, const CompareRequest& request,
                      Listener& listener);
RunReport run(Model model, const RunRequest& request, Listener& listener);
QuantizeReport quantize(Model model, const QuantizeRequest& request, Listener& listener);
EvaluateReport evaluate(const Model& model, const EvaluateRequest& request, Listener& listener);
// metric: empty: the data's own. Errors as Evaluator's.
Evaluation evaluate(Session& session, const Dataset& data, const std::string& metric, Listener& listener);

TrainReport train_recurrent_network(const TrainRequest& request, Listener& listener);

}  // namespace quaver
