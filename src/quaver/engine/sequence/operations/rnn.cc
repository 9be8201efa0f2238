#include "quaver/cells/rnn/rnn.h"
#include "quaver/engine/sequence/operations/recurrent_layer.h"
#include "quaver/engine/sequence/operations/tensors.h"

namespace quaver {
namespace {

RnnFloatParams float_params(const LayerSite& site, NodeTensors& tensors) {
  const auto& attributes = std::get<RnnAttributes>(site.node.operation);
  RnnFloatParams params;
  params.n_in = static_cast<std::size_t>(attributes.input_size);
  params.n = static_cast<std::size_t>(attributes.hidden_size);
  params.relu = attributes.nonlinearity == Nonlinearity::kRelu;
  params.W = tensors.matrix<float>("W");
  params.R = tensors.matrix<float>("R");
  params.b = tensors.vector<float>("b");
  return params;
}

RnnIntParams int_params(const LayerSite& site, NodeTensors& tensors) {
  const auto& attributes = std::get<RnnAttributes>(site.node.operation);
  RnnIntParams params;
  params.n_in = static_cast<std::size_t>(attributes.input_size);
  params.n = static_cast<std::size_t>(attributes.hidden_size);
  bind_recurrent(site, tensors, params);
  return params;
}

}  // namespace

std::unique_ptr<Layer> make_rnn(const LayerSite& site) {
  const bool carry = std::get<RnnAttributes>(site.node.operation).carry;
  if (runs_in_float(site.node))
    return make_recurrent<RnnRef>(
        site, carry, [&](NodeTensors& tensors, const std::string&) { return RnnRef(float_params(site, tensors)); });
  return make_recurrent<RnnInt>(site, carry, [&](NodeTensors& tensors, const std::string&) {
    return RnnInt(int_params(site, tensors), site.isa);
  });
}

}  // namespace quaver
