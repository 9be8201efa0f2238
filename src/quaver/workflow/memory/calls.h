// calls.h - the calls of this floor for memory networks. Internal.
#pragma once

#include "quaver/model/memory/memory_network.h"
#include "quaver/workflow/compare.h"
#include "quaver/workflow/evaluate.h"
#include "quaver/workflow/inspect.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/run.h"
#include "quaver/workflow/train.h"

namespace quaver {

InspectReport inspect(const MemoryNetwork& network, const InspectRequest& request, Listener& listener);
CompareReport compare(const MemoryNetwork& reference, const MemoryNetwork& quantized, const CompareRequest& request,
                      Listener& listener);
RunReport run(MemoryNetwork network, const RunRequest& request, Listener& listener);
QuantizeReport quantize(MemoryNetwork network, const QuantizeRequest& request, Listener& listener);
EvaluateReport evaluate(const MemoryNetwork& network, const EvaluateRequest& request, Listener& listener);

// For each of a list of tasks the network beside request.in.
QuantizeReport quantize_each_task(const QuantizeRequest& request, Listener& listener);

TrainReport train_memory_networks(const TrainRequest& request, Listener& listener);

}  // namespace quaver
