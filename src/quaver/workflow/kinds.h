// kinds.h - the kinds of network, a row each: what every call of this floor does with one. Nothing else asks which kind
// a file is. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quaver/model/artifact.h"
#include "quaver/workflow/compare.h"
#include "quaver/workflow/evaluate.h"
#include "quaver/workflow/inspect.h"
#include "quaver/workflow/quantize.h"
#include "quaver/workflow/run.h"

namespace quaver {

struct KindRow {
  std::string_view name;             // "a memory network"
  std::string_view run_with_a_file;  // what 'run' does with data of one's own
  InspectReport (*inspect)(Artifact, const InspectRequest&, Listener&);
  CompareReport (*compare)(Artifact reference, Artifact quantized, const CompareRequest&, Listener&);
  RunReport (*run)(Artifact, const RunRequest&, Listener&);
  QuantizeReport (*quantize)(Artifact, const QuantizeRequest&, Listener&);
  EvaluateReport (*evaluate)(Artifact, const EvaluateRequest&, Listener&);
};

const KindRow& kind_of(const Artifact& artifact);

// QuantizeReport::refusal.
std::string strict_refusal(const QuantizeRequest& request, const std::vector<Warning>& warnings);

}  // namespace quaver
