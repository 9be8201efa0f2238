#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_activation(const CostSite& site, Counter& counter) {
  const auto& activation = std::get<ActivationAttributes>(site.node.operation);
  if (!counter.in_float() || activation.function == Nonlinearity::kIdentity) return;  // a table look-up
  if (activation.function == Nonlinearity::kRelu) {
    counter.compare(site.inputs);
  } else if (activation.function == Nonlinearity::kHardSigmoid) {
    counter.multiply(site.inputs);
    counter.add(site.inputs);
    counter.compare(2 * site.inputs);
  } else {
    counter.curve(site.inputs);
  }
}

}  // namespace quaver
