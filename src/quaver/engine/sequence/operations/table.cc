#include <algorithm>
#include <array>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/operations/row.h"

namespace quaver {
namespace {

constexpr auto kRows = std::to_array<LayerRow>({
    {"lstm", make_lstm},
    {"gru", make_gru},
    {"rnn", make_rnn},
    {"dense", make_dense},
    {"embedding", make_embedding},
    {"activation", make_activation},
    {"pool", make_pool},
    {"softmax", make_softmax},
    {"argmax", make_argmax},
    {"add", make_add},
    {"concat", make_concat},
});

}  // namespace

std::span<const LayerRow> layer_rows() { return kRows; }

std::unique_ptr<Layer> make_layer(const LayerSite& site) {
  const std::string_view operation = operation_name(site.node.operation);
  const auto row = std::ranges::find(kRows, operation, &LayerRow::operation);
  if (row == kRows.end()) throw_bad_input(concat("no session runs the operation '", operation, "'"));
  return row->make(site);
}

}  // namespace quaver
