// quantizer.h - one model on its way from float to integers: what the operations' files ask and share. Internal.
//
// In order: schemes of nodes; which edges have 16 bits; scales and offsets a channel; codes of the inputs; then every
// integer node by its operation (operations/row.h), whose inputs have their formats by then.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quaver/fixed/quantization.h"
#include "quaver/model/formats/channels.h"
#include "quaver/model/model.h"
#include "quaver/quantize/calibrate.h"
#include "quaver/quantize/operations/row.h"
#include "quaver/quantize/quantize.h"

namespace quaver {

// Codes of `source` with the scales given (tensor.h's rule), within the limit of a weight format, 32767 (i16) or 2^31-1
// (i32).
Tensor code_tensor(const Tensor& source, NumberType kind, std::vector<float> scales);
// One scale for each of `groups` equal runs of rows: max |w| / limit.
std::vector<float> group_scales(const Tensor& weights, std::size_t groups, std::int32_t limit);
double max_abs(std::span<const float> values);
// For codes of a weight format: max |w| / limit, of a packed one the scale that loses least, in squares (A43, A48).
// Values that are all 0: any.
double weight_scale(std::span<const float> values, const WeightFormat& format);

class Quantizer {
 public:
  Quantizer(const Model& model, const Calibration& calibration, const QuantizeOptions& options)
      : source_(model), calibration_(calibration), options_(options) {}
  QuantizeResult run();

  // ---- what an operation asks -------------------------------------------------------------------------------------

  const Model& source() const { return source_; }
  const Calibration& calibration() const { return calibration_; }
  // The node's tensor NODE.NAME on its way.
  Tensor& tensor(const Node& node, const std::string& name) { return result_.model.tensors.at(node.name + "." + name); }
  bool has_tensor(const Node& node, const std::string& name) const {
    return result_.model.tensors.contains(node.name + "." + name);
  }
  void set_tensor(const Node& node, const std::string& name, Tensor tensor) {
    result_.model.tensors[node.name + "." + name] = std::move(tensor);
  }
  void warn(Warning warning) { result_.warnings.push_back(std::move(warning)); }

  // Whether the node's value has codes of 16 bits because rows of an embedding before it differ widely.
  bool is_wide(const Node& node) const { return wide_.contains(node.name); }
  // Whether an override gives the node its scheme, and not the whole model or its place.
  bool is_named(const Node& node) const { return named_.contains(node.name); }
  static bool has_row_scales(const Node& node);              // the node's scheme has a scale a row
  const Channels* channels(const std::string& value) const;  // scales and offsets that were folded (A44), or null

  // Ranges. Error for points that calibration lacks, or that are 0 throughout.
  Affine input_affine(const Node& node, std::size_t slot) const;
  Affine output_affine(const Node& node) const;
  double largest(const std::string& point) const;
  void refuse_zero_range(const std::string& point, double largest, std::uint64_t count) const;

  // The edge that a slot reads, as it is coded by now.
  const Format& edge(const Node& node, std::size_t slot) const;
  // Has the engine recode what comes in a slot, unless it comes so.
  void recode_input(Node& node, std::size_t slot, const Format& format) const;
  // The codes a node reads, of 8 bits where it does not take 16; sets its own "input" format when its edge has none.
  Affine read_input(Node& node);
  Format read_format(const Node& node, std::size_t slot = 0) const { return input_format(result_.model, node, slot); }
  // Nothing but an output of the model, softmax or argmax reads the scores: with i16 they keep what int8 would round
  // away.
  bool feeds_scores_only(const Node& node) const;
  // i16 scores with room for a factor of two: beyond the calibrated range, on new data, they keep their order so.
  Format score_format(const Node& node) const;
  // The node hands on its state's int8 copy, or the state itself (A46). Returns the copy's format.
  Affine code_state(Node& node) const;

  // W (and b beside it at scale s_input s_W). Both tensors are coded in place. operands: the points that W multiplies,
  // one for each equal run of rows.
  void code_matrix(Node& node, const std::string& weights, const std::string& bias, std::size_t gates,
                   float input_scale, const std::vector<std::string>& operands);
  // A bias counts in units of the sum it is added to, so it keeps no scales of its own.
  static void code_bias(Tensor& bias, std::vector<float> scales);

 private:
  void choose_schemes();
  std::string scheme_of_place(const Node& node) const;  // where no rule names the node
  void warn_island(const Node& node);

  // Embeddings whose rows need codes of 16 bits, and whose readers take them (A45). What they drive reaches as far
  // beyond its usual range as their rows do: states (A46) and dense layers hand it on in 16 bits as well.
  void widen_edges();
  // The first node that reads the value, or a pool of it, and takes no 16 bits; "" for none.
  std::string narrow_reader(const std::string& value) const;
  // Behind a wide edge 8 bits are few wherever they come first.
  void warn_narrow_output(const Node& node);
  bool reads_wide(const Node& node) const;

  // Values around which everything is coded with a scale a row get channels where that pays.
  void fold_channels();
  // Of a value with channels: all of them share the codes of the widest. A range that is as wide on both sides has 0 in
  // its middle and a code for either end: features that know two values alone, as switches do, are coded exactly.
  Affine channel_affine(const std::string& value) const;

  void warn_little_data();
  // What an input's features make worth a look: in the user's units.
  void warn_features(const ModelInput& input);

  // The points of a node's directions: "lstm0.output", "lstm0.output_reverse", as far as there are such.
  std::vector<const RangeStatistics*> points(const Node& node, const std::string& point) const;
  Affine range_affine(const Node& node, const std::string& point) const;
  // Codes for the frames of inputs that an integer node reads.
  void code_inputs();
  // The int8 copy of a state in Q0.15. |h| <= 1 whatever the data, so a state that calibration leaves at 0
  // has a format all the same; codes finer than the state itself would gain nothing.
  Format state_format(const Node& node) const;
  // What a recurrent node repeats of its end is coded as what it repeats.
  static void code_last(Node& node);

  // Weight scales of a matrix of `gates` stacked blocks, a row or a gate each; rows whose bias is large beside their
  // weights get a scale that the bias fits. `bias` may be null, or shorter: then it belongs to the last rows.
  std::vector<float> weight_scales(const Node& node, const Tensor& weights, std::size_t gates, const Tensor* bias,
                                   float input_scale) const;
  // W without the columns of features that calibration saw constant: folded, they are as large as the feature's least
  // range, and would set the scales of rows in which they do nothing.
  Tensor moving_columns(const Node& node, const std::string& name, Tensor W) const;
  // bias, of the last rows or null: takes what the codes' errors come to on the mean operand, so that the codes need
  // only follow how operands differ from it.
  Tensor code_compensated(const Node& node, const Tensor& W, NumberType kind, std::vector<float> scales,
                          const std::vector<std::string>& operands, Tensor* bias) const;
  SecondMoment operand(const Node& node, const std::string& point, std::size_t size) const;

  const Model& source_;
  const Calibration& calibration_;
  const QuantizeOptions& options_;
  std::map<std::string, std::string> schemes_;
  std::set<std::string> named_;               // nodes that an override gives their scheme
  std::map<std::string, Channels> channels_;  // of values that were folded
  std::set<std::string> wide_;                // values with codes of 16 bits
  QuantizeResult result_;
};

inline Format format_i8(const Affine& affine) { return {NumberType::kI8, affine.scale, affine.zero_point}; }

}  // namespace quaver
