// The memory network's shapes and its float reference, on numbers that can be followed by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/ref.h"
#include "quaver/core/error.h"

namespace quaver {
namespace {

constexpr MemN2NShape kSmall{
    .vocabulary = 4, .memory = 2, .d = 2, .hops = 1, .sentence = 2, .encoding = SentenceEncoding::kWords};

TEST(MemN2N, MatricesFollowTheTying) {
  MemN2NShape shape = kSmall;
  shape.hops = 3;
  EXPECT_EQ(memory_matrices(shape).size(), 4u);
  EXPECT_EQ(parameter_count(shape), 4u * 6 * 2);
  const MemoryRoles adjacent(shape);
  EXPECT_EQ(adjacent.A, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(adjacent.C, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(adjacent.B, 0u);
  EXPECT_EQ(adjacent.W, 3u);
  shape.tying = MemoryTying::kLayerwise;
  EXPECT_EQ(parameter_count(shape), 2u * 6 * 2 + 2 * 4 * 2 + 2 * 2);
  const MemoryRoles layerwise(shape);
  EXPECT_EQ(layerwise.A, (std::vector<std::size_t>{0, 0, 0}));
  EXPECT_TRUE(layerwise.has_H);
}

TEST(MemN2N, SizesThatMakeNoNetworkAreRefused) {
  const auto refused = [](const std::function<void(MemN2NShape&)>& change) {
    MemN2NShape shape = kSmall;
    change(shape);
    EXPECT_THROW(validate(shape), Error);
  };
  validate(kSmall);
  refused([](MemN2NShape& shape) { shape.vocabulary = 1; });
  refused([](MemN2NShape& shape) { shape.memory = 0; });
  refused([](MemN2NShape& shape) { shape.d = 0; });
  refused([](MemN2NShape& shape) { shape.hops = 0; });
  refused([](MemN2NShape& shape) { shape.hops = 7; });
  refused([](MemN2NShape& shape) { shape.sentence = 0; });
  refused([](MemN2NShape& shape) { shape.sentence = 4097; });
  refused([](MemN2NShape& shape) { shape.slots = 65537; });
}

// l_kj = 1 + 4 (k - (d+1)/2)(j - (J+1)/2) / (d J), d = 2, J = 3: rows j, columns k.
TEST(MemN2N, PositionEncodingIsTheFormula) {
  MemN2NShape shape = kSmall;
  EXPECT_EQ(encoding_weights(shape), std::vector<float>(6, 1.0f));
  shape.encoding = SentenceEncoding::kPosition;
  const std::vector<float> weights = encoding_weights(shape);
  const std::vector<float> expected{4.0f / 3, 2.0f / 3, 1, 1, 2.0f / 3, 4.0f / 3};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(weights[i], expected[i]);
  EXPECT_EQ(word_slot(shape, 0), 0u);
  EXPECT_EQ(word_slot(shape, 1), 1u);
  EXPECT_EQ(word_slot(shape, 7), 1u) << "a longer sentence's words share the last slot";
}

// E0 embeds questions and addresses, E1 reads and scores. Words 1, 2 are the axes, ages have rows 4 and 5.
TEST(MemN2N, OneHopByHand) {
  const std::vector<float> values{0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0.5f, 0,   // E0
                                  0, 0, 2, 0, 0, 3, 1, 1, 0, 0, 0,    0};  // E1
  const std::vector<std::int32_t> first{1}, second{2, 3}, words{1, 1};
  const std::vector<WordNumbers> facts{first, second};
  const MemN2NRef network(kSmall, values);
  // u = (2, 0); m = (1, 0) + age 1 (0.5, 0) = (1.5, 0), (1, 2) + age 0; s = 3, 2; c = (2, 0), (1, 4).
  const MemoryAnswer linear = network.answer({facts, words, {}}, true);
  EXPECT_EQ(linear.attention, (std::vector<std::vector<float>>{{3, 2}}));
  EXPECT_EQ(linear.scores, (std::vector<float>{0, 20, 24, 18}));  // u' = (2 + 6 + 2, 8)
  EXPECT_EQ(linear.best(), 2u);
  const MemoryTrace trace = network.trace({facts, words, {}}, true);
  const MemoryTrace::Hop& hop = trace.hops.at(0);
  EXPECT_EQ(hop.m, (std::vector<float>{1.5f, 0, 1, 2}));
  EXPECT_EQ(hop.c, (std::vector<float>{2, 0, 1, 4}));
  EXPECT_EQ(hop.s, (std::vector<float>{3, 2}));
  EXPECT_EQ(hop.o, (std::vector<float>{8, 8}));
  EXPECT_EQ(hop.u, (std::vector<float>{2, 0}));
  EXPECT_EQ(trace.u, (std::vector<float>{10, 8}));
  EXPECT_EQ(trace.scores, linear.scores);
  const MemoryAnswer answer = network.answer({facts, words, {}});
  const float p = 1 / (1 + std::exp(-1.0f));
  EXPECT_NEAR(answer.attention[0][0], p, 1e-6);
  EXPECT_NEAR(answer.scores[1], 2 * (2 + 2 * p + (1 - p)), 1e-5);
  // Natural ages and the same ones given are one thing.
  const std::vector<std::uint32_t> ages{1, 0}, swapped{0, 1};
  EXPECT_EQ(network.answer({facts, words, ages}).scores, answer.scores);
  EXPECT_NE(network.answer({facts, words, swapped}).scores, answer.scores);
}

// A fact m = c = 0 that is told is an empty one: the same answers, to rounding, and p of both kinds adds up to 1.
TEST(MemN2N, EmptyFactsTakeTheirShare) {
  const std::vector<float> values{0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0,   // E0
                                  0, 0, 2, 0, 0, 3, 1, 1, 0, 0, 0, 0};  // E1; ages embed to nothing
  const std::vector<std::int32_t> first{1}, second{2, 3}, no_words{}, words{1, 1};
  const std::vector<WordNumbers> told{first, second}, padded{no_words, first, second, no_words, no_words};
  MemN2NShape shape = kSmall, larger = kSmall;
  shape.slots = 5;
  larger.memory = 5;
  std::vector<float> more(parameter_count(larger));  // the same words, more ages
  for (std::size_t matrix = 0; matrix < 2; ++matrix) std::copy_n(&values[matrix * 12], 8, &more[matrix * 18]);
  EXPECT_EQ(shape.empty_facts(2), 3u);
  EXPECT_EQ(shape.empty_facts(7), 0u);
  for (const float sign : {1.0f, -1.0f}) {  // similarities above and below that of nothing
    std::vector<float> signed_values = values, signed_more = more;
    for (std::size_t i = 0; i < 12; ++i) signed_values[i] *= i % 2 == 0 ? sign : 1;
    for (std::size_t i = 0; i < 18; ++i) signed_more[i] *= i % 2 == 0 ? sign : 1;
    const MemoryAnswer found = MemN2NRef(shape, signed_values).answer({told, words, {}});
    const MemoryAnswer expected = MemN2NRef(larger, signed_more).answer({padded, words, {}});
    // The same exponentials are summed in another order: p within 8 roundings of 2^-24; a score has 2 c p W, c, W <= 3.
    for (std::size_t word = 0; word < 4; ++word) EXPECT_NEAR(found.scores[word], expected.scores[word], 1e-5);
    EXPECT_NEAR(found.attention[0][0], expected.attention[0][1], 1e-6);
    EXPECT_NEAR(found.attention[0][0] + found.attention[0][1] + found.nothing[0], 1, 1e-6);
    EXPECT_GT(found.nothing[0], 0);
    // Without the softmax a similarity of 0 reads nothing.
    EXPECT_EQ(MemN2NRef(shape, signed_values).answer({told, words, {}}, true).scores,
              MemN2NRef(kSmall, signed_values).answer({told, words, {}}, true).scores);
  }
  const MemoryAnswer none = MemN2NRef(shape, values).answer({{}, words, {}});
  EXPECT_EQ(none.scores, MemN2NRef(kSmall, values).answer({{}, words, {}}).scores);
  EXPECT_EQ(none.nothing, std::vector<float>{1});
}

TEST(MemN2N, AnEmptyMemoryAnswersFromTheQuestion) {
  const std::vector<float> values{0, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 3, 1, 1, 0, 0, 0, 0};
  const std::vector<std::int32_t> words{2};
  const MemoryAnswer answer = MemN2NRef(kSmall, values).answer({{}, words, {}});
  EXPECT_EQ(answer.attention, (std::vector<std::vector<float>>{{}}));
  EXPECT_EQ(answer.scores, (std::vector<float>{0, 0, 3, 1}));
  EXPECT_EQ(answer.best(), 2u);
}

}  // namespace
}  // namespace quaver
