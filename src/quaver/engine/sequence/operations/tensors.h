// tensors.h - a node's tensors by their short names, as the parameter structs of the cells view them. Internal.
//
// The structs view this object and the model's memory: build the cell before either goes away.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>

#include "quaver/cells/row_scales.h"
#include "quaver/core/matrix_view.h"
#include "quaver/engine/sequence/operations/row.h"
#include "quaver/fixed/quantization.h"
#include "quaver/fixed/weight_format.h"
#include "quaver/model/formats/scheme.h"

namespace quaver {

class NodeTensors {
 public:
  // suffix: "" or "_reverse" (direction_suffixes).
  explicit NodeTensors(const LayerSite& site, std::string suffix = "")
      : model_(site.model), prefix_(site.node.name + "."), suffix_(std::move(suffix)) {}

  bool has(const char* name) const { return model_.find_tensor(full(name)) != nullptr; }
  // Packed codes a byte each: cells pack them anew, for their path.
  template <typename T>
  MatrixView<const T> matrix(const char* name) {
    const Tensor& tensor = get(name);
    if (tensor.kind == number_type_of<T>()) return tensor.matrix<T>();
    return unpacked_.emplace_back(tensor.unpacked()).matrix<T>();
  }
  template <typename T>
  std::span<const T> vector(const char* name) const {
    return get(name).as<T>();
  }
  std::span<const float> scales(const char* name) const { return get(name).scales; }
  const Tensor& get(const char* name) const { return model_.tensor(full(name)); }

 private:
  std::string full(const char* name) const { return prefix_ + name + suffix_; }

  const Model& model_;
  std::string prefix_, suffix_;
  std::deque<Tensor> unpacked_;  // which views point into: must not move
};

inline Affine affine(const Format& format) { return {format.scale, format.zero_point}; }
inline bool is_wide(const Format& format) { return format.kind == NumberType::kI16; }
// Of the matrices of an integer node.
inline WeightFormatId weight_format_id(const Node& node) { return weight_format_of(matrix_type(node))->id; }

// ---- of recurrent nodes --------------------------------------------------------------------------------------------

// What the matrix R reads: the output, or the copy of a wide one (A46).
inline const Format& state_copy(const Node& node) {
  return is_wide(node.outputs[0].format) ? node.formats.at("state") : node.outputs[0].format;
}
inline SumLimits sum_limits(const Node& node) { return node.sums == Sums::kWhole ? kWholeSums : kCutHalves; }

// Fields that the parameters of integer cells have in common.
template <typename Params>
void bind_recurrent(const LayerSite& site, NodeTensors& tensors, Params& params) {
  params.format = weight_format_id(site.node);
  params.sums = sum_limits(site.node);
  params.W = tensors.matrix<std::int8_t>("W");
  params.R = tensors.matrix<std::int8_t>("R");
  params.b = tensors.vector<std::int32_t>("b");
  params.W_scales = tensors.scales("W");
  params.R_scales = tensors.scales("R");
  params.x = affine(site.inputs[0].format);
  params.wide_input = is_wide(site.inputs[0].format);
  params.h = affine(state_copy(site.node));
  params.wide_output = is_wide(site.node.outputs[0].format);
}

}  // namespace quaver
