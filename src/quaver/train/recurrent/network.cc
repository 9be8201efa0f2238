#include "quaver/train/recurrent/network.h"

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include "quaver/core/error.h"
#include "quaver/core/printable.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/gemm.h"
#include "quaver/train/recurrent/operations/row.h"
#include "quaver/train/recurrent/operations/site.h"

namespace quaver {
namespace {

std::int64_t signed_size(std::size_t size) { return static_cast<std::int64_t>(size); }

// Zeros with this probability, else 1 / (1 - probability): drawn by us, so that a resumed run draws the same.
at::Tensor dropout_mask(const at::Tensor& like, double probability, Random& random) {
  at::Tensor mask = at::empty_like(like);
  float* values = mask.data_ptr<float>();
  const auto kept = static_cast<float>(1.0 / (1.0 - probability));
  for (std::int64_t i = 0; i < mask.numel(); ++i) values[i] = random.uniform() < probability ? 0.0f : kept;
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
  Impl(const Model& model, std::size_t thread_count);

  std::vector<Node> nodes;
  std::size_t threads;
  std::vector<Parameter> parameters;
  std::vector<float> values, gradients;
  std::vector<DirectionTensors> tensors;  // of each node: views of `values`, whose gradients are views of `gradients`

  at::Tensor run(const Batch& batch, double dropout, Random& random) const;
};

Network::Impl::Impl(const Model& model, std::size_t thread_count) : nodes(model.nodes), threads(thread_count) {
  for (const Node& node : nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      const std::span<const float> initial = model.tensor(slot.name).as<float>();
      parameters.push_back({slot.name, values.size(), initial.size(), slot.shape.size() > 1});
      values.insert(values.end(), initial.begin(), initial.end());
    }
  }
  gradients.resize(values.size());
  auto parameter = parameters.cbegin();
  for (const Node& node : nodes) {
    DirectionTensors& of_node = tensors.emplace_back();
    for (const TensorSlot& slot : tensor_slots(node)) {
      at::Tensor tensor = at::from_blob(values.data() + parameter->offset, slot.shape).set_requires_grad(true);
      tensor.mutable_grad() = at::from_blob(gradients.data() + parameter->offset, slot.shape);
      of_node[slot.direction].push_back(tensor);
      ++parameter;
    }
  }
}

at::Tensor Network::Impl::run(const Batch& batch, double dropout, Random& random) const {
  const std::int64_t rows = signed_size(batch.packing->rows());
  at::Tensor x = batch.ids.empty() ? at::from_blob(const_cast<float*>(batch.values.data()),
                                                   {rows, signed_size(batch.values.size()) / rows})
                                   : at::from_blob(const_cast<std::int64_t*>(batch.ids.data()), {rows}, at::kLong);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (dropout > 0 && i + 1 == nodes.size()) x = x.mul(dropout_mask(x, dropout, random));
    x = find_train_row(nodes[i].operation)
            ->forward({.node = nodes[i],
                       .maker = i == 0 ? nullptr : &nodes[i - 1],
                       .tensors = tensors[i],
                       .packing = batch.packing,
                       .threads = threads},
                      x);
  }
  return x;
}

Network::Network(const Model& model, std::size_t threads) {
  require_trainable(model);
  impl_ = std::make_unique<Impl>(model, threads);
}

Network::Network(Network&&) noexcept = default;
Network::~Network() = default;

const std::vector<Network::Parameter>& Network::parameters() const { return impl_->parameters; }
std::span<float> Network::values() { return impl_->values; }
std::span<float> Network::gradients() { return impl_->gradients; }

double Network::loss_and_gradients(const Batch& batch, const LossOptions& options, Random random) {
  const SingleThreadedBlas blas;
  std::ranges::fill(impl_->gradients, 0.0f);
  const at::Tensor scores = impl_->run(batch, options.dropout, random);
  const at::Tensor labels =
      at::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {signed_size(batch.labels.size())}, at::kLong);
  const at::Tensor loss =
      at::cross_entropy_loss(scores, labels, {}, at::Reduction::Mean, /*ignore_index=*/-1, options.label_smoothing);
  loss.backward();
  return loss.item<double>();
}

std::vector<float> Network::scores(const Batch& batch) {
  const SingleThreadedBlas blas;
  const c10::NoGradGuard no_gradients;
  Random unused(0);
  const at::Tensor scores = impl_->run(batch, 0, unused).contiguous();
  return {scores.data_ptr<float>(), scores.data_ptr<float>() + scores.numel()};
}

void Network::store(Model& model) const {
  for (const Parameter& parameter : impl_->parameters) {
    const std::span<float> tensor = model.tensors.at(parameter.name).as_mutable<float>();
    std::copy_n(impl_->values.begin() + static_cast<std::ptrdiff_t>(parameter.offset), parameter.size, tensor.begin());
  }
}

}  // namespace quaver
