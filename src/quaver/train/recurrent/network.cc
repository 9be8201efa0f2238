#include "quaver/train/recurrent/network.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"

namespace quaver {
namespace {

std::int64_t signed_size(std::size_t size) { return static_cast<std::int64_t>(size); }

// Zeros with this probability, else 1 / (1 - probability): drawn by us, by example, so that a resumed run draws the
// same and an example's does not depend on its batch.
at::Tensor dropout_mask(const at::Tensor& like, double probability, const Shard& shard, const Random& random) {
  at::Tensor mask = at::empty_like(like);
  const auto kept = static_cast<float>(1.0 / (1.0 - probability));
  const auto width = static_cast<std::size_t>(like.size(1));
  const Packing& packing = *shard.packing;
  const bool of_steps = static_cast<std::size_t>(like.size(0)) == packing.rows();
  for (std::size_t s = 0; s < packing.sequences(); ++s) {
    Random drawn = random.fork(shard.examples[s]);
    for (std::size_t t = 0; t < (of_steps ? packing.lengths[s] : 1); ++t) {
      float* row = mask.data_ptr<float>() + (of_steps ? packing.row(t, s) : s) * width;
      for (std::size_t j = 0; j < width; ++j) row[j] = drawn.uniform() < probability ? 0.0f : kept;
    }
  }
  return mask;
}

// Why a node can not be trained where `before` gives what it should read; "" where it can.
std::string refusal(const Node& node, const std::string& before) {
  if (find_train_row(node.operation) == nullptr) return "training has no such operation";
  if (!runs_in_float(node)) return concat("its scheme is ", printable(node.scheme), ", not ", kFloatScheme);
  if (node.inputs.size() != 1) return concat("it reads ", node.inputs.size(), " values");
  if (node.outputs.size() != 1) return concat("it gives ", node.outputs.size(), " values");
  if (node.inputs[0] != before)
    return concat("it reads '", printable(node.inputs[0]), "', not '", printable(before), "' right before it");
  return "";
}

void require_trainable(const Model& model) {
  if (model.inputs.size() != 1)
    throw_bad_input(concat("model '", printable(model.name), "' has ", model.inputs.size(),
                           " inputs and cannot be trained; training takes one"));
  std::string before = model.inputs[0].name;
  for (const Node& node : model.nodes) {
    if (const std::string why = refusal(node, before); !why.empty())
      throw_bad_input(concat("model '", printable(model.name), "': ", described(node), " cannot be trained: ", why,
                             "; training takes a chain of ", kFloatScheme, " nodes, each with one input and one ",
                             "output, of the operations ", join(trained_operations(), ", ")));
    before = node.name;
  }
}

}  // namespace

struct Network::Impl {
  Impl(const Model& model, const EffectiveWeights& rule);

  // What one shard's pass needs: the parameters as autograd sees them, views of `weights`, whose gradients are views of
  // an array of its own.
  struct Place {
    std::vector<float> gradients;
    std::vector<DirectionTensors> tensors;  // of each node
  };

  std::vector<Node> nodes;
  std::vector<Parameter> parameters;
  const EffectiveWeights& rule;
  std::vector<float> values;   // that learn
  std::vector<float> weights;  // that the network reads
  std::vector<std::unique_ptr<Place>> places;

  std::unique_ptr<Place> make_place();
  at::Tensor run(const Place& place, const Shard& shard, double dropout, const Random& random) const;
};

Network::Impl::Impl(const Model& model, const EffectiveWeights& effective) : nodes(model.nodes), rule(effective) {
  for (const Node& node : nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      const std::span<const float> initial = model.tensor(slot.name).as<float>();
      parameters.push_back(
          {slot.name, values.size(), initial.size(), static_cast<std::size_t>(slot.shape[0]), slot.shape.size() > 1});
      values.insert(values.end(), initial.begin(), initial.end());
    }
  }
  weights = values;
}

std::unique_ptr<Network::Impl::Place> Network::Impl::make_place() {
  auto place = std::make_unique<Place>();
  place->gradients.resize(values.size());
  auto parameter = parameters.cbegin();
  for (const Node& node : nodes) {
    DirectionTensors& of_node = place->tensors.emplace_back();
    for (const TensorSlot& slot : tensor_slots(node)) {
      at::Tensor tensor = at::from_blob(weights.data() + parameter->offset, slot.shape).set_requires_grad(true);
      tensor.mutable_grad() = at::from_blob(place->gradients.data() + parameter->offset, slot.shape);
      of_node[slot.direction].push_back(tensor);
      ++parameter;
    }
  }
  return place;
}

at::Tensor Network::Impl::run(const Place& place, const Shard& shard, double dropout, const Random& random) const {
  const std::int64_t rows = signed_size(shard.packing->rows());
  at::Tensor x = shard.ids.empty() ? at::from_blob(const_cast<float*>(shard.values.data()),
                                                   {rows, signed_size(shard.values.size()) / rows})
                                   : at::from_blob(const_cast<std::int64_t*>(shard.ids.data()), {rows}, at::kLong);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (dropout > 0 && i + 1 == nodes.size()) x = x.mul(dropout_mask(x, dropout, shard, random));
    x = find_train_row(nodes[i].operation)
            ->forward({.node = nodes[i],
                       .maker = i == 0 ? nullptr : &nodes[i - 1],
                       .tensors = place.tensors[i],
                       .packing = shard.packing},
                      x);
  }
  return x.contiguous();
}

Network::Network(const Model& model, const EffectiveWeights& weights) {
  require_trainable(model);
  impl_ = std::make_unique<Impl>(model, weights);
  update_weights();
  reserve(1);
}

void Network::update_weights() {
  const EffectiveWeights& plain = find_effective_weights("");
  for (const Parameter& parameter : impl_->parameters)
    (parameter.matrix ? impl_->rule : plain)
        .apply(std::span(impl_->values).subspan(parameter.offset, parameter.size), parameter.rows,
               std::span(impl_->weights).subspan(parameter.offset, parameter.size));
}

Network::Network(Network&&) noexcept = default;
Network::~Network() = default;

const std::vector<Network::Parameter>& Network::parameters() const { return impl_->parameters; }
std::span<float> Network::values() { return impl_->values; }
std::span<float> Network::gradients(std::size_t place) { return impl_->places[place]->gradients; }

void Network::reserve(std::size_t shards) {
  while (impl_->places.size() < shards) impl_->places.push_back(impl_->make_place());
}

double Network::loss_and_gradients(std::size_t place, const Shard& shard, const ShardLoss& loss, const Random& random) {
  std::ranges::fill(impl_->places[place]->gradients, 0.0f);
  const at::Tensor outputs = impl_->run(*impl_->places[place], shard, loss.dropout, random);
  at::Tensor gradient = at::empty_like(outputs);
  const auto size = static_cast<std::size_t>(outputs.numel());
  const double sum = loss.loss.sum({outputs.data_ptr<float>(), size}, static_cast<std::size_t>(outputs.size(1)),
                                   shard.truth(), loss.options, loss.scale, {gradient.data_ptr<float>(), size});
  outputs.backward(gradient);
  return sum;
}

std::vector<float> Network::outputs(const Shard& shard) {
  const c10::NoGradGuard no_gradients;
  const at::Tensor outputs = impl_->run(*impl_->places[0], shard, 0, Random(0));
  return {outputs.data_ptr<float>(), outputs.data_ptr<float>() + outputs.numel()};
}

void Network::store(Model& model) const {
  for (const Parameter& parameter : impl_->parameters) {
    const std::span<float> tensor = model.tensors.at(parameter.name).as_mutable<float>();
    std::copy_n(impl_->weights.begin() + static_cast<std::ptrdiff_t>(parameter.offset), parameter.size, tensor.begin());
  }
}

}  // namespace quaver
