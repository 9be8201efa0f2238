#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_pool(const CostSite& site, Counter& counter) {
  const auto& pool = std::get<PoolAttributes>(site.node.operation);
  if (pool.pooling == Pooling::kLast || pool.pooling == Pooling::kFinal) return;  // copies
  if (pool.pooling == Pooling::kMax) {
    counter.compare(site.inputs);
  } else {
    counter.add(site.inputs);
    counter.curve(site.inputs);
  }
}

}  // namespace quaver
