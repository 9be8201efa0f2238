// inspect.h - what a model is and what one time step of it costs: bytes, operations, state, energy.
//
// Counting rules, all for one time step of one stream (every node once, each direction of a cell once):
//   macs         multiply-accumulates of the matrix products alone
//   float_ops    float operations inside float nodes, the recoding of their edges included: each addition,
//                multiplication, comparison, division, root, exp or tanh is one. 0 for an all-integer model.
//   border_float_ops   at the model's border: normalising (2) and coding (5: scale, round, shift, clamp twice) an input
//                value, decoding an output value (2). Callers that hold codes do not pay them.
//   weights_bytes      tensors with their scales, as stored; bytes: the model file
//   state_bytes  what a stream keeps between steps, derived copies included; both directions of a bidirectional cell
// In integers a requantization is one 32-bit multiplication and two additions, an int16 sigmoid or tanh
// kCurveSteps multiplications and additions (what fixed/activation.h runs); a float exp, tanh, division or root is
// priced alike, as kCurveSteps float multiplications and additions.
//
// energy_pj prices the operations at 45 nm, 0.9 V (Horowitz, "Computing's energy problem", ISSCC 2014). int16, which
// the table lacks, is the geometric mean of int8 and int32: cost is a power of the width. Shifts, table look-ups and
// moves are free. Reading the weights once is reported apart, never added: from 32 KiB SRAM (20 pJ for 8 bytes) and
// from DRAM (1300 pJ for 8 bytes, the table's lower end).
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "quaver/model/model.h"

namespace quaver {

inline constexpr std::uint64_t kCurveSteps = 18;

// Arithmetic of one step, by width.
struct OperationCounts {
  std::uint64_t i8_multiply = 0;
  std::uint64_t i16_multiply = 0;
  std::uint64_t i32_multiply = 0;
  std::uint64_t i16_add = 0;
  std::uint64_t i32_add = 0;
  std::uint64_t f32_multiply = 0;
  std::uint64_t f32_add = 0;    // and comparisons
  std::uint64_t f32_curve = 0;  // exp, tanh, sigmoid, division, root
  bool operator==(const OperationCounts&) const = default;

  OperationCounts& operator+=(const OperationCounts& other);
  std::uint64_t float_ops() const { return f32_multiply + f32_add + f32_curve; }
  double energy_pj() const;
};

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
  double memory_pj_sram = 0;
  double memory_pj_dram = 0;
  std::vector<LayerReport> layers;
  std::vector<std::string> float_nodes;  // islands of a model that is not f32 as a whole
};

// file_bytes: size of the model's file; 0 when there is none, then weights_bytes stands in.
Inspection inspect(const Model& model, std::uint64_t file_bytes = 0);

nlohmann::ordered_json to_json(const Inspection& inspection);
std::string to_text(const Inspection& inspection);

}  // namespace quaver
