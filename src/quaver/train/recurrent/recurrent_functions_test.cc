// The fast sequences against the same cells composed by autograd from single operations, both in double.
#include "quaver/train/recurrent/recurrent_functions.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>

#include "quaver/core/random.h"
#include "quaver/core/text.h"
#include "quaver/train/recurrent/composed_cells.h"

namespace quaver {
namespace {

constexpr std::size_t kInputs = 3;

// Some as long as others, one longer, two of a single step.
SharedPacking test_packing() {
  std::vector<std::size_t> lengths{8, 6, 6, 5, 4};
  lengths.resize(33, 2);
  lengths.resize(35, 1);
  return std::make_shared<const Packing>(lengths);
}

at::Tensor random_tensor(Random& random, std::vector<std::int64_t> shape, double limit) {
  at::Tensor tensor = at::empty(shape, at::kDouble);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = random.uniform(-limit, limit);
  return tensor.set_requires_grad(true);
}

at::Tensor rows_of_sequence(const Packing& packing, const at::Tensor& packed, std::size_t sequence) {
  std::vector<std::int64_t> rows;
  for (std::size_t t = 0; t < packing.lengths[sequence]; ++t)
    rows.push_back(static_cast<std::int64_t>(packing.row(t, sequence)));
  return packed.index_select(0, at::tensor(rows));
}

// Both compute in double: what may differ is the order of sums, of at most some thousand terms (the gradient of a
// weight sums over 100 rows of 8 units, through 8 steps) of the largest magnitude there is.
double bound(const at::Tensor& expected) {
  constexpr double kTerms = 1e4, kUnitOfDouble = 0x1p-53;
  return kTerms * kUnitOfDouble * (1 + expected.abs().max().item<double>());
}

void expect_close(const std::string& what, const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes()) << what;
  EXPECT_LE((found - expected).abs().max().item<double>(), bound(expected)) << what;
}

// fast(x, parameters) over the whole packing, composed(x, parameters) over one sequence.
template <typename Fast, typename Composed>
void expect_same(const std::vector<at::Tensor>& parameters, const Fast& fast, const Composed& composed) {
  const SharedPacking packing = test_packing();
  Random random(11);
  const at::Tensor x = random_tensor(random, {static_cast<std::int64_t>(packing->rows()), kInputs}, 2.0);
  std::vector<at::Tensor> inputs{x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());

  const at::Tensor h = fast(packing, x, parameters);
  const at::Tensor direction = random_tensor(random, h.sizes().vec(), 1.0).detach();
  const auto gradients = torch::autograd::grad({(h * direction).sum()}, inputs);

  at::Tensor loss = at::zeros({}, at::kDouble);
  for (std::size_t s = 0; s < packing->sequences(); ++s) {
    const at::Tensor expected = composed(rows_of_sequence(*packing, x, s), parameters);
    expect_close(concat("output of sequence ", s), rows_of_sequence(*packing, h, s), expected);
    loss = loss + (expected * rows_of_sequence(*packing, direction, s)).sum();
  }
  const auto expected_gradients = torch::autograd::grad({loss}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    expect_close(i == 0 ? std::string("gradient by x") : concat("gradient by parameter ", i - 1), gradients[i],
                 expected_gradients[i]);
}

struct LstmCase {
  bool cifg, peephole, layer_norm, projection, reverse_with_clips;
};

std::vector<LstmCase> lstm_cases() {
  std::vector<LstmCase> cases;
  for (unsigned bits = 0; bits < 32; ++bits)
    cases.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0});
  return cases;
}

class LstmFunction : public testing::TestWithParam<LstmCase> {};

TEST_P(LstmFunction, EqualsTheComposedCell) {
  const LstmCase& c = GetParam();
  constexpr std::int64_t kCells = 5, kProjected = 4;
  const std::int64_t gates = c.cifg ? 3 : 4, outputs = c.projection ? kProjected : kCells;
  Random random(7);
  std::vector<at::Tensor> parameters{random_tensor(random, {gates * kCells, kInputs}, 0.8),
                                     random_tensor(random, {gates * kCells, outputs}, 0.8),
                                     random_tensor(random, {gates * kCells}, 0.8)};
  if (c.peephole) parameters.push_back(random_tensor(random, {(gates - 1) * kCells}, 0.8));
  if (c.layer_norm) parameters.push_back(random_tensor(random, {gates * kCells}, 1.5));
  if (c.projection) {
    parameters.push_back(random_tensor(random, {outputs, kCells}, 0.8));
    parameters.push_back(random_tensor(random, {outputs}, 0.5));
  }
  LstmSequenceOptions options{.shape = {.n_in = kInputs,
                                        .n_cell = kCells,
                                        .n_out = static_cast<std::size_t>(outputs),
                                        .cifg = c.cifg,
                                        .peephole = c.peephole,
                                        .layer_norm = c.layer_norm,
                                        .projection = c.projection},
                              .reverse = c.reverse_with_clips};
  if (c.reverse_with_clips) {  // low enough to hold many values
    options.cell_clip = 0.4;
    options.projection_clip = c.projection ? 0.3 : 0;
  }
  expect_same(
      parameters,
      [&](const SharedPacking& packing, const at::Tensor& x, const std::vector<at::Tensor>& weights) {
        return lstm_function(options, packing, x, weights);
      },
      [&](const at::Tensor& x, const std::vector<at::Tensor>& weights) { return composed::lstm(options, x, weights); });
}

INSTANTIATE_TEST_SUITE_P(Variants, LstmFunction, testing::ValuesIn(lstm_cases()), [](const auto& test) {
  const LstmCase& c = test.param;
  return concat(c.cifg ? "cifg" : "plain", c.peephole ? "_peephole" : "", c.layer_norm ? "_norm" : "",
                c.projection ? "_projection" : "", c.reverse_with_clips ? "_reverse_clips" : "");
});

TEST(GruFunction, EqualsTheComposedCell) {
  constexpr std::int64_t kUnits = 5;
  for (const bool linear_before_reset : {true, false}) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(concat("linear_before_reset ", linear_before_reset, ", reverse ", reverse));
      const GruSequenceOptions options{.shape = {kInputs, kUnits, linear_before_reset}, .reverse = reverse};
      Random random(8);
      const std::vector<at::Tensor> parameters{
          random_tensor(random, {3 * kUnits, kInputs}, 0.8), random_tensor(random, {3 * kUnits, kUnits}, 0.8),
          random_tensor(random, {3 * kUnits}, 0.8), random_tensor(random, {3 * kUnits}, 0.8)};
      expect_same(
          parameters,
          [&](const SharedPacking& packing, const at::Tensor& x, const std::vector<at::Tensor>& weights) {
            return gru_function(options, packing, x, weights);
          },
          [&](const at::Tensor& x, const std::vector<at::Tensor>& weights) {
            return composed::gru(options, x, weights);
          });
    }
  }
}

TEST(RnnFunction, EqualsTheComposedCell) {
  constexpr std::int64_t kUnits = 5;
  for (const bool relu : {false, true}) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(concat("relu ", relu, ", reverse ", reverse));
      const RnnSequenceOptions options{.n_in = kInputs, .n = kUnits, .relu = relu, .reverse = reverse};
      Random random(9);
      const std::vector<at::Tensor> parameters{random_tensor(random, {kUnits, kInputs}, 0.8),
                                               random_tensor(random, {kUnits, kUnits}, 0.6),
                                               random_tensor(random, {kUnits}, 0.8)};
      expect_same(
          parameters,
          [&](const SharedPacking& packing, const at::Tensor& x, const std::vector<at::Tensor>& weights) {
            return rnn_function(options, packing, x, weights);
          },
          [&](const at::Tensor& x, const std::vector<at::Tensor>& weights) {
            return composed::rnn(options, x, weights);
          });
    }
  }
}

}  // namespace
}  // namespace quaver
