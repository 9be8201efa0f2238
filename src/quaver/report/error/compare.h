// compare.h - where a quantized model parts from its float one: per output, layer, gate and time step.
//
// Both models run over the same sequences with an observer each; what the first says at a point is kept for one chunk
// of steps, held against what the second says there, and dropped: memory does not grow with the number of sequences,
// nor, for models that stream, with their length. With f the first model's values and q the second's, decoded:
//   max_abs  max |f - q|      rmse  sqrt(mean (f - q)^2)      sqnr_db  10 log10(sum f^2 / sum (f - q)^2)
//   sqnr_last_db  the same over the last step of every sequence alone: for an LSTM's output or a GRU's state, the last
//                 hidden state
//   saturated     second model's codes at the ends of their type: i8 -128 and 127, i16 -32768 and 32767. A gate that
//                 is fully open is such a code too (act_*: 1 is 32767), without any loss.
// Equal values have no noise: their figures in dB are kEqualDb, and no figure is above it or below minus it.
// Values after pooling count once a sequence. Steps count from 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quaver/engine/sequence/session.h"
#include "quaver/model/model.h"
#include "quaver/report/error/error_sums.h"

namespace quaver {

// Error over all sequences at steps [step, step + width).
struct StepError {
  std::size_t step = 0;
  std::size_t width = 1;
  double rmse = 0;
  double max_abs = 0;
};

// Error around step 100 and around step 1000 of a long stream, each over 21 steps: does it grow?
struct Drift {
  double rmse_100 = 0;
  double rmse_1000 = 0;
  double ratio = 1;  // rmse_1000 / rmse_100; 1 when both are 0
};

struct PointError {
  std::string name;         // "scores" (outputs, layers), "lstm0.pre_i", "lstm0.cell_reverse" (gates)
  std::uint64_t count = 0;  // values compared
  double max_abs = 0;
  double rmse = 0;
  double sqnr_db = kEqualDb;
  double sqnr_last_db = kEqualDb;
  std::uint64_t saturated = 0;
  // Outputs of more than one value: percent of steps with the same largest one; of indices: with the same index.
  std::optional<double> agreement;
  std::optional<std::size_t> first_part;  // the first step whose rmse is above 3x the median step's
  std::optional<Drift> drift;             // of sequences of more than 1000 steps
  std::vector<StepError> steps;           // at most kMaxCurve entries, of equal width; empty after pooling
};

struct FirstPart {
  std::string point;
  std::size_t step = 0;
};

struct Comparison {
  std::size_t sequences = 0;
  std::size_t steps = 0;
  std::vector<PointError> outputs;      // the models' outputs
  std::vector<PointError> layers;       // "input" as the first node reads it, then every node's output
  std::vector<PointError> gates;        // everything observed inside the cells
  std::vector<PointError> last_hidden;  // of every recurrent node: its full-precision state, or output
  std::optional<FirstPart> first_part;  // the earliest over all points; ties go to the earlier point
};

struct CompareOptions {
  Isa isa = chosen_isa();
  std::function<void(std::size_t done, std::size_t total)> progress{};  // after every sequence
};

inline constexpr std::size_t kMaxCurve = 256;

// Error (bad input) when the models are not two forms of one network (which node differs), when there is no sequence,
// or for a sequence that they can not read.
Comparison compare(const Model& reference, const Model& quantized, std::span<const SequenceView> sequences,
                   const CompareOptions& options = {});

nlohmann::ordered_json to_json(const Comparison& comparison);
std::string to_text(const Comparison& comparison);

}  // namespace quaver
