#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/report/cost/operations/row.h"

namespace quaver {
namespace {

constexpr auto kRows = std::to_array<CostRow>({
    {"lstm", count_lstm},
    {"gru", count_gru},
    {"rnn", count_rnn},
    {"dense", count_dense},
    {"embedding", nullptr},  // a row is copied
    {"activation", count_activation},
    {"pool", count_pool},
    {"softmax", count_softmax},
    {"argmax", count_argmax},
    {"add", count_add},
    {"concat", nullptr},  // copies
});

// The second product of a matrix whose input has codes of 16 bits (A45): an addend of each gate's sums, else added to
// the accumulators.
void count_high_halves(const TensorSlot& slot, std::uint64_t rows, std::uint64_t cols, Counter& counter) {
  counter.matrix(rows, cols);
  if (slot.gates > 1) {
    counter.requantize(rows);
  } else {
    counter.operations.add(OperationKind::kShift, OperandWidth::kI32, rows);
  }
  counter.add(rows);
}

}  // namespace

std::span<const CostRow> cost_rows() { return kRows; }

OperationCounts operations_of(const Node& node, const Value& whole, NumberType read, bool in_float) {
  const bool inside = row_of(node.operation).runs_inside_frames(node.operation);
  const std::uint64_t steps = inside ? unsigned_size(whole.shape[0]) : 1;
  Value input = whole;
  if (inside) input.shape = {whole.shape.features()};
  const std::string_view name = operation_name(node.operation);
  const auto row = std::ranges::find(kRows, name, &CostRow::operation);
  if (row == kRows.end()) throw_bad_input(concat("nobody has counted what the operation '", name, "' executes"));
  Counter rest(in_float), products(in_float);
  const CostSite site{node, unsigned_size(input.size()), in_float};
  if (row->count != nullptr) row->count(site, rest);
  for (const TensorSlot& slot : tensor_slots(node)) {
    if (slot.role != TensorRole::kMatrix) continue;
    const std::uint64_t rows = unsigned_size(slot.shape[0]), cols = unsigned_size(slot.shape[1]);
    const bool reads_input = slot.operands.front().starts_with("input");
    const bool high_halves = reads_input && !in_float && read == NumberType::kI16;
    // A matrix goes along the innermost axis of what it reads.
    const std::uint64_t frames = reads_input ? site.inputs / cols : 1;
    for (std::uint64_t frame = 0; frame < frames; ++frame) {
      products.matrix(rows, cols);
      if (high_halves) count_high_halves(slot, rows, cols, products);
    }
  }
  OperationCounts counts = rest.operations.times(direction_suffixes(node.operation).size());
  counts += products.operations;
  return counts.times(steps);
}

void count_state_codes(std::uint64_t count, Counter& counter) {
  if (counter.in_float()) return;
  counter.multiply(count);
  counter.shift_zero(count);
}

}  // namespace quaver
