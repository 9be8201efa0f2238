// The fused pass against the reference, and its gradients against differences of its loss.
#include "quaver/train/memory/pass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/core/random.h"
#include "quaver/quantize/memory.h"

namespace quaver {
namespace {

struct Case {
  MemN2NShape shape;
  bool linear = false;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition})
      for (const std::size_t hops : {1u, 3u, 6u})
        for (const bool linear : {false, true})
          all.push_back({{.vocabulary = 9,
                          .memory = 4,
                          .d = 6,
                          .hops = hops,
                          .sentence = 4,
                          .tying = tying,
                          .encoding = encoding,
                          .temporal = hops != 1,
                          .slots = hops == 3 ? 10u : 0u},
                         linear});
  return all;
}

// Words repeat, one is unknown, one sentence is longer than the longest, one is empty.
const std::vector<std::vector<std::int32_t>> kFacts{{1, 2, 3}, {4, 4, 0, 5}, {}, {6, 1, 2, 3, 8}};
const std::vector<std::int32_t> kWords{7, 1, 0};

class MemoryPassTest : public ::testing::Test {
 protected:
  MemoryPassTest() { facts.assign(kFacts.begin(), kFacts.end()); }
  MemoryQuestion question(std::size_t count = kFacts.size()) const {
    return {std::span(facts).first(count), kWords, {}};
  }

  // Without the softmax a hop multiplies by the squares of the embeddings: six of them need small ones.
  static double deviation(const Case& test) { return test.linear ? 0.15 : 0.4; }

  static std::vector<float> parameters(const MemN2NShape& shape, double deviation) {
    Random random(4);
    std::vector<float> values(parameter_count(shape));
    for (float& value : values) value = static_cast<float>(deviation * random.normal());
    // Number 0 is no word: its rows are zero where they embed.
    for (const MemoryMatrix& matrix : memory_matrices(shape))
      if (matrix.name != "H") std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(matrix.offset), shape.d, 0.0f);
    return values;
  }

  std::vector<WordNumbers> facts;
};

TEST_F(MemoryPassTest, AnswersAsTheReference) {
  for (const Case& test : cases()) {
    const std::vector<float> values = parameters(test.shape, deviation(test));
    MemoryPass pass(test.shape);
    pass.set_parameters(values);
    const std::vector<std::uint32_t> ages{3, 2, 1, 1};
    for (const std::size_t count : {0u, 1u, 4u}) {
      MemoryQuestion asked = question(count);
      if (count == 4) asked.ages = ages;
      const MemoryAnswer answer = MemN2NRef(test.shape, values).answer(asked, test.linear);
      double sum = 0;
      for (std::size_t word = 1; word < 9; ++word) sum += std::exp(static_cast<double>(answer.scores[word]));
      for (std::int32_t word = 1; word < 9; ++word) {
        const auto outcome = pass.forward(asked, word, test.linear);
        const double expected = std::exp(static_cast<double>(answer.scores[static_cast<std::size_t>(word)])) / sum;
        // Both sum at most a few hundred terms in float, in another order.
        EXPECT_NEAR(outcome.probability, expected, 2e-4 * expected + 1e-6);
        EXPECT_NEAR(outcome.loss, -std::log(outcome.probability), 1e-6);
        EXPECT_EQ(outcome.word, answer.best());
      }
    }
  }
}

// The slope from four values of the loss is off by h^4 / 30 times its fifth derivative, which is nothing here, and by
// the rounding of the loss over h: with float losses near 2 (error 1e-6) and h = 1/64 that is 1e-4.
TEST_F(MemoryPassTest, GradientsAreThoseOfTheLoss) {
  constexpr float kStep = 1.0f / 64;
  for (const Case& test : cases()) {
    std::vector<float> values = parameters(test.shape, deviation(test));
    MemoryPass pass(test.shape);
    pass.set_parameters(values);
    std::vector<float> gradient(values.size());
    pass.forward(question(), 5, test.linear);
    pass.backward(question());
    pass.take_gradient(gradient);
    const auto loss = [&](std::size_t i, float step) {
      const float kept = values[i];
      values[i] = kept + step;
      pass.set_parameters(values);
      const double value = pass.forward(question(), 5, test.linear).loss;
      values[i] = kept;
      return value;
    };
    for (const MemoryMatrix& matrix : pass.matrices()) {
      for (std::size_t i = matrix.offset; i < matrix.offset + matrix.size(); ++i) {
        if (matrix.name != "H" && i < matrix.offset + test.shape.d) {
          EXPECT_EQ(gradient[i], 0.0f) << "number 0 is no word";
          continue;
        }
        const double near = loss(i, kStep) - loss(i, -kStep), far = loss(i, 2 * kStep) - loss(i, -2 * kStep);
        const double slope = (8 * near - far) / (12 * static_cast<double>(kStep));
        ASSERT_NEAR(gradient[i], slope, 3e-4 + 1e-3 * std::abs(slope))
            << matrix.name << " element " << i - matrix.offset << " hops " << test.shape.hops << " linear "
            << test.linear;
      }
    }
  }
}

// The forward of training is the forward that runs: same answers, same attention, to the bit.
TEST_F(MemoryPassTest, FixedPointTrainsOnWhatItRuns) {
  for (const Case& test : cases()) {
    for (const MemoryScheme& scheme :
         {MemoryScheme{.arithmetic = MemoryArithmetic::kFixed},
          MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
          .integer_bits = 2,
          .similarity = MemorySimilarity::kHamming,
          .hop_formats = true},
          MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
          .integer_bits = 3,
          .one_bit_query = true,
          .one_bit_weights = true},
          MemoryScheme{.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 3, .integer_only = true},
          MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
          .integer_bits = 2,
          .similarity = MemorySimilarity::kHamming,
          .integer_only = true},
          MemoryScheme{.arithmetic = MemoryArithmetic::kFixed,
          .integer_bits = 3,
          .one_bit_weights = true,
          .integer_only = true}}) {
      const std::vector<float> values = parameters(test.shape, 0.5);
      MemoryPass pass(test.shape, scheme);
      pass.set_parameters(values);
      MemN2NFixed network(test.shape, scheme);
      network.set_parameters(values);
      const std::size_t word = pass.forward(question(), 5, test.linear).word;
      EXPECT_EQ(word, network.answer(question(), test.linear).best());
      if (scheme.integer_only && !test.linear) {
        EXPECT_EQ(word, network.answer_word(question()));
      }
    }
  }
}

MemoryScheme scaled_scheme() {
  return {.arithmetic = MemoryArithmetic::kScaled, .integer_only = true, .relative_similarity = true};
}

TEST_F(MemoryPassTest, ScaledNetworksTrainOnWhatTheyRun) {
  for (const Case& test : cases()) {
    if (test.linear) continue;
    for (const bool powers : {false, true})
      for (const int one_bit : {0, 1, 2, 3}) {
        MemoryScheme scheme = scaled_scheme();
        scheme.power_of_two_scales = powers;
        scheme.one_bit_query = one_bit >= 1;
        scheme.one_bit_state = one_bit >= 2;
        scheme.one_bit_weights = one_bit >= 3;
        const std::vector<float> values = parameters(test.shape, 0.5);
        const std::vector<MemoryQuestion> questions{question()};
        const MemoryScales scales = calibrate_memory(test.shape, scheme, values, questions);
        MemoryPass pass(test.shape, scheme);
        pass.set_scales(scales);
        pass.set_parameters(values);
        MemN2NScaled network(test.shape, scheme, scales);
        network.set_parameters(values);
        EXPECT_EQ(pass.forward(question(), 5, false).word, network.answer_word(question()));
        EXPECT_EQ(network.answer(question()).best(), network.answer_word(question()));
      }
  }
}

// Eight bits: the gradient is the float network's within a few percent of its largest element.
TEST_F(MemoryPassTest, ScaledNetworksHaveTheFloatGradient) {
  for (const Case& test : cases()) {
    if (test.linear) continue;
    const std::vector<float> values = parameters(test.shape, 0.2);
    const std::vector<MemoryQuestion> questions{question()};
    const auto gradient_of = [&](const MemoryScheme& scheme) {
      MemoryPass pass(test.shape, scheme);
      if (scheme.is_scaled()) pass.set_scales(calibrate_memory(test.shape, scheme, values, questions));
      pass.set_parameters(values);
      std::vector<float> gradient(values.size());
      pass.forward(question(), 5, false);
      pass.backward(question());
      pass.take_gradient(gradient);
      return gradient;
    };
    const std::vector<float> expected = gradient_of({}), found = gradient_of(scaled_scheme());
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      error = std::max(error, std::abs(static_cast<double>(found[i]) - expected[i]));
    }
    EXPECT_LT(error, 0.05 * largest) << "hops " << test.shape.hops;
  }
}

// Straight through: the gradient is the float network's but for what truncation changes in the forward, so six fraction
// bits more bring it nearer by 64, give or take what hops and softmax bend.
TEST_F(MemoryPassTest, FineFixedPointHasTheFloatGradient) {
  for (const Case& test : cases()) {
    const std::vector<float> values = parameters(test.shape, 0.2);
    const auto gradient_of = [&](const MemoryScheme& scheme) {
      MemoryPass pass(test.shape, scheme);
      pass.set_parameters(values);
      std::vector<float> gradient(values.size());
      pass.forward(question(), 5, test.linear);
      pass.backward(question());
      pass.take_gradient(gradient);
      return gradient;
    };
    const std::vector<float> expected = gradient_of({});
    const auto worst = [&](int bits) {
      const std::vector<float> found =
          gradient_of({.arithmetic = MemoryArithmetic::kFixed, .bits = bits, .integer_bits = 4});
      double error = 0;
      for (std::size_t i = 0; i < found.size(); ++i)
        error = std::max(error, std::abs(static_cast<double>(found[i]) - expected[i]));
      return error;
    };
    EXPECT_LT(worst(15), worst(9) / 8) << "hops " << test.shape.hops << " linear " << test.linear;
  }
}

// One hop, one fact: p is 1 whatever the similarity, so nothing flows through it; with two facts it does. The slopes
// are those of the golden cases; here it counts that they arrive at A and B with their factors.
TEST_F(MemoryPassTest, HammingSlopesReachTheEmbeddings) {
  const MemN2NShape shape{.vocabulary = 4,
                          .memory = 2,
                          .d = 1,
                          .hops = 1,
                          .sentence = 1,
                          .tying = MemoryTying::kLayerwise,
                          .encoding = SentenceEncoding::kWords,
                          .temporal = false};
  const MemoryScheme scheme{
      .arithmetic = MemoryArithmetic::kFixed, .integer_bits = 2, .similarity = MemorySimilarity::kHamming};
  // A: words 1 and 2 are 1.5 and 0.25; C: 1 and -1; B: word 3 is 0.75; W: words 1, 2 are 1, -1; H: 0.
  const std::vector<float> values{0, 1.5f, 0.25f, 0, 0, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0.75f, 0, 1, -1, 0, 0};
  ASSERT_EQ(values.size(), parameter_count(shape));
  MemoryPass pass(shape, scheme);
  pass.set_parameters(values);
  const std::vector<std::int32_t> one{1}, two{2}, asked{3};
  const std::vector<WordNumbers> told{one, two};
  std::vector<float> gradient(values.size());
  pass.forward({told, asked, {}}, 1, false);
  pass.backward({told, asked, {}});
  pass.take_gradient(gradient);
  // s = (127 - 24, 127 - 16) / 2^10; Delta = 0.75 = 011000b: 2 bits, 0.5 = 010000b: 1 bit.
  const double p = 1 / (1 + std::exp(8.0 / 1024)), o = std::floor(32 * p) / 32 - std::floor(32 * (1 - p)) / 32;
  const double low = std::exp(o), none = 1, high = std::exp(-o), all = low + none + high;
  const double d_u = low / all - 1 - high / all;
  const double d_s = p * (1 - p) * 2 * d_u;  // of the first fact; the second one's is its negative
  EXPECT_NEAR(gradient[1], d_s / 8 * -2, 1e-5);
  EXPECT_NEAR(gradient[2], -d_s / 8 * 1, 1e-5);
  EXPECT_NEAR(gradient[15], d_s / 8 * 2 + -d_s / 8 * -1, 1e-5);

  // Mode 3: g and p are codes of five fraction bits, so are their products; c is +-1.
  MemoryPass coded(shape, scheme, {.coded_read = true});
  coded.set_parameters(values);

  coded.forward({told, asked, {}}, 1, false);
  coded.backward({told, asked, {}});
  coded.take_gradient(gradient);
  const double g = std::trunc(32 * d_u) / 32;
  EXPECT_NEAR(gradient[7], std::trunc(std::floor(32 * p) * g) / 32, 1e-7);
  EXPECT_NEAR(gradient[8], std::trunc(std::floor(32 * (1 - p)) * g) / 32, 1e-7);
  EXPECT_NEAR(gradient[1], p * (1 - p) * 2 * g / 8 * -2, 1e-6);
}

TEST_F(MemoryPassTest, UnknownAnswersTeachNothing) {
  const MemN2NShape shape = cases()[0].shape;
  const std::vector<float> values = parameters(shape, 0.3);
  MemoryPass pass(shape);
  pass.set_parameters(values);
  const auto outcome = pass.forward(question(), 0, false);
  EXPECT_EQ(outcome.probability, 0);
  EXPECT_EQ(outcome.loss, 100);
  EXPECT_NE(outcome.word, 0u);
  std::vector<float> gradient(values.size());
  pass.backward(question());
  pass.take_gradient(gradient);
  EXPECT_EQ(gradient, std::vector<float>(values.size()));
}

}  // namespace
}  // namespace quaver
