// model.h - a network as a value: named nodes, edges, formats and tensors. Runs nothing, reads no file.
//
// A model is a graph in topological order: every node reads values made before it (or the input) and makes one value,
// called by the node's name. A value is a sequence [time, features] or, after pooling, one vector [features].
// Float and integer models have the same shape: quantizing gives every edge and tensor an integer Format and puts the
// formats of a cell's inside (cell state, hidden before projection, gates before layer norm) into Node::formats.
//
// Tensors of node N are called "N.<tensor>", the reverse direction's "N.<tensor>_reverse". Gate order is ONNX's:
//   lstm   W [G*cell, input]  R [G*cell, output]  b [G*cell]   G = 4: i,o,f,c; CIFG G = 3: o,f,c
//          P [(G-1)*cell] i,o,f or o,f   L [G*cell] layer norm   W_projection [output, cell]  b_projection [output]
//          b_input [G*cell], optional, of an integer LSTM with layer norm: added to W x before the norm (A44)
//   gru    W [3*hidden, input]  R [3*hidden, hidden]  b [3*hidden]  b_recurrent [3*hidden]    z,r,h
//   rnn    W [hidden, input]  R [hidden, hidden]  b [hidden]
//   dense  W [units, input]  b [units]           embedding  W [vocabulary, features]
//   activation (integer only)  table [256] i8: output code of input code q at q + 128
// Integer models: W R W_projection i8, P L i16, with scales as tensor.h says; biases i32 without scales: they count in
// units of the sum they are added to (s_input s_W; with layer norm s_L 2^-10). b_recurrent is [hidden], the
// candidate's: those of z and r are part of b. "input.mean" and "input.inverse_deviation" [features] f32, both or
// neither: the border computes (x - mean) * inverse_deviation before it hands (or quantizes) a frame to the first node.
//
// "V.scale" and "V.offset" [features] f32, both, either or neither, where V is "input" or a node and its value is coded
// in i8 or i16: a scale (finite, above 0) and an offset (finite) a channel. The value's channel c then stands for
//     real = offset[c] + scale[c] * format.scale * (code - format.zero_point)                               (A44)
// in the units of whoever reads the model from outside: its border, decoded outputs, observers. Inside the model codes
// flow as they are; readers of the value hold weights and biases that take its channels into account.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quaver/cells/feedforward/nonlinearity.h"
#include "quaver/cells/feedforward/pool.h"
#include "quaver/model/format.h"
#include "quaver/model/graph/value.h"
#include "quaver/model/tensor.h"

namespace quaver {

enum class Direction { kForward, kReverse, kBidirectional };

// How an integer recurrent node cuts off the sum of a gate, whose addends are W x with its bias, R h with its own and
// the peephole's term, each rounded to the gate's step (A16, A17):
//   kHalves  to 16 bits after every addend, as LiteRT does; what models of version 1 of the file do
//   kWhole   added in 32 bits and cut to 16 once
enum class Sums { kHalves, kWhole };

struct LstmAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;      // cells
  std::int64_t projection_size = 0;  // 0: no projection, output = hidden_size
  bool input_forget = false;         // CIFG: input gate = 1 - forget gate
  bool peephole = false;
  bool layer_norm = false;
  float clip = 0.0f;             // cell state to [-clip, clip]; 0: none
  float projection_clip = 0.0f;  // output to [-clip, clip]; 0: none
  Direction direction = Direction::kForward;
  bool operator==(const LstmAttributes&) const = default;

  std::int64_t gate_count() const { return input_forget ? 3 : 4; }
  std::int64_t output_size() const { return projection_size > 0 ? projection_size : hidden_size; }  // of one direction
};

struct GruAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool linear_before_reset = true;  // true: PyTorch, Keras, cuDNN (reset after the product)
  Direction direction = Direction::kForward;
  bool operator==(const GruAttributes&) const = default;
};

struct RnnAttributes {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  Nonlinearity nonlinearity = Nonlinearity::kTanh;  // kTanh or kRelu
  Direction direction = Direction::kForward;
  bool operator==(const RnnAttributes&) const = default;
};

struct DenseAttributes {
  std::int64_t input_size = 0;
  std::int64_t units = 0;
  bool operator==(const DenseAttributes&) const = default;
};

struct EmbeddingAttributes {
  std::int64_t vocabulary = 0;
  std::int64_t features = 0;
  bool operator==(const EmbeddingAttributes&) const = default;
};

struct ActivationAttributes {
  Nonlinearity function = Nonlinearity::kRelu;
  bool operator==(const ActivationAttributes&) const = default;
};

struct PoolAttributes {  // over time: sequence -> vector. kFinal: only right behind a reverse or bidirectional layer
  Pooling pooling = Pooling::kLast;
  bool operator==(const PoolAttributes&) const = default;
};

struct SoftmaxAttributes {  // integer: i16 logits -> Q0.15 probabilities
  bool operator==(const SoftmaxAttributes&) const = default;
};

struct ArgmaxAttributes {  // -> one i32: the lowest index of the largest value
  bool operator==(const ArgmaxAttributes&) const = default;
};

using Operation = std::variant<LstmAttributes, GruAttributes, RnnAttributes, DenseAttributes, EmbeddingAttributes,
                               ActivationAttributes, PoolAttributes, SoftmaxAttributes, ArgmaxAttributes>;

std::string_view operation_name(const Operation& operation);  // "lstm", "gru", "rnn", "dense", ...

struct Node {
  std::string name;  // unique, not empty, not "input", without '.'; the name of its value
  Operation operation;
  std::vector<std::string> inputs;  // values by slot: "input" or the name of an earlier node
  std::vector<Value> outputs;       // by slot
  // Formats inside the cell, integer nodes only. LSTM: "cell" (i16, scale 2^-(15-m)), "hidden" (i8, with projection),
  // "gate_i" "gate_o" "gate_f" "gate_c" (i16, with layer norm); each also with "_reverse". RNN: none of these.
  // GRU that resets after the product, optional: "candidate_recurrent" (i16, scale 2^-(15-m), m = 3..7; absent: m = 3),
  // R h + b_recurrent of the candidate before the reset gate scales it; also with "_reverse".
  // Any of the three whose output is i16 (its state in Q0.15): "state" (i8), the copy that R reads, of both directions.
  // Any integer node: "input" (i8) where the edge it reads is coded differently (a float island, an i16 edge): the
  // engine converts.
  std::map<std::string, Format> formats{};
  // Clamps as codes, integer lstm nodes only, always all three: "cell_clip" (1..32767, or 0 for none), "output_low" and
  // "output_high" (-128 <= low <= high <= 127). Codes, not reals, so that LiteRT's clamp around code 0 and ours around
  // the zero point are both just two numbers.
  std::map<std::string, std::int32_t> codes{};
  std::string scheme = "f32";  // f32, int8, int8_per_tensor or int4
  Sums sums = Sums::kHalves;   // of an integer lstm, gru or rnn; else it stays as it is here
  bool operator==(const Node&) const = default;
};

struct ModelInput {
  std::string name;  // of its value
  Value value;       // format i32 for ids
  bool operator==(const ModelInput&) const = default;
};

struct Model {
  std::string name;
  std::string task;            // the task it was made for, or ""
  std::string scheme = "f32";  // of the whole; single nodes may differ (Node::scheme)
  std::vector<ModelInput> inputs;
  std::vector<Node> nodes;
  std::vector<std::string> outputs;  // names of nodes
  std::map<std::string, Tensor> tensors;
  std::vector<std::string> classes;               // labels of the scores, or empty
  std::map<std::string, std::string> provenance;  // command, seed, data hash, tool version, ...
  bool operator==(const Model&) const = default;

  const Node& node(std::string_view name) const;      // Error naming the nodes there are
  const Value& value(std::string_view name) const;    // of "input" or a node
  const Tensor& tensor(std::string_view name) const;  // Error
  const Tensor* find_tensor(std::string_view name) const;
};

// Names as files, listings and flags write them: "forward", "relu", "mean"; *_from_name: Error that lists the names.
std::string_view direction_name(Direction direction);
std::string_view nonlinearity_name(Nonlinearity nonlinearity);
std::string_view pooling_name(Pooling pooling);
std::string_view sums_name(Sums sums);  // "halves", "whole"
Direction direction_from_name(std::string_view name);
Nonlinearity nonlinearity_from_name(std::string_view name);
Pooling pooling_from_name(std::string_view name);
Sums sums_from_name(std::string_view name);

bool is_recurrent(const Operation& operation);  // lstm, gru or rnn
inline bool is_integer_recurrent(const Node& node) { return node.scheme != "f32" && is_recurrent(node.operation); }

// A tensor that a node must have.
struct TensorSlot {
  std::string name;  // in Model::tensors, with the node's name before it
  std::vector<std::int64_t> shape;
  NumberType kind = NumberType::kF32;  // under the node's scheme
};
std::vector<TensorSlot> tensor_slots(const Node& node);
// Those that it may have beside them: "b_input" of an integer layer-norm LSTM.
std::vector<TensorSlot> optional_tensor_slots(const Node& node);
// Names that Node::formats of this node must have, "input" apart, which some integer nodes have on top; none under f32.
std::vector<std::string> format_slots(const Node& node);
// Names that it may have beside them.
std::vector<std::string> optional_format_slots(const Node& node);

// "" and "_reverse": the tensor suffixes of the directions a node runs, in output order.
std::vector<std::string> direction_suffixes(Direction direction);
std::vector<std::string> direction_suffixes(const Operation& operation);  // "" alone of one without a direction
// Output features of one step, all directions together.
std::int64_t output_features(const Operation& operation, std::int64_t input_features);
// Of a recurrent operation; nothing of others.
std::optional<Direction> direction_of(const Operation& operation);
// How many of a recurrent node's features are those of its forward direction: the first ones.
std::int64_t forward_features(const Node& node);
// What a node makes from its input: sequence or vector, features; the format is the caller's (argmax: i32).
Value output_value(const Operation& operation, const Value& input);

inline constexpr std::size_t kMaxNodes = 1024;
inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 16;        // of features, cells, units
inline constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 24;  // rows of an embedding

// Everything a file or a caller can get wrong: names, order, shapes, kinds, scales, formats, finite float values.
// Error names the node or tensor, what was found and what was expected.
// A node is judged by its own scheme. An integer node reads codes: its edge's, or those of its format "input" into
// which the engine converts the edge. A float node reads any edge, and its own output edge may be i8 or i16.
void validate(const Model& model);

// A stable hash of graph and tensors (not of name or provenance): states remember which model they belong to.
std::uint64_t fingerprint(const Model& model);

// A short aligned listing: a line a node.
std::string to_text(const Model& model);

}  // namespace quaver
