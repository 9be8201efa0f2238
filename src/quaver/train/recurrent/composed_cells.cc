#include "quaver/train/recurrent/composed_cells.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <map>
#include <string>
#include <string_view>

#include "quaver/cells/lstm/ref.h"
#include "quaver/train/recurrent/row_math.h"

namespace quaver::composed {
namespace {

constexpr double kGate = kActivationError;  // absolute, of a sigmoid or tanh in float

// Relative error of a sum of `terms` products, by the sum of their magnitudes: each term is rounded once and goes
// through at most `terms` additions.
double sum_error(std::int64_t terms) { return static_cast<double>(terms + 1) * kUnit; }

at::Tensor rounded(Ledger* ledger, const at::Tensor& value, const at::Tensor& bound) {
  if (ledger == nullptr) return value;
  const at::Tensor noise = at::zeros_like(value).set_requires_grad(true);
  ledger->push_back({noise, bound.detach()});
  return value + noise;
}

// x W^T and what its rounding is measured against.
struct Sum {
  at::Tensor value;
  at::Tensor magnitude;
  std::int64_t terms = 0;
  void add(const at::Tensor& more) {
    value = value + more;
    magnitude = magnitude + more.abs();
    ++terms;
  }
  void add_product(const at::Tensor& W, const at::Tensor& x) {
    value = value + at::mv(W, x);
    magnitude = magnitude + at::mv(W.abs(), x.abs());
    terms += W.size(1);
  }
  at::Tensor finish(Ledger* ledger) const { return rounded(ledger, value, magnitude * sum_error(terms)); }
};

Sum product(const at::Tensor& W, const at::Tensor& x) { return {at::mv(W, x), at::mv(W.abs(), x.abs()), W.size(1)}; }

std::vector<std::int64_t> step_order(std::int64_t steps, bool reverse) {
  std::vector<std::int64_t> order;
  for (std::int64_t t = 0; t < steps; ++t) order.push_back(reverse ? steps - 1 - t : t);
  return order;
}

at::Tensor limited(const at::Tensor& value, double limit) {
  return limit > 0 ? at::clamp(value, -limit, limit) : value;
}

at::Tensor layer_norm(const at::Tensor& a, const at::Tensor& L, const at::Tensor& b, Ledger* ledger) {
  const std::int64_t n = a.size(0);
  const at::Tensor centred = a - a.mean();
  const at::Tensor inverse = at::rsqrt((centred * centred).mean() + static_cast<double>(kLayerNormEpsilon));
  const at::Tensor normal = centred * inverse;
  // The mean's error goes through the inverse deviation; the variance's is relative; then one product and one sum.
  const at::Tensor bound =
      L.abs() * (inverse * sum_error(n) * (a.abs().mean() + a.abs()) + normal.abs() * sum_error(2 * n + 4)) +
      2 * kUnit * ((normal * L).abs() + b.abs());
  return rounded(ledger, normal * L + b, bound);
}

at::Tensor in_double(const Model& model, const std::string& name) {
  const Tensor& tensor = model.tensor(name);
  return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), tensor.shape, at::kFloat).to(at::kDouble);
}

std::vector<at::Tensor> parameters_of(const Model& model, const Node& node, const std::string& direction) {
  std::vector<at::Tensor> found;
  for (const TensorSlot& slot : tensor_slots(node))
    if (slot.direction == direction) found.push_back(in_double(model, slot.name));
  return found;
}

template <typename Run>
at::Tensor both_directions(const Model& model, const Node& node, const Run& run) {
  std::vector<at::Tensor> outputs;
  for (const std::string& direction : direction_suffixes(node.operation))
    outputs.push_back(run(direction == "_reverse", parameters_of(model, node, direction)));
  return at::cat(outputs, 1);
}

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

}  // namespace

at::Tensor lstm(const LstmSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
                Ledger* ledger) {
  const LstmShape& shape = options.shape;
  const auto n = static_cast<std::int64_t>(shape.n_cell);
  std::size_t next = 0;
  const at::Tensor W = parameters[next++], R = parameters[next++], b = parameters[next++];
  const at::Tensor P = shape.peephole ? parameters[next++] : at::Tensor();
  const at::Tensor L = shape.layer_norm ? parameters[next++] : at::Tensor();
  const at::Tensor W_projection = shape.projection ? parameters[next++] : at::Tensor();
  const at::Tensor b_projection = shape.projection ? parameters[next++] : at::Tensor();
  const auto rows = [n](const at::Tensor& stacked, std::size_t g) {
    return stacked.narrow(0, static_cast<std::int64_t>(g) * n, n);
  };

  at::Tensor h = at::zeros({static_cast<std::int64_t>(shape.n_out)}, x.options()), c = at::zeros({n}, x.options());
  std::vector<at::Tensor> outputs(size(x.size(0)));
  for (const std::int64_t t : step_order(x.size(0), options.reverse)) {
    const at::Tensor x_t = x[t], c_before = c;
    const auto sum = [&](std::size_t g, const at::Tensor& c_seen) {
      Sum a = product(rows(W, g), x_t);
      a.add_product(rows(R, g), h);
      if (c_seen.defined() && shape.peephole) a.add(rows(P, g) * c_seen);
      if (!shape.layer_norm) {
        a.add(rows(b, g));
        return a.finish(ledger);
      }
      return layer_norm(a.finish(ledger), rows(L, g), rows(b, g), ledger);
    };
    const at::Tensor f = at::sigmoid(sum(shape.forget_gate(), c_before));
    const at::Tensor z = at::tanh(sum(shape.cell_gate(), at::Tensor()));
    const at::Tensor i = shape.cifg ? 1 - f : at::sigmoid(sum(shape.input_gate(), c_before));
    const at::Tensor c_new = f * c_before + i * z;
    c = rounded(ledger, c_new, kGate * (c_before.abs() + 2) + 4 * kUnit * ((f * c_before).abs() + (i * z).abs()));
    c = limited(c, options.cell_clip);
    const at::Tensor o = at::sigmoid(sum(shape.output_gate(), c));
    h = rounded(ledger, o * at::tanh(c), at::full({n}, 2 * kGate + kUnit, x.options()));
    if (shape.projection) {
      Sum projected = product(W_projection, h);
      projected.add(b_projection);
      h = limited(projected.finish(ledger), options.projection_clip);
    }
    outputs[size(t)] = h;
  }
  return at::stack(outputs);
}

at::Tensor gru(const GruSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
               Ledger* ledger) {
  const auto n = static_cast<std::int64_t>(options.shape.n);
  const auto rows = [&](std::size_t parameter, std::int64_t g) { return parameters[parameter].narrow(0, g * n, n); };
  at::Tensor h = at::zeros({n}, x.options());
  std::vector<at::Tensor> outputs(size(x.size(0)));
  for (const std::int64_t t : step_order(x.size(0), options.reverse)) {
    const at::Tensor x_t = x[t];
    const auto gate = [&](std::int64_t g) {
      Sum a = product(rows(0, g), x_t);
      a.add(rows(2, g));
      a.add_product(rows(1, g), h);
      a.add(rows(3, g));
      return at::sigmoid(a.finish(ledger));
    };
    const at::Tensor z = gate(0), r = gate(1);
    Sum candidate = product(rows(0, 2), x_t);
    candidate.add(rows(2, 2));
    if (options.shape.linear_before_reset) {
      Sum recurrent = product(rows(1, 2), h);
      recurrent.add(rows(3, 2));
      const at::Tensor u = recurrent.finish(ledger);
      candidate.add(rounded(ledger, r * u, kGate * u.abs() + kUnit * (r * u).abs()));
    } else {
      candidate.add_product(rows(1, 2), rounded(ledger, r * h, kGate * h.abs() + kUnit * (r * h).abs()));
      candidate.add(rows(3, 2));
    }
    const at::Tensor k = at::tanh(candidate.finish(ledger));
    h = rounded(ledger, k + z * (h - k), 2 * kGate + kGate * (h - k).abs() + 4 * kUnit * (k.abs() + (h - k).abs()));
    outputs[size(t)] = h;
  }
  return at::stack(outputs);
}

at::Tensor rnn(const RnnSequenceOptions& options, const at::Tensor& x, const std::vector<at::Tensor>& parameters,
               Ledger* ledger) {
  at::Tensor h = at::zeros({static_cast<std::int64_t>(options.n)}, x.options());
  std::vector<at::Tensor> outputs(size(x.size(0)));
  for (const std::int64_t t : step_order(x.size(0), options.reverse)) {
    Sum a = product(parameters[0], x[t]);
    a.add_product(parameters[1], h);
    a.add(parameters[2]);
    const at::Tensor sum = a.finish(ledger);
    h = options.relu ? at::relu(sum) : rounded(ledger, at::tanh(sum), at::full_like(h, kGate));
    outputs[size(t)] = h;
  }
  return at::stack(outputs);
}

namespace {

// One operation of a model on what it reads.
using Equations = at::Tensor (*)(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger);

at::Tensor embedding_node(const Model& model, const Node& node, const at::Tensor& x, Ledger*) {
  return parameters_of(model, node, "")[0].index_select(0, x);
}

at::Tensor lstm_node(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger) {
  const auto& a = std::get<LstmAttributes>(node.operation);
  return both_directions(model, node, [&](bool reverse, const std::vector<at::Tensor>& parameters) {
    return lstm({.shape = a.shape(), .cell_clip = a.clip, .projection_clip = a.projection_clip, .reverse = reverse}, x,
                parameters, ledger);
  });
}

at::Tensor gru_node(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger) {
  const auto& a = std::get<GruAttributes>(node.operation);
  return both_directions(model, node, [&](bool reverse, const std::vector<at::Tensor>& parameters) {
    return gru({.shape = a.shape(), .reverse = reverse}, x, parameters, ledger);
  });
}

at::Tensor rnn_node(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger) {
  const auto& a = std::get<RnnAttributes>(node.operation);
  return both_directions(model, node, [&](bool reverse, const std::vector<at::Tensor>& parameters) {
    return rnn({.n_in = size(a.input_size),
                .n = size(a.hidden_size),
                .relu = a.nonlinearity == Nonlinearity::kRelu,
                .reverse = reverse},
               x, parameters, ledger);
  });
}

at::Tensor pool_node(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger) {
  switch (std::get<PoolAttributes>(node.operation).pooling) {
    case Pooling::kLast: return x[-1];
    case Pooling::kMax: return std::get<0>(x.max(0));
    case Pooling::kMean: return rounded(ledger, x.mean(0), x.abs().mean(0) * sum_error(x.size(0) + 2));
    case Pooling::kFinal: break;
  }
  const std::int64_t forward = forward_features(model.node(node.inputs[0]));
  return at::cat({x[-1].narrow(0, 0, forward), x[0].narrow(0, forward, x.size(1) - forward)});
}

at::Tensor dense_node(const Model& model, const Node& node, const at::Tensor& x, Ledger* ledger) {
  const std::vector<at::Tensor> dense = parameters_of(model, node, "");
  const at::Tensor magnitude = at::matmul(x.abs(), dense[0].abs().t()) + dense[1].abs();
  return rounded(ledger, at::matmul(x, dense[0].t()) + dense[1], magnitude * sum_error(dense[0].size(1) + 1));
}

const std::map<std::string_view, Equations> kEquations{{EmbeddingAttributes::kName, embedding_node},
                                                       {LstmAttributes::kName, lstm_node},
                                                       {GruAttributes::kName, gru_node},
                                                       {RnnAttributes::kName, rnn_node},
                                                       {PoolAttributes::kName, pool_node},
                                                       {DenseAttributes::kName, dense_node}};

}  // namespace

at::Tensor scores(const Model& model, const at::Tensor& input, Ledger* ledger) {
  at::Tensor x = input;
  for (const Node& node : model.nodes) x = kEquations.at(operation_name(node.operation))(model, node, x, ledger);
  return x;
}

at::Tensor rounding_bound(const at::Tensor& result, const Ledger& ledger) {
  std::vector<at::Tensor> noises;
  for (const Rounding& rounding : ledger) noises.push_back(rounding.noise);
  const at::Tensor flat = result.flatten();
  at::Tensor bounds = at::zeros_like(flat);
  for (std::int64_t i = 0; i < flat.size(0); ++i) {
    const auto derivatives = torch::autograd::grad({flat[i]}, noises, {}, /*retain_graph=*/true, false,
                                                   /*allow_unused=*/true);
    for (std::size_t k = 0; k < ledger.size(); ++k)
      if (derivatives[k].defined()) bounds[i] += (derivatives[k].abs() * ledger[k].bound).sum().detach();
  }
  return bounds.detach().view(result.sizes());
}

}  // namespace quaver::composed
