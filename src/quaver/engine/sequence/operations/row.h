// row.h - how each operation becomes a layer: one function an operation, in its own file; table.cc lists them.
// Internal.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/layer.h"
#include "quaver/model/model.h"

namespace quaver {

// A node whose inputs have been recoded into what it reads.
struct LayerSite {
  const Model& model;
  const Node& node;
  std::vector<Value> inputs;   // by slot, with the formats that it reads
  std::vector<Value> outputs;  // by slot, as it writes them
  Isa isa;                     // picks the path of its kernels
};

struct LayerRow {
  std::string_view operation;
  std::unique_ptr<Layer> (*make)(const LayerSite& site);  // Error where no kernel holds its numbers
};
std::span<const LayerRow> layer_rows();

std::unique_ptr<Layer> make_layer(const LayerSite& site);

// LayerOf<T> for the numbers that come in.
template <template <typename> typename LayerOf>
std::unique_ptr<Layer> make_typed(const LayerSite& site) {
  switch (site.inputs[0].format.kind) {
    case NumberType::kF32: return std::make_unique<LayerOf<float>>(site);
    case NumberType::kI8: return std::make_unique<LayerOf<std::int8_t>>(site);
    case NumberType::kI16: return std::make_unique<LayerOf<std::int16_t>>(site);
    default: break;
  }
  throw_bad_input(concat("node '", site.node.name, "' reads ", type_name(site.inputs[0].format.kind),
                         " codes, expected f32, i8 or i16"));
}

// Of the operations, each in its file.
std::unique_ptr<Layer> make_lstm(const LayerSite& site);
std::unique_ptr<Layer> make_gru(const LayerSite& site);
std::unique_ptr<Layer> make_rnn(const LayerSite& site);
std::unique_ptr<Layer> make_dense(const LayerSite& site);
std::unique_ptr<Layer> make_embedding(const LayerSite& site);
std::unique_ptr<Layer> make_activation(const LayerSite& site);
std::unique_ptr<Layer> make_pool(const LayerSite& site);
std::unique_ptr<Layer> make_softmax(const LayerSite& site);
std::unique_ptr<Layer> make_argmax(const LayerSite& site);
std::unique_ptr<Layer> make_add(const LayerSite& site);
std::unique_ptr<Layer> make_concat(const LayerSite& site);

}  // namespace quaver
