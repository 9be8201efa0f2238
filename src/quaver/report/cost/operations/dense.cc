#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_dense(const CostSite& site, Counter& counter) {
  const std::uint64_t outputs = unsigned_size(site.node.outputs[0].size());
  counter.add(outputs);
  counter.requantize(outputs);
  counter.shift_zero(outputs);
}

}  // namespace quaver
