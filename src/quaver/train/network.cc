#include "quaver/train/network.h"

#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <map>
#include <numeric>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/train/gemm.h"
#include "quaver/train/recurrent_functions.h"

namespace quaver {
namespace {

LstmShape shape_of(const LstmAttributes& lstm) {
  return {.n_in = static_cast<std::size_t>(lstm.input_size),
          .n_cell = static_cast<std::size_t>(lstm.hidden_size),
          .n_out = static_cast<std::size_t>(lstm.output_size()),
          .cifg = lstm.input_forget,
          .peephole = lstm.peephole,
          .layer_norm = lstm.layer_norm,
          .projection = lstm.projection_size > 0};
}

std::int64_t signed_size(std::size_t size) { return static_cast<std::int64_t>(size); }

// Row of step 0, 1, ... of every sequence, one sequence after the other, each filled up to the longest with its last.
at::Tensor rows_by_sequence(const Packing& packing) {
  at::Tensor index = at::empty({signed_size(packing.sequences()), signed_size(packing.steps())}, at::kLong);
  std::int64_t* rows = index.data_ptr<std::int64_t>();
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    for (std::size_t t = 0; t < packing.steps(); ++t)
      rows[s * packing.steps() + t] = signed_size(packing.row(std::min(t, packing.lengths[s] - 1), s));
  return index;
}

// forward: of final, the features that come from a forward direction.
at::Tensor pool(Pooling pooling, std::int64_t forward, const Packing& packing, const at::Tensor& x) {
  const std::int64_t sequences = signed_size(packing.sequences()), features = x.size(1);
  if (pooling == Pooling::kMax) {
    // A last step seen again changes no maximum.
    const at::Tensor index = rows_by_sequence(packing);
    return x.index_select(0, index.flatten()).view({sequences, index.size(1), features}).amax(1);
  }
  if (pooling == Pooling::kMean) {
    at::Tensor sequence_of_row = at::empty({signed_size(packing.rows())}, at::kLong);
    at::Tensor inverse_length = at::empty({sequences, 1}, x.options());
    for (std::size_t t = 0; t < packing.steps(); ++t)
      std::iota(sequence_of_row.data_ptr<std::int64_t>() + packing.offsets[t],
                sequence_of_row.data_ptr<std::int64_t>() + packing.offsets[t + 1], std::int64_t{0});
    for (std::size_t s = 0; s < packing.sequences(); ++s)
      inverse_length.data_ptr<float>()[s] = 1.0f / static_cast<float>(packing.lengths[s]);
    return at::zeros({sequences, features}, x.options()).index_add(0, sequence_of_row, x).mul(inverse_length);
  }
  at::Tensor last_rows = at::empty({sequences}, at::kLong);
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    last_rows.data_ptr<std::int64_t>()[s] = signed_size(packing.row(packing.lengths[s] - 1, s));
  if (pooling == Pooling::kLast) return x.index_select(0, last_rows);
  at::Tensor first_rows = at::empty({sequences}, at::kLong);
  for (std::size_t s = 0; s < packing.sequences(); ++s)
    first_rows.data_ptr<std::int64_t>()[s] = signed_size(packing.row(0, s));
  return at::cat({x.narrow(1, 0, forward).index_select(0, last_rows),
                  x.narrow(1, forward, features - forward).index_select(0, first_rows)},
                 1);
}

// Zeros with this probability, else 1 / (1 - probability): drawn by us, so that a resumed run draws the same.
at::Tensor dropout_mask(const at::Tensor& like, double probability, Random& random) {
  at::Tensor mask = at::empty_like(like);
  float* values = mask.data_ptr<float>();
  const auto kept = static_cast<float>(1.0 / (1.0 - probability));
  for (std::int64_t i = 0; i < mask.numel(); ++i) values[i] = random.uniform() < probability ? 0.0f : kept;
  return mask;
}

}  // namespace

struct Network::Impl {
  Impl(std::vector<Node> model_nodes, std::size_t thread_count)
      : nodes(std::move(model_nodes)), threads(thread_count) {}

  std::vector<Node> nodes;
  std::size_t threads;
  std::vector<Parameter> parameters;
  std::vector<float> values, gradients;
  std::map<std::string, at::Tensor> tensors;  // views of `values`, whose gradients are views of `gradients`

  void make_tensors(const Model& model);
  std::vector<at::Tensor> tensors_of(const Node& node, const std::string& suffix) const;
  at::Tensor recurrent(const Node& node, const SharedPacking& packing, const at::Tensor& x) const;
  at::Tensor run(const Batch& batch, double dropout, Random& random) const;
};

void Network::Impl::make_tensors(const Model& model) {
  for (const Node& node : nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      const std::span<const float> initial = model.tensor(slot.name).as<float>();
      parameters.push_back({slot.name, values.size(), initial.size(), slot.shape.size() > 1});
      values.insert(values.end(), initial.begin(), initial.end());
    }
  }
  gradients.resize(values.size());
  for (const Parameter& parameter : parameters) {
    const std::vector<std::int64_t>& shape = model.tensor(parameter.name).shape;
    at::Tensor tensor = at::from_blob(values.data() + parameter.offset, shape).set_requires_grad(true);
    tensor.mutable_grad() = at::from_blob(gradients.data() + parameter.offset, shape);
    tensors.emplace(parameter.name, tensor);
  }
}

std::vector<at::Tensor> Network::Impl::tensors_of(const Node& node, const std::string& suffix) const {
  std::vector<at::Tensor> found;
  for (const TensorSlot& slot : tensor_slots(node)) {
    if (slot.name.ends_with("_reverse") == (suffix == "_reverse")) found.push_back(tensors.at(slot.name));
  }
  return found;
}

at::Tensor Network::Impl::recurrent(const Node& node, const SharedPacking& packing, const at::Tensor& x) const {
  const auto both = [&](Direction direction, const auto& one) {
    std::vector<at::Tensor> outputs;
    for (const std::string& suffix : direction_suffixes(direction))
      outputs.push_back(one(suffix == "_reverse", tensors_of(node, suffix)));
    return outputs.size() == 1 ? outputs[0] : at::cat(outputs, 1);
  };
  if (const auto* lstm = std::get_if<LstmAttributes>(&node.operation))
    return both(lstm->direction, [&](bool reverse, const std::vector<at::Tensor>& tensors_of_direction) {
      return lstm_function({.shape = shape_of(*lstm),
                            .cell_clip = lstm->clip,
                            .projection_clip = lstm->projection_clip,
                            .reverse = reverse,
                            .threads = threads},
                           packing, x, tensors_of_direction);
    });
  if (const auto* gru = std::get_if<GruAttributes>(&node.operation))
    return both(gru->direction, [&](bool reverse, const std::vector<at::Tensor>& tensors_of_direction) {
      return gru_function({.shape = {.n_in = static_cast<std::size_t>(gru->input_size),
                                     .n = static_cast<std::size_t>(gru->hidden_size),
                                     .linear_before_reset = gru->linear_before_reset},
                           .reverse = reverse,
                           .threads = threads},
                          packing, x, tensors_of_direction);
    });
  const auto& rnn = std::get<RnnAttributes>(node.operation);
  return both(rnn.direction, [&](bool reverse, const std::vector<at::Tensor>& tensors_of_direction) {
    return rnn_function({.n_in = static_cast<std::size_t>(rnn.input_size),
                         .n = static_cast<std::size_t>(rnn.hidden_size),
                         .relu = rnn.nonlinearity == Nonlinearity::kRelu,
                         .reverse = reverse,
                         .threads = threads},
                        packing, x, tensors_of_direction);
  });
}

at::Tensor Network::Impl::run(const Batch& batch, double dropout, Random& random) const {
  const std::int64_t rows = signed_size(batch.packing->rows());
  at::Tensor x = batch.ids.empty() ? at::from_blob(const_cast<float*>(batch.values.data()),
                                                   {rows, signed_size(batch.values.size()) / rows})
                                   : at::from_blob(const_cast<std::int64_t*>(batch.ids.data()), {rows}, at::kLong);
  for (const Node& node : nodes) {
    if (std::holds_alternative<EmbeddingAttributes>(node.operation)) {
      x = tensors_of(node, "")[0].index_select(0, x);
    } else if (const auto* pooling = std::get_if<PoolAttributes>(&node.operation)) {
      const std::int64_t forward = &node == &nodes.front() ? 0 : forward_features(*(&node - 1));  // a chain
      x = pool(pooling->pooling, forward, *batch.packing, x);
    } else if (std::holds_alternative<DenseAttributes>(node.operation)) {
      if (dropout > 0 && &node == &nodes.back()) x = x.mul(dropout_mask(x, dropout, random));
      const std::vector<at::Tensor> dense = tensors_of(node, "");
      x = at::addmm(dense[1], x, dense[0].t());
    } else {
      x = recurrent(node, batch.packing, x);
    }
  }
  return x;
}

Network::Network(const Model& model, std::size_t threads) : impl_(std::make_unique<Impl>(model.nodes, threads)) {
  std::string before = "input";
  for (const Node& node : model.nodes) {
    const bool known = std::visit(
        []<typename Attributes>(const Attributes&) {
          return !std::is_same_v<Attributes, ActivationAttributes> && !std::is_same_v<Attributes, SoftmaxAttributes> &&
                 !std::is_same_v<Attributes, ArgmaxAttributes>;
        },
        node.operation);
    if (!known || node.scheme != "f32" || node.inputs[0] != before)
      throw_bad_input(concat("model '", model.name, "': node '", node.name, "' (", operation_name(node.operation), ", ",
                             node.scheme, ", reads '", node.inputs[0],
                             "') cannot be trained; training takes a chain of f32 embedding, lstm, gru, rnn, pool and "
                             "dense nodes"));
    before = node.name;
  }
  impl_->make_tensors(model);
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
