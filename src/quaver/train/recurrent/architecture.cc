#include "quaver/train/recurrent/architecture.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <type_traits>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/train/common/effective_weights.h"
#include "quaver/train/recurrent/batches.h"
#include "quaver/train/recurrent/operations/row.h"

namespace quaver {
namespace {

constexpr std::size_t kLargestOrthogonal = 1024;  // beyond it the work, cubic, would be minutes

void append(Model& model, std::string name, Operation operation) {
  Node node;
  node.inputs = {model.nodes.empty() ? "input" : model.nodes.back().name};
  node.outputs = {output_value(operation, model.value(node.inputs[0]))};
  node.outputs[0].format = {};
  node.name = std::move(name);
  node.operation = std::move(operation);
  model.nodes.push_back(std::move(node));
}

void fill_uniform(Random& random, double limit, std::span<float> values) {
  for (float& value : values) value = static_cast<float>(random.uniform(-limit, limit));
}

// Glorot: the variance that keeps signals and gradients of a matrix [outputs, inputs] in scale.
void fill_glorot(Random& random, std::size_t outputs, std::size_t inputs, std::span<float> values) {
  fill_uniform(random, std::sqrt(6.0 / static_cast<double>(outputs + inputs)), values);
}

// Orthonormal rows, or columns when there are more rows than columns: Gram-Schmidt on normal vectors, in double.
void fill_orthogonal(Random& random, std::size_t rows, std::size_t cols, std::span<float> values) {
  const std::size_t count = std::min(rows, cols), length = std::max(rows, cols);
  std::vector<std::vector<double>> vectors;
  while (vectors.size() < count) {
    std::vector<double> vector(length);
    for (double& value : vector) value = random.normal();
    for (const std::vector<double>& other : vectors) {
      double product = 0;
      for (std::size_t i = 0; i < length; ++i) product += vector[i] * other[i];
      for (std::size_t i = 0; i < length; ++i) vector[i] -= product * other[i];
    }
    double squares = 0;
    for (const double value : vector) squares += value * value;
    constexpr double kSmallest = 1e-6;  // a vector that was nearly inside the span of the others: draw another
    if (squares < kSmallest) continue;
    for (double& value : vector) value /= std::sqrt(squares);
    vectors.push_back(std::move(vector));
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c)
      values[r * cols + c] = static_cast<float>(rows <= cols ? vectors[r][c] : vectors[c][r]);
}

// A stacked matrix of gates: each gate is a matrix of its own.
template <typename Fill>
void fill_gates(Tensor& tensor, std::size_t gates, const Fill& fill_gate) {
  const std::span<float> values = tensor.as_mutable<float>();
  const auto rows = static_cast<std::size_t>(tensor.rows()) / gates, cols = static_cast<std::size_t>(tensor.row_size());
  for (std::size_t g = 0; g < gates; ++g) fill_gate(rows, cols, values.subspan(g * rows * cols, rows * cols));
}

// tensor: zeros.
void fill(const Node& node, const TensorSlot& slot, Random random, Tensor& tensor) {
  const std::span<float> values = tensor.as_mutable<float>();
  switch (slot.start) {
    case TensorStart::kZeros: return;
    case TensorStart::kOnes: std::ranges::fill(values, 1.0f); return;
    case TensorStart::kUniform: fill_uniform(random, 1.0, values); return;
    case TensorStart::kGlorot:
      fill_gates(tensor, slot.gates, [&](std::size_t rows, std::size_t cols, std::span<float> gate) {
        fill_glorot(random, rows, cols, gate);
      });
      return;
    case TensorStart::kOrthogonal:
      fill_gates(tensor, slot.gates, [&](std::size_t rows, std::size_t cols, std::span<float> gate) {
        if (std::min(rows, cols) <= kLargestOrthogonal)
          fill_orthogonal(random, rows, cols, gate);
        else
          fill_glorot(random, rows, cols, gate);
      });
      return;
    case TensorStart::kForgetOnes: {
      const std::vector<std::string> gates = row_of(node.operation).gates(node.operation);
      const auto forget = static_cast<std::size_t>(std::ranges::find(gates, "f") - gates.begin());
      const std::size_t rows = values.size() / gates.size();
      std::ranges::fill(values.subspan(forget * rows, rows), 1.0f);
      return;
    }
  }
}

// The nodes and the input, without a tensor. data: its sizes, classes and target alone.
Model layers(const Dataset& data, const TrainOptions& options) {
  Model model;
  if (data.vocabulary > 0) {
    model.inputs = {{"input", {{1}, true, {NumberType::kI32, 1.0f, 0}}}};
    append(model, "embedding",
           EmbeddingAttributes{.vocabulary = static_cast<std::int64_t>(data.vocabulary),
                               .features = static_cast<std::int64_t>(options.embedding)});
  } else {
    model.inputs = {{"input", {{static_cast<std::int64_t>(data.features)}, true, {}}}};
  }
  const auto last = [&] { return model.nodes.empty() ? model.inputs[0].value : model.nodes.back().outputs[0]; };
  for (std::size_t layer = 0; layer < options.layers; ++layer)
    append(model, concat(options.cell, layer), *train_cell(options.cell).layer(options, last().size()));
  if (!is_of_steps(data.target)) {
    const Pooling usual = options.direction == Direction::kForward ? Pooling::kLast : Pooling::kMean;
    append(model, "pool", PoolAttributes{options.pooling.value_or(usual)});
  }
  const std::size_t units = is_real(data.target) ? data.outputs : data.classes.size();
  const std::string output = is_real(data.target) ? "predictions" : "scores";
  append(model, output, DenseAttributes{.input_size = last().size(), .units = static_cast<std::int64_t>(units)});
  model.outputs = {output};
  return model;
}

// Every parameter is there as a weight of the model, a value that learns, two moments of Adam, its decay, the running
// mean and the best mean so far, what the network reads of it, and a gradient a shard; of every step of a batch a
// direction keeps at least its gates and state.
void require_memory_to_learn(const Model& model, const TrainOptions& options, std::size_t sequences,
                             std::size_t steps) {
  const std::uint64_t copies = 8 + (sequences + kSequencesPerShard - 1) / kSequencesPerShard;
  std::uint64_t floats = 0;
  for (const Node& node : model.nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      std::uint64_t elements = 1;
      for (const std::int64_t size : slot.shape) elements *= static_cast<std::uint64_t>(size);
      floats += copies * elements;
    }
    if (is_recurrent(node.operation)) {
      const std::size_t directions = options.direction == Direction::kBidirectional ? 2 : 1;
      const std::size_t gates = row_of(node.operation).gates(node.operation).size();
      floats += std::uint64_t{sequences} * steps * directions * (gates + 1) * options.hidden;
    }
  }
  require_memory_for(concat("training ", options.layers, options.layers == 1 ? " layer" : " layers", " of ",
                            options.hidden, " units", steps > 1 ? concat(" in batches of ", sequences) : "", " takes"),
                     floats * sizeof(float), options.max_memory);
}

}  // namespace

void check_train_options(const TrainOptions& options) {
  const TrainRow& cell = train_cell(options.cell);
  fields(options, [](const OptionField& field, const auto& value) {
    using Kind = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Kind, std::size_t> || std::is_same_v<Kind, double>) {
      if (field.low >= field.high) return;  // of a seed any number goes
      const auto number = static_cast<double>(value);
      if (!(number >= field.low && number <= field.high))
        throw_usage(concat(field.name, " is ", value, ", expected ", field.low, " to ", field.high));
    }
  });
  for (const TrainRow* other : train_cells()) {
    const std::vector<std::string_view> names = other->own_options(options);
    if (other != &cell && !names.empty())
      throw_usage(concat(names.front(), " belongs to the ", other->operation(), ", but the cell is ", options.cell));
  }
  cell.check(options);
  find_effective_weights(options.weights);
  if (options.pooling == Pooling::kFinal && options.direction == Direction::kForward)
    throw_usage(
        "pooling final takes the last state of each direction, but there is no reverse one: it is pooling last");
  Dataset least;  // that can be learnt from
  least.features = 1;
  least.classes = {""};
  require_memory_to_learn(layers(least, options), options, 1, 1);
}

void initialise(Model& model, std::uint64_t seed) {
  const Random source(seed);
  std::uint64_t key = 0;
  for (const Node& node : model.nodes) {
    for (const TensorSlot& slot : tensor_slots(node)) {
      Tensor tensor = Tensor::zeros(slot.kind, slot.shape);
      fill(node, slot, source.fork(key++), tensor);
      model.tensors[slot.name] = std::move(tensor);
    }
  }
}

Model initial_model(const Dataset& data, const FeatureStatistics& statistics, const TrainOptions& options) {
  check_train_options(options);
  Model model = layers(data, options);
  std::size_t longest = 0;
  for (std::size_t i = 0; i < data.size(); ++i) longest = std::max(longest, data.about_steps(i));
  require_memory_to_learn(model, options, std::min(options.batch, data.size()), longest);
  model.name = concat(data.task, "-", options.cell, options.hidden);
  model.task = data.task;
  model.classes = data.classes;
  if (data.vocabulary == 0) {
    const std::vector<std::int64_t> shape{model.inputs[0].value.size()};
    model.tensors["input.mean"] = Tensor::from<float>(shape, statistics.mean);
    model.tensors["input.inverse_deviation"] = Tensor::from<float>(shape, statistics.inverse_deviation);
  }
  initialise(model, options.seed);
  validate(model);
  return model;
}

}  // namespace quaver
