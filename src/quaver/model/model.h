// model.h - a network as a value: named inputs, nodes, edges, formats and tensors. Runs nothing, reads no file.
//
// A model is a graph in topological order: every node reads values made before it, or the model's inputs, and makes one
// value a slot. Float and integer models have the same graph: quantizing gives every edge and tensor an integer Format
// and puts the formats of a cell's inside (cell state, hidden before projection, gates before layer norm) into
// Node::formats.
//
// Tensors of node N are called "N.<tensor>", the reverse direction's "N.<tensor>_reverse"; the headers of operations/
// list them, gates in ONNX's order. Integer models: matrices in the scheme's weight format, vectors i16, with scales as
// tensor.h says; biases i32 without scales: they count in units of the sum they are added to (s_input s_W; with layer
// norm s_L 2^-10).
//
// Of an input V "V.mean" and "V.inverse_deviation" [features] f32, both or neither: the border computes
// (x - mean) * inverse_deviation before it hands (or quantizes) a frame to the first nodes.
//
// "V.scale" and "V.offset" [features] f32, both, either or neither, where V is an input or a node and its value is
// coded in i8 or i16: a scale (finite, above 0) and an offset (finite) a channel. The value's channel c then stands for
//     real = offset[c] + scale[c] * format.scale * (code - format.zero_point)                               (A44)
// in the units of whoever reads the model from outside: its border, decoded outputs, observers. Inside the model codes
// flow as they are; readers of the value hold weights and biases that take its channels into account.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quaver/model/formats/format.h"
#include "quaver/model/graph/node.h"
#include "quaver/model/graph/value.h"
#include "quaver/model/operations/row.h"
#include "quaver/model/tensor.h"

namespace quaver {

struct ModelInput {
  std::string name;
  Value value;  // f32, or codes of i8, or ids of i32
  bool operator==(const ModelInput&) const = default;
};

struct Model {
  std::string name;
  std::string task;                  // the task it was made for, or ""
  std::string scheme{kFloatScheme};  // of the whole; single nodes may differ (Node::scheme)
  std::vector<ModelInput> inputs;
  std::vector<Node> nodes;
  std::vector<std::string> outputs;  // names of values that nodes make
  std::map<std::string, Tensor> tensors;
  std::vector<std::string> classes;               // labels of the scores, or empty
  std::vector<std::string> words;                 // by id, as many as an embedding of an input knows; or empty
  std::map<std::string, std::string> provenance;  // command, seed, data hash, tool version, ...
  bool operator==(const Model&) const = default;

  const Node& node(std::string_view name) const;    // Error naming the nodes there are
  const Value& value(std::string_view name) const;  // of an input, a node, or NODE.SLOT; Error
  // Null for an input, and for what is not there.
  const Node* maker(std::string_view value) const;
  const ModelInput* find_input(std::string_view name) const;
  const Tensor& tensor(std::string_view name) const;  // Error
  const Tensor* find_tensor(std::string_view name) const;
};

inline bool is_recurrent(const Operation& operation) { return row_of(operation).direction(operation).has_value(); }
inline bool is_integer_recurrent(const Node& node) { return !runs_in_float(node) && is_recurrent(node.operation); }

// Tensors that a node must have, and those that it may have beside them: "b_input" of an integer layer-norm LSTM.
std::vector<TensorSlot> tensor_slots(const Node& node);
std::vector<TensorSlot> optional_tensor_slots(const Node& node);
// Names that Node::formats of this node must have, "input" apart, which some integer nodes have on top; none under f32.
std::vector<std::string> format_slots(const Node& node);

// The suffixes of an operation's directions; "" alone of one without a direction.
std::vector<std::string> direction_suffixes(const Operation& operation);
// Of a recurrent operation; nothing of others.
std::optional<Direction> direction_of(const Operation& operation);
// How many of a recurrent node's features are those of its forward direction: the first ones.
std::int64_t forward_features(const Node& node);
// Ids that every node which reads this input of ids knows: 0 up to this.
std::int64_t vocabulary_of(const Model& model, const ModelInput& input);
// The first output of an operation with one input; the format is the caller's (argmax: i32).
Value output_value(const Operation& operation, const Value& input);
// What a node computes with what comes in a slot: its own "input" format, real numbers for a float node, else the
// edge's.
Format input_format(const Model& model, const Node& node, std::size_t slot = 0);

inline constexpr std::size_t kMaxNodes = 1024;
inline constexpr std::size_t kMaxInputs = 64;  // of a model

// Everything a file or a caller can get wrong: names, order, shapes, kinds, scales, formats, finite float values.
// Error names the node, slot or tensor, what was found and what was expected.
// A node is judged by its own scheme. An integer node reads codes: its edge's, or those of its format "input" into
// which the engine converts the edge. A float node reads any edge, and its own output edge may be i8 or i16.
void validate(const Model& model);

// A stable hash of graph and tensors (not of name or provenance): states remember which model they belong to.
std::uint64_t fingerprint(const Model& model);

// A short aligned listing: a line a node.
std::string to_text(const Model& model);

}  // namespace quaver
