// The trained network, the engine and the equations: one sequence through all three, for every variant.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/train/recurrent/architecture.h"
#include "quaver/train/recurrent/batches.h"
#include "quaver/train/recurrent/composed_cells.h"
#include "quaver/train/recurrent/network.h"

namespace quaver {
namespace {

Dataset random_data(Target target, bool ids) {
  Dataset data{
      .task = "random", .split = "train", .target = target, .features = ids ? 0u : 3u, .vocabulary = ids ? 6u : 0u};
  data.classes = {"a", "b"};
  Random random(3);
  for (const std::size_t steps : {1u, 7u, 12u}) {
    Example example{.name = concat("random/", steps)};
    example.input.steps = steps;
    example.input.features = data.features;
    for (std::size_t i = 0; i < steps * data.features; ++i)
      example.input.values.push_back(static_cast<float>(5 + 3 * random.normal()));
    for (std::size_t i = 0; ids && i < steps; ++i)
      example.input.ids.push_back(static_cast<std::int32_t>(random.below(6)));
    example.labels.assign(target == Target::kTags ? steps : 1, 0);
    data.examples.push_back(std::move(example));
  }
  return data;
}

// Weights as large as trained ones, no bias left at its initial 0.
void randomise(Model& model) {
  Random random(4);
  for (auto& [name, tensor] : model.tensors) {
    if (name.starts_with("input.")) continue;
    for (float& value : tensor.as_mutable<float>()) value += static_cast<float>(0.3 * random.normal());
  }
}

at::Tensor tensor_of(const std::vector<float>& values) {
  return at::tensor(at::ArrayRef<float>(values)).to(at::kDouble);
}

// Network and engine compute in float, each within `bound` of the exact result to first order; twice that leaves room
// for what first order leaves out.
void expect_within(const std::string& what, const at::Tensor& found, const at::Tensor& exact, const at::Tensor& bound) {
  const at::Tensor excess = ((found - exact).abs() - 2 * bound).max();
  EXPECT_LE(excess.item<double>(), 0) << what << "\nfound " << found << "\nexact " << exact << "\nbound " << bound;
}

void expect_same_scores(const Dataset& data, const TrainOptions& options) {
  Model model = initial_model(data, feature_statistics(data), options);
  randomise(model);
  Network network(model);
  Model handed_over = model;
  for (auto& [name, tensor] : handed_over.tensors)
    if (!name.starts_with("input.")) std::ranges::fill(tensor.as_mutable<float>(), 0.0f);
  network.store(handed_over);
  ASSERT_TRUE(handed_over == model);

  FeatureStatistics statistics;
  if (data.features > 0) {
    const std::span<const float> mean = model.tensor("input.mean").as<float>();
    const std::span<const float> inverse = model.tensor("input.inverse_deviation").as<float>();
    statistics = {{mean.begin(), mean.end()}, {inverse.begin(), inverse.end()}};
  }
  Session session(handed_over);
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const Shard shard = make_shard(data, std::vector<std::size_t>{i}, statistics);
    at::Tensor input;
    if (data.features > 0)
      input = tensor_of(shard.values).view({-1, static_cast<std::int64_t>(data.features)});
    else
      input = at::tensor(at::ArrayRef<std::int64_t>(shard.ids));
    composed::Ledger ledger;
    const at::Tensor result = composed::scores(handed_over, input, &ledger);
    const at::Tensor bound = composed::rounding_bound(result, ledger).flatten(), exact = result.detach().flatten();
    EXPECT_LT(bound.max().item<double>(), 1e-3) << "a bound that says nothing";

    const Sequence& sequence = data.examples[i].input;
    const std::vector<Result> outputs =
        session.run(SequenceView{.steps = sequence.steps, .real = sequence.values, .ids = sequence.ids});
    expect_within(concat("network, sequence ", i), tensor_of(network.outputs(shard)), exact, bound);
    expect_within(concat("engine, sequence ", i), tensor_of(outputs[0].real()), exact, bound);
  }
}

TrainOptions small_options(const std::string& cell) { return {.cell = cell, .hidden = 6, .embedding = 4}; }

TEST(HandOver, KeepsTheScoresOfEveryLstm) {
  const Dataset data = random_data(Target::kClass, /*ids=*/false);
  for (unsigned bits = 0; bits < 32; ++bits) {
    TrainOptions options = small_options("lstm");
    options.cifg = (bits & 1) != 0;
    options.peephole = (bits & 2) != 0;
    options.layer_norm = (bits & 4) != 0;
    options.projection = (bits & 8) != 0 ? 5 : 0;
    if ((bits & 16) != 0) {
      options.direction = Direction::kBidirectional;
      options.clip = 0.7;
      options.projection_clip = options.projection > 0 ? 0.5 : 0;
    }
    SCOPED_TRACE(concat("variant ", bits));
    expect_same_scores(data, options);
  }
}

TEST(HandOver, KeepsTheScoresOfEveryOtherNetwork) {
  const Dataset classes = random_data(Target::kClass, /*ids=*/false);
  for (const std::string cell : {"gru", "rnn"}) {
    for (const Direction direction : {Direction::kForward, Direction::kReverse, Direction::kBidirectional}) {
      for (const bool first : {true, false}) {
        TrainOptions options = small_options(cell);
        options.linear_before_reset = first;
        options.nonlinearity = first ? Nonlinearity::kTanh : Nonlinearity::kRelu;
        options.direction = direction;
        SCOPED_TRACE(concat(cell, " ", direction_name(direction), " ", first));
        expect_same_scores(classes, options);
      }
    }
  }
  for (const Pooling pooling : {Pooling::kLast, Pooling::kMean, Pooling::kMax}) {
    TrainOptions options = small_options("lstm");
    options.pooling = pooling;
    options.layers = 2;
    SCOPED_TRACE(concat("two layers, pooling ", pooling_name(pooling)));
    expect_same_scores(classes, options);
  }
  for (const Direction direction : {Direction::kReverse, Direction::kBidirectional}) {
    TrainOptions options = small_options("gru");
    options.direction = direction;
    options.pooling = Pooling::kFinal;
    options.layers = 2;
    SCOPED_TRACE(concat("pooling final, ", direction_name(direction)));
    expect_same_scores(classes, options);
  }
  SCOPED_TRACE("tags of ids");
  expect_same_scores(random_data(Target::kTags, /*ids=*/true), small_options("gru"));
}

}  // namespace
}  // namespace quaver
