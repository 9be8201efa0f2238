#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_softmax(const CostSite& site, Counter& counter) {
  const std::uint64_t features = unsigned_size(site.node.outputs[0].shape.features());
  counter.operations += softmax_operations(features, site.in_float ? SoftmaxForm::kFloat : SoftmaxForm::kComputed)
                            .times(site.inputs / features);
}

}  // namespace quaver
