#include <array>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/quantize/operations/row.h"

namespace quaver {
namespace {

struct Row {
  std::string_view operation;
  const QuantizeRow& (*row)();
};
constexpr auto kRows = std::to_array<Row>({
    {"lstm", quantize_lstm},
    {"gru", quantize_gru},
    {"rnn", quantize_rnn},
    {"dense", quantize_dense},
    {"embedding", quantize_embedding},
    {"activation", quantize_activation},
    {"pool", quantize_pool},
    {"softmax", quantize_softmax},
    {"argmax", quantize_argmax},
    {"add", quantize_add},
    {"concat", quantize_concat},
});

}  // namespace

const QuantizeRow& quantize_row(const Operation& operation) {
  for (const Row& row : kRows)
    if (row.operation == operation_name(operation)) return row.row();
  throw_bad_input(concat("the operation '", operation_name(operation), "' has no integer form"));
}

void normalize_rows(Tensor& weights, Tensor& bias, const Channels& channels, std::size_t first) {
  const auto cols = static_cast<std::size_t>(weights.row_size());
  const std::span<float> values = weights.as_mutable<float>(), q = bias.as_mutable<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<double>(values[i]) / channels.scale_of(first + i / cols));
  for (std::size_t r = 0; r < q.size(); ++r)
    q[r] =
        static_cast<float>((static_cast<double>(q[r]) - channels.offset_of(first + r)) / channels.scale_of(first + r));
}

}  // namespace quaver
