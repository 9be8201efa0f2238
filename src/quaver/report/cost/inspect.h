// inspect.h - what a model is and what one time step of it costs: bytes, operations, state, energy.
//
// Counting rules, all for one time step of one stream (every node once, each direction of a cell once):
//   macs         multiply-accumulates of the matrix products alone
//   float_ops    float operations inside float nodes, the recoding of their edges included: each addition,
//                multiplication, comparison, division, root, exp or tanh is one. 0 for an all-integer model.
//   border_float_ops   at the model's border: normalising (2) and coding (5: scale, round, shift, clamp twice) an input
//                value, decoding an output value (2); scale and offset of a channel (2). Callers that hold codes do not
//                pay them.
//   weights_bytes      tensors with their scales, as stored; bytes: the model file
//   state_bytes  what a stream keeps between steps, derived copies included; both directions of a bidirectional cell
// In integers a requantization is one 32-bit multiplication and two additions, an int16 sigmoid or tanh
// kCurveSteps multiplications and additions (what fixed/activation.h runs).
//
// energy_pj prices the operations by an energy table (energy.h). Shifts are counted and free there; table look-ups and
// moves are neither. Bytes moved are reported apart and never added: every node reads its weights (of an embedding one
// row), its input and its state once a step and writes its output and state once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quaver/model/model.h"
#include "quaver/report/cost/energy.h"

namespace quaver {

struct TensorReport {
  std::string name;
  std::string format;
  std::vector<std::int64_t> shape;
  std::size_t scales = 0;  // 0 for floats, 1 per tensor, rows for per row
  std::uint64_t bytes = 0;
};

struct LayerReport {
  std::string name;
  std::string kind;    // "lstm", "dense", ...
  std::string detail;  // variant: "cifg peephole projection 64 bidirectional"
  std::string scheme;
  std::string input_format;
  std::string output_format;
  std::string weight_format;  // of the matrices, "" without any
  std::int64_t input_features = 0;
  std::int64_t output_features = 0;
  std::vector<TensorReport> tensors;
  std::uint64_t bytes = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t macs = 0;
  OperationCounts operations;
  double energy_pj = 0;
  Traffic traffic;
};

// The channels of a value that has scales or offsets of its own (A44), in the units of its user: of the input those of
// a frame before it is normalised.
struct ChannelReport {
  std::string value;              // "input" or a node
  std::vector<double> step;       // of a code
  std::vector<double> low, high;  // what the codes reach
};

struct Inspection {
  std::string model;  // its name
  std::string task;
  std::string scheme;
  std::int64_t input_features = 0;  // 1 for ids
  std::string input_format;
  std::uint64_t bytes = 0;
  std::uint64_t weights_bytes = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t parameters = 0;  // elements of all tensors
  std::uint64_t macs = 0;
  std::uint64_t float_ops = 0;
  std::uint64_t border_float_ops = 0;
  double energy_pj = 0;
  double energy_gain_vs_f32 = 1;  // energy of the same graph counted in f32 / energy_pj
  EnergyTable energy_table;       // that priced it
  Traffic traffic;
  std::optional<double> memory_pj_sram, memory_pj_dram;  // of reading the weights; where the table has them
  std::vector<LayerReport> layers;
  std::vector<ChannelReport> channels;
  std::vector<std::string> float_nodes;  // islands of a model that is not f32 as a whole
  std::uint64_t fingerprint = 0;
  std::vector<std::string> classes;
};

// file_bytes: size of the model's file; 0 when there is none, then weights_bytes stands in.
Inspection inspect(const Model& model, std::uint64_t file_bytes = 0, const EnergyTable& table = horowitz_2014());

nlohmann::ordered_json to_json(const Inspection& inspection);
std::string to_text(const Inspection& inspection);

}  // namespace quaver
