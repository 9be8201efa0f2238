#include "quaver/report/cost/memory_costs.h"

#include <gtest/gtest.h>

#include <map>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/memory_samples.h"

namespace quaver {
namespace {

using enum OperationKind;
using enum OperandWidth;

const MemoryScheme kFixed{.arithmetic = MemoryArithmetic::kFixed};
const MemoryScheme kHamming{
    .arithmetic = MemoryArithmetic::kFixed, .integer_bits = 2, .similarity = MemorySimilarity::kHamming};
const MemoryScheme kQmann{.arithmetic = MemoryArithmetic::kFixed,
                          .integer_bits = 2,
                          .similarity = MemorySimilarity::kHamming,
                          .hop_formats = true};

MemoryScheme integer_only(MemoryScheme scheme) {
  scheme.integer_only = true;
  return scheme;
}

// The released configuration on stories of `facts` sentences of seven words, the time word among them.
MemN2NShape released_shape() {
  return {.vocabulary = 80,
          .memory = 50,
          .d = 60,
          .hops = 3,
          .sentence = 7,
          .tying = MemoryTying::kLayerwise,
          .encoding = SentenceEncoding::kWords};
}
QuestionSizes sentences_of_seven(std::uint64_t facts) { return {1, facts, 6 * facts, 7}; }

// The claim of 22x: an operation count that lands on it at stories of about ten sentences.
TEST(MemoryCosts, ByThePapersRulesTheGainsAreThoseOfItsReconstruction) {
  const std::map<std::uint64_t, std::pair<double, double>> expected{
      {5, {20.3, 21.3}}, {10, {20.6, 22.3}}, {20, {20.9, 23.9}}, {50, {21.4, 26.8}}};
  for (const auto& [facts, gains] : expected) {
    const QuestionSizes sizes = sentences_of_seven(facts);
    EXPECT_NEAR(memory_energy(released_shape(), kFixed, sizes).paper_gain(), gains.first, 0.05) << facts;
    EXPECT_NEAR(memory_energy(released_shape(), kHamming, sizes).paper_gain(), gains.second, 0.05) << facts;
    // Formats by hop cost nothing by these rules.
    EXPECT_EQ(memory_energy(released_shape(), kQmann, sizes).paper_pj,
              memory_energy(released_shape(), kHamming, sizes).paper_pj);
  }
}

TEST(MemoryCosts, FloatCountsAreThoseOfItsEquations) {
  MemN2NShape shape = samples::kMemoryShape;  // d 5, 3 hops, vocabulary 9, layer-wise, bag of words
  const QuestionSizes sizes{1, 2, 7, 3};
  OperationCounts all;
  for (const MemoryPart& part : memory_costs(shape, {}, sizes)) all += part.operations;
  // Similarity and read: 3 hops of 2 facts of 5; H: 3 x 25; answer: 9 x 5.
  EXPECT_EQ(all.macs, 2 * 30u + 75 + 45);
  EXPECT_EQ(all.of(kMultiply, kF32), all.macs);
  // A and C embed 7 words and 2 ages, B 3 words, all of 5; H u + o; softmax: difference and sum.
  EXPECT_EQ(all.of(kAdd, kF32), all.macs + 2 * 9 * 5 + 3 * 5 + 3 * 5 + 2 * 6);
  EXPECT_EQ(all.of(kCompare, kF32), 6u + 9);
  EXPECT_EQ(all.f32_curve, 12u);
  EXPECT_EQ(all.float_ops(), 2 * all.macs + 90 + 15 + 15 + 12 + 15 + 12);
  // Adjacent: four matrices embed each fact, and there is no H.
  shape.tying = MemoryTying::kAdjacent;
  OperationCounts adjacent;
  for (const MemoryPart& part : memory_costs(shape, {}, sizes)) adjacent += part.operations;
  EXPECT_EQ(adjacent.macs, all.macs - 75);
  EXPECT_EQ(adjacent.of(kAdd, kF32), adjacent.macs + 4 * 9 * 5 + 3 * 5 + 3 * 5 + 2 * 6);
}

TEST(MemoryCosts, OnlyIntegersWhereTheSchemeSaysSo) {
  const QuestionSizes sizes{1, 2, 7, 3};
  const auto float_ops = [&](const MemoryScheme& scheme) {
    OperationCounts all;
    for (const MemoryPart& part : memory_costs(samples::kMemoryShape, scheme, sizes)) all += part.operations;
    return all.float_ops();
  };
  for (const MemoryScheme& scheme : {kFixed, kHamming, kQmann}) {
    EXPECT_EQ(float_ops(integer_only(scheme)), 0u);
    // The softmax (5 a fact and hop), codes to numbers and back (3), the answer layer with its codes.
    EXPECT_EQ(float_ops(scheme), 6 * 8 + 2 * 45u + 9 + 5);
  }
}

TEST(MemoryCosts, ElementsOfASimilarity) {
  const QuestionSizes sizes{1, 2, 7, 3};
  const auto similarity = [&](const MemoryScheme& scheme) {
    return memory_costs(samples::kMemoryShape, scheme, sizes)[2].operations;
  };
  EXPECT_EQ(similarity(kFixed).of(kMultiply, kI8), 30u);
  EXPECT_EQ(similarity(kFixed).of(kAdd, kI16), 30u);
  EXPECT_EQ(similarity(kFixed).of(kCompare, kI8), 30u);
  EXPECT_EQ(similarity(kHamming).macs, 0u);
  EXPECT_EQ(similarity(kHamming).of(kAdd, kI8), 60u);
  EXPECT_EQ(similarity(kHamming).of(kAdd, kI16), 30u);
  MemoryScheme one_bit = kFixed;
  one_bit.one_bit_query = true;
  EXPECT_EQ(similarity(one_bit).macs, 0u);
  EXPECT_EQ(similarity(one_bit).of(kAdd, kI16), 30u);
}

TEST(MemoryCosts, OneBitByOneBitIsLogicAndPopcount) {
  MemoryScheme scheme = kFixed;
  scheme.one_bit_query = scheme.one_bit_weights = true;
  const OperationCounts controller = memory_costs(samples::kMemoryShape, scheme, {1, 2, 7, 3})[5].operations;
  EXPECT_EQ(controller.of(kLogic, kBit), 75u);
  EXPECT_EQ(controller.of(kPopcount, kBit), 75u);
  EXPECT_EQ(controller.macs, 0u);
  EXPECT_EQ(controller.of(kMultiply, kI32), 15u);  // the matrix's mean magnitude
}

TEST(MemoryCosts, ScaledIntegersSumExactlyAndRequantizeOnce) {
  const QuestionSizes sizes{1, 2, 7, 3};
  const std::vector<MemoryPart> parts = memory_costs(samples::kMemoryShape, memory_scheme_from_name("int8"), sizes);
  OperationCounts all;
  for (const MemoryPart& part : parts) all += part.operations;
  EXPECT_EQ(all.float_ops(), 0u);
  EXPECT_EQ(all.macs, 2 * 30u + 75 + 45);
  EXPECT_EQ(parts[0].operations.of(kAdd, kI16), 2 * 9 * 5u);       // words and ages, A and C
  EXPECT_EQ(parts[0].operations.of(kMultiply, kI32), 2 * 2 * 5u);  // a value of each fact's
  EXPECT_EQ(parts[2].operations.of(kMultiply, kI8), 30u);          // similarity
  EXPECT_EQ(parts[2].operations.of(kMultiply, kI32), 6u);          // its results
  EXPECT_EQ(parts[4].operations.of(kCompare, kI8), 0u);            // no product is limited
  EXPECT_EQ(bytes_of_a_fact(samples::kMemoryShape, memory_scheme_from_name("int8")), 10u);
  EXPECT_EQ(bytes_of_weights(samples::kMemoryShape, memory_scheme_from_name("int8")),
            parameter_count(samples::kMemoryShape));
  // Shifts instead of multipliers; signs instead of products.
  const auto points = memory_costs(samples::kMemoryShape, memory_scheme_from_name("fixed8-calibrated"), sizes);
  EXPECT_EQ(points[2].operations.of(kMultiply, kI32), 0u);
  MemoryScheme binary = memory_scheme_from_name("binary-weights-calibrated");
  binary.one_bit_state = false;
  const auto signs = memory_costs(samples::kMemoryShape, binary, sizes);
  EXPECT_EQ(signs[2].operations.macs, 0u);
  EXPECT_EQ(signs[5].operations.of(kLogic, kBit), 75u);  // signs of H by signs of u
  EXPECT_EQ(signs[6].operations.macs, 0u);               // W is signs too
}

// More hops' formats ask for more embeddings of a fact: A and C in three formats each.
TEST(MemoryCosts, FormatsByHopCostEmbeddings) {
  const QuestionSizes sizes{1, 2, 7, 3};
  const auto facts = [&](const MemoryScheme& scheme) {
    return memory_costs(samples::kMemoryShape, scheme, sizes)[0].operations.of(kAdd, kI16);
  };
  EXPECT_EQ(facts(kHamming), 2 * 9 * 5u);
  EXPECT_EQ(facts(kQmann), 6 * 9 * 5u);
  EXPECT_EQ(bytes_of_a_fact(samples::kMemoryShape, kHamming), 10u);
  EXPECT_EQ(bytes_of_a_fact(samples::kMemoryShape, kQmann), 30u);
  EXPECT_EQ(bytes_of_a_fact(samples::kMemoryShape, {}), 40u);
}

TEST(MemoryCosts, BytesOfWeights) {
  MemN2NShape shape = samples::kMemoryShape;  // A, C: 15 x 5; B, W: 9 x 5; H: 5 x 5
  EXPECT_EQ(bytes_of_weights(shape, {}), 4 * parameter_count(shape));
  EXPECT_EQ(bytes_of_weights(shape, integer_only(kFixed)), parameter_count(shape));
  EXPECT_EQ(bytes_of_weights(shape, kFixed), parameter_count(shape) + 3 * 45);  // W in float
  MemoryScheme binary = integer_only(kFixed);
  binary.one_bit_weights = true;
  EXPECT_EQ(bytes_of_weights(shape, binary), 10u + 10 + 6 + 4 + 45);  // bits of A, C, B, H; W in codes
  shape.tying = MemoryTying::kAdjacent;
  EXPECT_EQ(bytes_of_weights(shape, {}), 4 * parameter_count(shape));
  EXPECT_EQ(bytes_of_weights(shape, integer_only(kFixed)), parameter_count(shape));
  EXPECT_EQ(bytes_of_weights(shape, kFixed), parameter_count(shape) + 4 * 45);
}

TEST(MemoryCosts, EmptyFactsAreOneExponential) {
  const QuestionSizes sizes{2, 4, 14, 6};
  MemN2NShape with_slots = samples::kMemoryShape;
  with_slots.slots = 50;
  for (const MemoryScheme& scheme : {MemoryScheme{}, integer_only(kQmann), memory_scheme_from_name("int8")}) {
    OperationCounts plain, slots;
    for (const MemoryPart& part : memory_costs(samples::kMemoryShape, scheme, sizes)) plain += part.operations;
    for (const MemoryPart& part : memory_costs(with_slots, scheme, sizes)) slots += part.operations;
    const OperandWidth wide = scheme.is_float() ? kF32 : kI32;
    EXPECT_EQ(slots.of(kMultiply, wide), plain.of(kMultiply, wide) + 6);  // of 3 hops and 2 questions
    EXPECT_EQ(slots.f32_curve, plain.f32_curve + (scheme.is_float() ? 6u : 0u));
    EXPECT_EQ(slots.macs, plain.macs);
  }
}

TEST(MemoryCosts, GrowLinearlyWithWhatIsAsked) {
  const MemN2NShape shape = released_shape();
  for (const MemoryScheme& scheme : {MemoryScheme{}, kFixed, integer_only(kQmann)}) {
    const double one = memory_energy(shape, scheme, sentences_of_seven(10)).pj;
    const QuestionSizes three{3, 30, 180, 21};
    EXPECT_NEAR(memory_energy(shape, scheme, three).pj, one, 1e-9 * one);
  }
  // Without facts there is the question, the controller and the answer.
  EXPECT_GT(memory_energy(shape, kQmann, {1, 0, 0, 7}).pj, 0);
  EXPECT_EQ(memory_energy(shape, kQmann, {0, 0, 0, 0}).gain(), 1);
}

TEST(QuestionSizes, CountWordsThatAreThere) {
  const std::vector<std::int32_t> first{1, 0, 3}, second{2}, words{4, 0};
  const std::vector<WordNumbers> facts{first, second};
  const std::vector<MemoryQuestion> questions{{facts, words, {}}, {{}, words, {}}};
  EXPECT_EQ(question_sizes(questions), (QuestionSizes{2, 2, 3, 2}));
  EXPECT_EQ(question_sizes(questions).mean_facts(), 1);
  EXPECT_EQ(question_sizes(questions).mean_fact_words(), 1.5);
  EXPECT_EQ(question_sizes({}).mean_fact_words(), 0);
}

}  // namespace
}  // namespace quaver
