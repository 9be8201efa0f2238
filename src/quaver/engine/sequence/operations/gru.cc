#include <cmath>

#include "quaver/cells/gru/int.h"
#include "quaver/cells/gru/ref.h"
#include "quaver/engine/sequence/operations/recurrent_layer.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

GruFloatParams float_params(const LayerSite& site, NodeTensors& tensors) {
  GruFloatParams params;
  params.shape = std::get<GruAttributes>(site.node.operation).shape();
  params.W = tensors.matrix<float>("W");
  params.R = tensors.matrix<float>("R");
  params.b = tensors.vector<float>("b");
  params.b_recurrent = tensors.vector<float>("b_recurrent");
  return params;
}

GruIntParams int_params(const LayerSite& site, NodeTensors& tensors, const std::string& suffix) {
  GruIntParams params;
  params.shape = std::get<GruAttributes>(site.node.operation).shape();
  bind_recurrent(site, tensors, params);
  params.b_recurrent = tensors.vector<std::int32_t>("b_recurrent");
  const auto& formats = site.node.formats;
  if (const auto u = formats.find("candidate_recurrent" + suffix); u != formats.end())
    params.candidate_integer_bits = std::ilogb(u->second.scale) + 15;  // a power of two: exact
  return params;
}

}  // namespace

std::unique_ptr<Layer> make_gru(const LayerSite& site) {
  const bool carry = std::get<GruAttributes>(site.node.operation).carry;
  if (runs_in_float(site.node))
    return make_recurrent<GruRef>(
        site, carry, [&](NodeTensors& tensors, const std::string&) { return GruRef(float_params(site, tensors)); });
  return make_recurrent<GruInt>(site, carry, [&](NodeTensors& tensors, const std::string& suffix) {
    return GruInt(int_params(site, tensors, suffix), site.isa);
  });
}

}  // namespace quaver
