#include "quaver/engine/bind.h"

#include <algorithm>
#include <cmath>

namespace quaver {
namespace {

// Looks a node's tensors up by their short names.
class Tensors {
 public:
  Tensors(const Model& model, const Node& node, std::string suffix)
      : model_(model), prefix_(node.name + "."), suffix_(std::move(suffix)) {}
  const Tensor& get(const char* name) const { return model_.tensor(prefix_ + name + suffix_); }
  bool has(const char* name) const { return model_.find_tensor(prefix_ + name + suffix_) != nullptr; }
  template <typename T>
  MatrixView<const T> matrix(const char* name) const {
    return get(name).matrix<T>();
  }
  template <typename T>
  std::span<const T> vector(const char* name) const {
    return get(name).as<T>();
  }
  std::span<const float> scales(const char* name) const { return get(name).scales; }

 private:
  const Model& model_;
  std::string prefix_, suffix_;
};

Affine affine(const Format& format) { return {format.scale, format.zero_point}; }

bool is_wide(const Format& format) { return format.kind == NumberType::kI16; }
// What the matrix R of a recurrent node reads: its output, or the copy of a wide one (A46).
const Format& state_copy(const Node& node) {
  return is_wide(node.outputs[0].format) ? node.formats.at("state") : node.outputs[0].format;
}

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

GruShape gru_shape(const GruAttributes& attributes) {
  return {size(attributes.input_size), size(attributes.hidden_size), attributes.linear_before_reset};
}

SumLimits sum_limits(const Node& node) { return node.sums == Sums::kWhole ? kWholeSums : kCutHalves; }

WeightBits weight_bits(const Node& node) { return node.scheme == "int4" ? WeightBits::kFour : WeightBits::kEight; }

}  // namespace

bool has_i4(const Model& model) {
  return std::ranges::any_of(model.tensors, [](const auto& entry) { return entry.second.kind == NumberType::kI4; });
}

Model unpacked(const Model& model) {
  Model result = model;
  for (auto& [name, tensor] : result.tensors)
    if (tensor.kind == NumberType::kI4) tensor = tensor.unpacked_nibbles();
  return result;
}

Format input_format(const Model& model, const Node& node) {
  const auto own = node.formats.find("input");
  if (own != node.formats.end()) return own->second;
  const bool reads_ids = std::holds_alternative<EmbeddingAttributes>(node.operation);
  if (node.scheme == "f32" && !reads_ids) return Format{};
  return model.value(node.inputs[0]).format;
}

LstmShape lstm_shape(const LstmAttributes& attributes) {
  return {size(attributes.input_size),   size(attributes.hidden_size), size(attributes.output_size()),
          attributes.input_forget,       attributes.peephole,          attributes.layer_norm,
          attributes.projection_size > 0};
}

LstmFloatParams lstm_float_params(const Model& model, const Node& node, const std::string& suffix) {
  const auto& attributes = std::get<LstmAttributes>(node.operation);
  const Tensors tensors(model, node, suffix);
  LstmFloatParams params;
  params.shape = lstm_shape(attributes);
  params.W = tensors.matrix<float>("W");
  params.R = tensors.matrix<float>("R");
  params.b = tensors.vector<float>("b");
  if (attributes.peephole) params.P = tensors.vector<float>("P");
  if (attributes.layer_norm) params.L = tensors.vector<float>("L");
  if (params.shape.projection) {
    params.W_projection = tensors.matrix<float>("W_projection");
    params.b_projection = tensors.vector<float>("b_projection");
  }
  params.cell_clip = attributes.clip;
  params.projection_clip = attributes.projection_clip;
  return params;
}

LstmIntParams lstm_int_params(const Model& model, const Node& node, const std::string& suffix) {
  const auto& attributes = std::get<LstmAttributes>(node.operation);
  const Tensors tensors(model, node, suffix);
  LstmIntParams params;
  params.bits = weight_bits(node);
  params.sums = sum_limits(node);
  params.shape = lstm_shape(attributes);
  params.W = tensors.matrix<std::int8_t>("W");
  params.R = tensors.matrix<std::int8_t>("R");
  params.b = tensors.vector<std::int32_t>("b");
  params.W_scales = tensors.scales("W");
  params.R_scales = tensors.scales("R");
  if (attributes.peephole) {
    params.P = tensors.vector<std::int16_t>("P");
    params.P_scales = tensors.scales("P");
  }
  if (attributes.layer_norm) {
    params.L = tensors.vector<std::int16_t>("L");
    params.L_scales = tensors.scales("L");
    if (tensors.has("b_input")) params.b_input = tensors.vector<std::int32_t>("b_input");
    for (std::size_t g = 0; g < params.shape.gate_count(); ++g)
      params.gate_scale[g] = node.formats.at("gate_" + std::string(lstm_gate_letter(params.shape, g)) + suffix).scale;
  }
  if (params.shape.projection) {
    params.W_projection = tensors.matrix<std::int8_t>("W_projection");
    params.b_projection = tensors.vector<std::int32_t>("b_projection");
    params.W_projection_scales = tensors.scales("W_projection");
    params.m = affine(node.formats.at("hidden" + suffix));
  }
  params.x = affine(input_format(model, node));
  params.wide_input = is_wide(input_format(model, node));
  params.h = affine(state_copy(node));
  params.wide_output = is_wide(node.outputs[0].format);
  params.cell_integer_bits = std::ilogb(node.formats.at("cell" + suffix).scale) + 15;  // a power of two: exact
  params.cell_clip = node.codes.at("cell_clip");
  params.output_low = node.codes.at("output_low");
  params.output_high = node.codes.at("output_high");
  return params;
}

GruFloatParams gru_float_params(const Model& model, const Node& node, const std::string& suffix) {
  const Tensors tensors(model, node, suffix);
  GruFloatParams params;
  params.shape = gru_shape(std::get<GruAttributes>(node.operation));
  params.W = tensors.matrix<float>("W");
  params.R = tensors.matrix<float>("R");
  params.b = tensors.vector<float>("b");
  params.b_recurrent = tensors.vector<float>("b_recurrent");
  return params;
}

GruIntParams gru_int_params(const Model& model, const Node& node, const std::string& suffix) {
  const Tensors tensors(model, node, suffix);
  GruIntParams params;
  params.bits = weight_bits(node);
  params.sums = sum_limits(node);
  params.shape = gru_shape(std::get<GruAttributes>(node.operation));
  params.W = tensors.matrix<std::int8_t>("W");
  params.R = tensors.matrix<std::int8_t>("R");
  params.b = tensors.vector<std::int32_t>("b");
  params.b_recurrent = tensors.vector<std::int32_t>("b_recurrent");
  params.W_scales = tensors.scales("W");
  params.R_scales = tensors.scales("R");
  params.x = affine(input_format(model, node));
  params.wide_input = is_wide(input_format(model, node));
  params.h = affine(state_copy(node));
  params.wide_output = is_wide(node.outputs[0].format);
  if (const auto u = node.formats.find("candidate_recurrent" + suffix); u != node.formats.end())
    params.candidate_integer_bits = std::ilogb(u->second.scale) + 15;  // a power of two: exact
  return params;
}

RnnFloatParams rnn_float_params(const Model& model, const Node& node, const std::string& suffix) {
  const auto& attributes = std::get<RnnAttributes>(node.operation);
  const Tensors tensors(model, node, suffix);
  RnnFloatParams params;
  params.n_in = size(attributes.input_size);
  params.n = size(attributes.hidden_size);
  params.relu = attributes.nonlinearity == Nonlinearity::kRelu;
  params.W = tensors.matrix<float>("W");
  params.R = tensors.matrix<float>("R");
  params.b = tensors.vector<float>("b");
  return params;
}

RnnIntParams rnn_int_params(const Model& model, const Node& node, const std::string& suffix) {
  const auto& attributes = std::get<RnnAttributes>(node.operation);
  const Tensors tensors(model, node, suffix);
  RnnIntParams params;
  params.bits = weight_bits(node);
  params.sums = sum_limits(node);
  params.n_in = size(attributes.input_size);
  params.n = size(attributes.hidden_size);
  params.W = tensors.matrix<std::int8_t>("W");
  params.R = tensors.matrix<std::int8_t>("R");
  params.b = tensors.vector<std::int32_t>("b");
  params.W_scales = tensors.scales("W");
  params.R_scales = tensors.scales("R");
  params.x = affine(input_format(model, node));
  params.wide_input = is_wide(input_format(model, node));
  params.h = affine(state_copy(node));
  params.wide_output = is_wide(node.outputs[0].format);
  return params;
}

DenseIntParams dense_int_params(const Model& model, const Node& node) {
  const Tensors tensors(model, node, "");
  DenseIntParams params;
  params.bits = weight_bits(node);
  params.W = tensors.matrix<std::int8_t>("W");
  params.b = tensors.vector<std::int32_t>("b");
  params.W_scales = tensors.scales("W");
  params.x = affine(input_format(model, node));
  params.wide_input = is_wide(input_format(model, node));
  params.y = affine(node.outputs[0].format);
  return params;
}

}  // namespace quaver
