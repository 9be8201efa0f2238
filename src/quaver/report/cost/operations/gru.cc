#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_gru(const CostSite& site, Counter& counter) {
  const auto& gru = std::get<GruAttributes>(site.node.operation);
  const std::uint64_t n = unsigned_size(gru.hidden_size);
  counter.add(6 * n);  // biases of both sums
  counter.requantize(6 * n);
  counter.add(3 * n);   // both sums
  counter.multiply(n);  // reset
  counter.curve(3 * n);
  counter.add_i16(n);
  counter.multiply(n);
  counter.add_i16(n);
  count_state_codes(n, counter);
}

}  // namespace quaver
