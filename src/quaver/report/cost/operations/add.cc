#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_add(const CostSite& site, Counter& counter) {
  const std::uint64_t outputs = unsigned_size(site.node.outputs[0].size());
  counter.add((site.node.inputs.size() - 1) * outputs);
  counter.requantize(outputs);
  counter.shift_zero(outputs);
}

}  // namespace quaver
