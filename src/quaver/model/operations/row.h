// row.h - what the model's floor knows of an operation: shapes, tensors, formats, and what can be wrong with them.
//
// One object an operation, in its own file; OperationRowOf<Attributes> below hands the attributes to it typed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quaver/core/text.h"
#include "quaver/model/graph/node.h"

namespace quaver {

inline constexpr std::int64_t kMaxSize = std::int64_t{1} << 16;        // of features, cells, units
inline constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 24;  // rows of an embedding
inline constexpr std::size_t kMostSlots = 64;                          // inputs of a node

enum class TensorRole {
  kMatrix,  // rows are sums over what it multiplies
  kBias,    // counts in units of the sum it is added to
  kVector,  // multiplies element by element: peepholes, layer norm
  kTable,   // rows or codes that are looked up: codes of values, which use all of their type
};
enum class TensorStart { kZeros, kOnes, kUniform, kGlorot, kOrthogonal, kForgetOnes };  // before training

// A tensor that a node must have, or may have.
struct TensorSlot {
  std::string name;  // in Model::tensors, with the node's name before it
  std::vector<std::int64_t> shape;
  NumberType kind = NumberType::kF32;  // under the node's scheme
  TensorRole role = TensorRole::kMatrix;
  std::string direction{};  // "" or "_reverse"
  std::size_t gates = 1;    // equal runs of its rows
  // Points of observer.h that a matrix multiplies: one, or one for each gate's rows.
  std::vector<std::string> operands{};
  TensorStart start = TensorStart::kZeros;
  // Where `kind` is packed: it may be i8 instead, as all tables were before embeddings had fewer bits.
  bool may_be_bytes = false;
};

// A format inside an integer node.
struct FormatSlot {
  std::string name;
  NumberType kind = NumberType::kI16;
  bool optional = false;
  // Powers of two alone, 2^-(15-m) with m in this range.
  struct IntegerBits {
    int least, most;
  };
  std::optional<IntegerBits> integer_bits{};
};

// An integer in Node::codes of an integer node.
struct CodeSlot {
  std::string name;
  std::int32_t low, high;
};

// A node among the values that it reads.
struct Site {
  struct Input {
    const Value* value;
    const Node* maker;  // null: an input of the model
    // Whether it changes while a sequence goes on: it has time, or comes from what has.
    bool follows_time;
  };
  const Node& node;
  std::span<const Input> inputs;  // by slot

  const Value& input(std::size_t slot = 0) const { return *inputs[slot].value; }
  std::string input_name(std::size_t slot = 0) const;  // "input 'x'", of one of several "input 1 'x'"
  // What an integer node computes with, recoded or not, and how to call it.
  const Format& read_format(std::size_t slot = 0) const;
  std::string read_name(std::size_t slot = 0) const;
  std::string output_name() const;
};

class OperationRow {
 public:
  virtual ~OperationRow() = default;

  // ---- the graph ----

  virtual std::size_t least_inputs() const { return 1; }
  virtual std::size_t most_inputs() const { return 1; }
  // The first is the node's own.
  virtual std::span<const std::string_view> output_slots() const;
  // Error (bad input): attributes that are wrong in themselves or do not fit the inputs' shapes.
  virtual void check(const Site& site) const = 0;
  // What it makes of inputs that check() accepts: by slot, all of them. Formats are the caller's, but for indices.
  virtual std::vector<Value> outputs(const Operation& operation, std::span<const Value* const> inputs) const = 0;
  virtual bool reads_ids() const { return false; }
  // How many ids it knows, where it reads ids: 0 .. vocabulary - 1.
  virtual std::int64_t vocabulary(const Operation&) const { return 0; }
  virtual bool gives_index() const { return false; }   // its first output is i32 whatever it reads
  virtual bool gives_scores() const { return false; }  // the largest of its outputs is an answer
  // Of a layer that runs over time, or along an inner axis of each frame.
  virtual std::optional<Direction> direction(const Operation&) const { return std::nullopt; }
  virtual bool runs_inside_frames(const Operation&) const { return false; }
  // Of what makes one value of a sequence.
  virtual std::optional<Pooling> pooling(const Operation&) const { return std::nullopt; }

  // ---- numbers ----

  virtual std::vector<TensorSlot> tensors(const Node&) const { return {}; }
  virtual std::vector<TensorSlot> optional_tensors(const Node&) const { return {}; }
  // Why it can not run in integers; "" where it can.
  virtual std::string no_integer_form(const Operation&) const { return ""; }
  virtual std::vector<FormatSlot> formats(const Node&) const { return {}; }
  virtual std::vector<CodeSlot> codes(const Node&) const { return {}; }
  // Error (bad input): an integer node's formats at its borders.
  virtual void check_formats(const Site& site) const = 0;

  // Names of the gates in the order of their rows, as in the points of observer.h ("pre_i"); none of others.
  virtual std::vector<std::string> gates(const Operation&) const { return {}; }

  // ---- words ----

  // What is special about it: "cifg, peephole"; "" where nothing is.
  virtual std::string variant(const Operation&) const { return ""; }

  virtual std::string text(const Operation& operation) const = 0;  // for listings: "lstm 128 cifg"
};

template <typename Attributes>
class OperationRowOf : public OperationRow {
 public:
  void check(const Site& site) const final { check(site, std::get<Attributes>(site.node.operation)); }
  std::vector<Value> outputs(const Operation& operation, std::span<const Value* const> inputs) const final {
    return outputs(std::get<Attributes>(operation), inputs);
  }
  std::string text(const Operation& operation) const final { return text(std::get<Attributes>(operation)); }

 protected:
  virtual void check(const Site&, const Attributes&) const {}
  virtual std::vector<Value> outputs(const Attributes&, std::span<const Value* const> inputs) const = 0;
  virtual std::string text(const Attributes&) const { return std::string(Attributes::kName); }
};

// ---- what rows are written with ------------------------------------------------------------------------------------

// Error (bad input) that begins "model: ".
[[noreturn]] void refuse_text(const std::string& text);
template <typename... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  refuse_text(concat(parts...));
}

// Types of weights under the node's scheme.
NumberType matrix_type(const Node& node);
NumberType table_type(const Node& node);   // of an activation's table: f32 or i8
NumberType vector_type(const Node& node);  // f32 or i16
NumberType bias_type(const Node& node);    // f32 or i32

void check_size(const Node& node, std::string_view attribute, std::int64_t size, std::int64_t limit = kMaxSize);
// The innermost axis of the first input has `size` features.
void check_input_size(const Site& site, std::int64_t size);
void check_format(const std::string& what, const Format& format);  // alone: scale, zero point
void expect_kind(const std::string& what, const Format& format, std::initializer_list<NumberType> kinds);
void expect_format(const std::string& what, const Format& format, const Format& expected);

}  // namespace quaver
