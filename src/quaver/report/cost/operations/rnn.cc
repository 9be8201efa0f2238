#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_rnn(const CostSite& site, Counter& counter) {
  const auto& rnn = std::get<RnnAttributes>(site.node.operation);
  const std::uint64_t n = unsigned_size(rnn.hidden_size);
  counter.requantize(2 * n);
  counter.add(n);
  if (!counter.in_float()) counter.add(n);  // both sums
  if (rnn.nonlinearity == Nonlinearity::kRelu) {
    counter.compare(n);
  } else {
    counter.curve(n);
  }
  count_state_codes(n, counter);
}

}  // namespace quaver
