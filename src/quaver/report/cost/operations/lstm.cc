#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_lstm(const CostSite& site, Counter& counter) {
  const auto& lstm = std::get<LstmAttributes>(site.node.operation);
  const std::uint64_t n = unsigned_size(lstm.hidden_size), out = unsigned_size(lstm.output_size());
  const std::uint64_t gates = unsigned_size(lstm.gate_count()), rows = gates * n;
  counter.requantize(2 * rows);
  counter.add(rows);                           // bias
  if (!counter.in_float()) counter.add(rows);  // the recurrent sum has a folded bias of its own
  if (!counter.in_float()) counter.add(rows);  // both sums
  if (lstm.peephole) {
    const std::uint64_t peepholes = (gates - 1) * n;
    counter.multiply(peepholes);
    counter.requantize(peepholes);
    counter.add(peepholes);
  }
  if (lstm.layer_norm) {
    counter.add(rows);           // mean
    counter.add(rows);           // centre
    counter.multiply_i32(rows);  // squares
    counter.add(rows);           // variance
    if (counter.in_float()) {
      counter.operations.f32_curve += rows + 3 * gates;  // a division a value; mean, variance and root a gate
    } else {
      counter.requantize(rows);  // times the inverse root
      counter.curve(gates);      // the root itself
    }
    counter.multiply_i32(rows);  // weight
    counter.add(rows);           // shift
    counter.requantize(rows);
  }
  counter.curve(rows);
  if (lstm.input_forget) counter.add_i16(n);
  counter.multiply(2 * n);
  counter.add_i16(n);
  if (lstm.clip > 0) counter.compare(2 * n);
  counter.curve(n);
  counter.multiply(n);
  if (site.wide_output()) return count_state_codes(n, counter);
  counter.requantize(n);
  counter.shift_zero(n);
  if (lstm.projection_size > 0) {
    counter.add(out);
    counter.requantize(out);
    counter.shift_zero(out);
    if (lstm.projection_clip > 0) counter.compare(2 * out);
  }
}

}  // namespace quaver
