// The cell against the plain reference: every code the same, over schemes, tyings, encodings and widths of rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "quaver/cells/memn2n/fixed.h"
#include "quaver/cells/memn2n/test_fixed.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

const std::vector<std::vector<std::int32_t>> kSentences{{1, 2, 3}, {4, 4, 5}, {6, 1, 0, 2}, {}, {3, 7, 7, 7, 1, 2}};

// d beyond, at and below the width of a vector of codes.
std::vector<MemN2NShape> shapes() {
  std::vector<MemN2NShape> all;
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    for (const SentenceEncoding encoding : {SentenceEncoding::kWords, SentenceEncoding::kPosition})
      for (const std::size_t d : {5u, 32u, 70u})
        all.push_back({.vocabulary = 8,
                       .memory = 6,
                       .d = d,
                       .hops = 3,
                       .sentence = 4,
                       .tying = tying,
                       .encoding = encoding,
                       .temporal = d != 32,
                       .slots = d == 70 ? 5u : 0u});
  return all;
}

std::vector<MemoryScheme> schemes() {
  std::vector<MemoryScheme> all;
  for (const int bits : {8, 4, 12})
    for (const int integer_bits : {1, 2, 5})
      for (const MemorySimilarity similarity : {MemorySimilarity::kDot, MemorySimilarity::kHamming})
        for (const bool hop_formats : {false, true})
          for (int ones = 0; ones < 4; ++ones)
            for (const bool integer_only : {false, true})
              if (integer_bits <= bits - 2)
                all.push_back({.arithmetic = MemoryArithmetic::kFixed,
                               .bits = bits,
                               .integer_bits = integer_bits,
                               .similarity = similarity,
                               .hop_formats = hop_formats,
                               .one_bit_query = ones % 2 == 1,
                               .one_bit_weights = ones / 2 == 1,
                               .integer_only = integer_only});
  return all;
}

std::vector<std::int32_t> unpadded(const std::int16_t* codes, std::size_t rows, std::size_t stride, std::size_t d) {
  std::vector<std::int32_t> all;
  for (std::size_t row = 0; row < rows; ++row) {
    all.insert(all.end(), codes + row * stride, codes + row * stride + d);
    EXPECT_TRUE(
        std::all_of(codes + row * stride + d, codes + (row + 1) * stride, [](std::int16_t code) { return code == 0; }));
  }
  return all;
}

TEST(MemoryFixed, EveryCodeIsThePlainOne) {
  Random random(9);
  for (const MemN2NShape& shape : shapes()) {
    std::vector<float> parameters(parameter_count(shape));
    for (float& value : parameters) value = static_cast<float>(0.7 * random.normal());
    for (const MemoryMatrix& matrix : memory_matrices(shape))
      if (matrix.name != "H") std::fill_n(&parameters[matrix.offset], shape.d, 0.0f);
    for (const MemoryScheme& scheme : schemes()) {
      testing_support::PlainFixed expected(shape, scheme);
      MemN2NFixed found(shape, scheme);
      expected.set_parameters(parameters);
      found.set_parameters(parameters);
      // Sentences come again, with and without numbers, at other ages, in another number.
      for (const std::size_t facts : {3u, 0u, 1u, 6u}) {
        std::vector<WordNumbers> told;
        std::vector<std::uint32_t> sentences;
        for (std::size_t i = 0; i < facts; ++i) {
          sentences.push_back(static_cast<std::uint32_t>(random.below(kSentences.size())));
          told.push_back(kSentences[sentences.back()]);
        }
        for (const bool numbered : {true, false}) {
          const bool linear = facts == 1;
          MemoryQuestion question{.facts = told, .words = kSentences[facts % 3]};
          expected.run(question, linear);
          if (numbered) question.sentences = sentences;
          found.run(question, linear);
          for (std::size_t hop = 0; hop < shape.hops; ++hop) {
            const auto& codes = expected.hop(hop);
            const MemN2NFixed::Hop& of = found.hop(hop);
            const std::size_t stride = found.codes().stride();
            const auto m = found.facts(found.codes().m_of(hop)), c = found.facts(found.codes().c_of(hop));
            ASSERT_EQ(unpadded(m.codes, facts, stride, shape.d), codes.m);
            ASSERT_EQ(unpadded(c.codes, facts, stride, shape.d), codes.c);
            ASSERT_EQ(unpadded(of.u.data(), 1, stride, shape.d), codes.u);
            ASSERT_EQ(unpadded(of.o.data(), 1, stride, shape.d), codes.o);
            ASSERT_EQ(of.s, codes.s);
            ASSERT_TRUE(std::ranges::equal(of.p_codes, codes.p_codes));
            std::vector<float> p;
            found.attention(hop, p);
            ASSERT_EQ(p, codes.p);
          }
          ASSERT_EQ(unpadded(found.output().data(), 1, found.codes().stride(), shape.d), expected.output());
          if (scheme.integer_only) {
            ASSERT_TRUE(std::ranges::equal(found.scores(), expected.scores()));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace quaver
