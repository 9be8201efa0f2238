// row.h - how each operation is coded in integers: one object an operation, in its own file; table.cc lists them.
// Internal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quaver/model/formats/channels.h"
#include "quaver/model/model.h"
#include "quaver/quantize/channel_statistics.h"

namespace quaver {

class Quantizer;

class QuantizeRow {
 public:
  virtual ~QuantizeRow() = default;

  // Gives an integer node its formats and codes its tensors, from the ranges of its points. Its inputs have theirs.
  virtual void code(Quantizer& quantizer, Node& node) const = 0;

  // ---- scales and offsets a channel (A44) ----

  // Whether what it gives can be divided by a scale a channel where it is made, and moved by an offset.
  virtual std::optional<Folding> folding(const Node&) const { return std::nullopt; }
  // Rewrites its float tensors so.
  virtual void normalize(Model&, const Node&, const Channels&) const {}
  // The tensor, without its direction, that takes W times an offset of the input; zeros where the model has none.
  virtual std::string offset_bias(const Node&) const { return "b"; }

  // ---- codes of 16 bits ----

  // Whether its matrix takes them (A45), of so many features.
  virtual bool reads_wide(std::int64_t /*features*/) const { return false; }
  // Whether it can hand them on where it reads them (A46), and why it can not.
  virtual bool hands_on_wide(const Node&) const { return false; }
  virtual std::string narrow_reason(const Node&) const { return "it has 8 bits alone"; }
  virtual bool passes_on() const { return false; }  // gives codes as it reads them
  // Whether what it looks up is of such uneven size that 8 bits are few, and no fewer were asked for by its name.
  virtual bool starts_wide(const Quantizer&, const Node&) const { return false; }
  // Reads scores for their order or shares alone.
  virtual bool ranks_scores() const { return false; }
};

const QuantizeRow& quantize_row(const Operation& operation);

// Of the operations, each in its file.
const QuantizeRow& quantize_lstm();
const QuantizeRow& quantize_gru();
const QuantizeRow& quantize_rnn();
const QuantizeRow& quantize_dense();
const QuantizeRow& quantize_embedding();
const QuantizeRow& quantize_activation();
const QuantizeRow& quantize_pool();
const QuantizeRow& quantize_softmax();
const QuantizeRow& quantize_argmax();
const QuantizeRow& quantize_add();
const QuantizeRow& quantize_concat();

// (P, q) of a matrix whose rows are the channels from `first` on: rows divided by their scales, biases moved too.
void normalize_rows(Tensor& weights, Tensor& bias, const Channels& channels, std::size_t first);

// 448 * 127 * 2^15 + kLargestBiasCode < 2^31: so many features in 16 bits are sure to fit a sum of int32.
inline constexpr std::int64_t kMostWideFeatures = 448;

}  // namespace quaver
