#include <cmath>

#include "quaver/cells/lstm/int.h"
#include "quaver/cells/lstm/ref.h"
#include "quaver/engine/sequence/operations/recurrent_layer.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

LstmFloatParams float_params(const LayerSite& site, NodeTensors& tensors) {
  const auto& attributes = std::get<LstmAttributes>(site.node.operation);
  LstmFloatParams params;
  params.shape = attributes.shape();
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

LstmIntParams int_params(const LayerSite& site, NodeTensors& tensors, const std::string& suffix) {
  const Node& node = site.node;
  const auto& attributes = std::get<LstmAttributes>(node.operation);
  LstmIntParams params;
  params.shape = attributes.shape();
  bind_recurrent(site, tensors, params);
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
  params.cell_integer_bits = std::ilogb(node.formats.at("cell" + suffix).scale) + 15;  // a power of two: exact
  params.cell_clip = node.codes.at("cell_clip");
  params.output_low = node.codes.at("output_low");
  params.output_high = node.codes.at("output_high");
  return params;
}

}  // namespace

std::unique_ptr<Layer> make_lstm(const LayerSite& site) {
  const bool carry = std::get<LstmAttributes>(site.node.operation).carry;
  if (runs_in_float(site.node))
    return make_recurrent<LstmRef>(
        site, carry, [&](NodeTensors& tensors, const std::string&) { return LstmRef(float_params(site, tensors)); });
  return make_recurrent<LstmInt>(site, carry, [&](NodeTensors& tensors, const std::string& suffix) {
    return LstmInt(int_params(site, tensors, suffix), site.isa);
  });
}

}  // namespace quaver
