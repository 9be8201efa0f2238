// Q-MANN's arithmetic against cases made without Quaver (tests/golden/memn2n_fixed), and what must hold beside them.
#include "quaver/cells/memn2n/fixed.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "quaver/cells/memn2n/test_fixed.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "support/places.h"

namespace quaver {
namespace {

std::ifstream golden(const std::string& name) {
  std::ifstream file(testing_support::own_goldens("memn2n_fixed") / name);
  EXPECT_TRUE(file.is_open()) << name;
  return file;
}

TEST(MemoryFixedGoldens, Arithmetic) {
  std::ifstream file = golden("arithmetic.txt");
  std::size_t checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    SignMagnitudeFormat format;
    if (kind == "real") {
      double x = 0;
      std::int32_t expected = 0;
      in >> x >> format.integer >> format.fraction >> expected;
      ASSERT_EQ(sign_magnitude_code(x * 0x1p-20, format), expected) << line;
    } else if (kind == "product") {
      std::int32_t a = 0, b = 0, expected = 0;
      int fraction_b = 0;
      in >> a >> b >> format.integer >> format.fraction >> fraction_b >> expected;
      ASSERT_EQ(truncated_product(a, b, fraction_b, format.limit()), expected) << line;
    } else {
      std::int32_t a = 0, b = 0, similarity = 0, slope_a = 0, slope_b = 0, released_b = 0;
      int fine = 0;
      in >> a >> b >> format.integer >> format.fraction >> fine >> similarity >> slope_a >> slope_b >> released_b;
      ASSERT_EQ(hamming_similarity(a, b, format, fine), similarity) << line;
      // Of two equal magnitudes with other signs either may be called the larger: the golden takes the memory.
      const HammingSlope slope = hamming_slope(a, b, format, fine, false);
      ASSERT_EQ(slope.memory, slope_a) << line;
      ASSERT_EQ(slope.query, slope_b) << line;
      const HammingSlope released = hamming_slope(a, b, format, fine, true);
      ASSERT_EQ(released.memory, slope_a) << line;
      ASSERT_EQ(released.query, released_b) << line;
    }
    ASSERT_FALSE(in.fail()) << line;
  }
  EXPECT_EQ(checked, 2100u);
}

std::vector<int> read_codes(std::istream& file, const std::string& name) {
  std::string line, word;
  std::getline(file, line);
  std::istringstream in(line);
  in >> word;
  EXPECT_EQ(word, name);
  std::vector<int> codes;
  for (int code = 0; in >> code;) codes.push_back(code);
  return codes;
}

template <typename Codes>
std::vector<int> as_ints(const Codes& codes) {
  std::vector<int> ints;
  for (const auto code : codes) ints.push_back(static_cast<int>(code));
  return ints;
}

// Of rows without their padding.
std::vector<int> as_ints(const std::int16_t* codes, std::size_t rows, const FixedCodes& of) {
  std::vector<int> ints;
  for (std::size_t row = 0; row < rows; ++row, codes += of.stride())
    ints.insert(ints.end(), codes, codes + of.shape().d);
  return ints;
}

const std::vector<std::vector<std::int32_t>> kFacts{{1, 2, 3}, {4, 4, 5}, {6, 1, 0, 2}, {3}};
const std::vector<std::int32_t> kWords{5, 5, 1};

TEST(MemoryFixedGoldens, WholeNetworksHopByHop) {
  std::ifstream file = golden("networks.txt");
  std::size_t checked = 0;
  const std::vector<WordNumbers> facts(kFacts.begin(), kFacts.end());
  for (std::string line; std::getline(file, line); ++checked) {
    std::istringstream in(line);
    std::string word, name;
    MemoryScheme scheme{.arithmetic = MemoryArithmetic::kFixed};
    MemN2NShape shape{.vocabulary = 7, .memory = 4, .d = 5, .hops = 3, .sentence = 4};
    bool hamming = false, layerwise = false, position = false, linear = false;
    in >> word >> name >> scheme.bits >> scheme.integer_bits >> hamming >> scheme.hop_formats >> scheme.one_bit_query >>
        scheme.one_bit_weights >> layerwise >> position >> linear >> scheme.integer_only >> shape.slots;
    ASSERT_FALSE(in.fail()) << line;
    if (hamming) scheme.similarity = MemorySimilarity::kHamming;
    shape.tying = layerwise ? MemoryTying::kLayerwise : MemoryTying::kAdjacent;
    shape.encoding = position ? SentenceEncoding::kPosition : SentenceEncoding::kWords;
    std::vector<float> parameters;
    for (const int code : read_codes(file, "parameters")) parameters.push_back(static_cast<float>(code) * 0x1p-10f);
    ASSERT_EQ(parameters.size(), parameter_count(shape));
    MemN2NFixed network(shape, scheme);
    network.set_parameters(parameters);
    network.run({facts, kWords, {}}, linear);
    testing_support::PlainFixed plain(shape, scheme);
    plain.set_parameters(parameters);
    plain.run({facts, kWords, {}}, linear);
    const FixedCodes& codes = network.codes();
    for (std::size_t hop = 0; hop < shape.hops; ++hop) {
      const std::string where = line + ", hop " + std::to_string(hop);
      const auto expect = [&](const char* which, const std::vector<int>& found,
                              const std::vector<std::int32_t>& plain_ones) {
        const std::vector<int> expected = read_codes(file, which);
        EXPECT_EQ(found, expected) << where << ", " << which;
        EXPECT_EQ(plain_ones, expected) << where << ", plain " << which;
      };
      const auto as_rows = [&](const std::int16_t* rows, std::size_t count) { return as_ints(rows, count, codes); };
      const testing_support::PlainFixed::Hop& of = plain.hop(hop);
      const bool last = hop + 1 == shape.hops;
      expect("m", as_rows(network.facts(codes.m_of(hop)).codes, facts.size()), of.m);
      expect("c", as_rows(network.facts(codes.c_of(hop)).codes, facts.size()), of.c);
      expect("s", as_ints(network.hop(hop).s), of.s);
      expect("p", as_ints(network.hop(hop).p_codes), of.p_codes);
      expect("u", as_rows(last ? network.output().data() : network.hop(hop + 1).u.data(), 1),
             last ? plain.output() : plain.hop(hop + 1).u);
    }
    // What was read is what the golden's next u has beyond the last one (adjacent: F4 without H).
    if (!layerwise) {
      const MemN2NFixed::Hop& last = network.hop(shape.hops - 1);
      const SignMagnitudeFormat base = scheme.format();
      for (std::size_t j = 0; j < shape.d; ++j)
        EXPECT_EQ(network.output()[j],
                  std::clamp(reformatted(last.u[j], codes.u_format(shape.hops - 1), base) + last.o[j], -base.limit(),
                             base.limit()))
            << line;
    }
    if (scheme.integer_only) {
      const std::vector<int> expected = read_codes(file, "scores");
      EXPECT_EQ(as_ints(network.scores()), expected) << line;
      EXPECT_EQ(as_ints(plain.scores()), expected) << line;
    }
  }
  EXPECT_EQ(checked, 80u);
}

TEST(SignMagnitude, SignsAndEnds) {
  const SignMagnitudeFormat format{2, 5};
  EXPECT_EQ(format.limit(), 127);
  EXPECT_EQ(sign_magnitude_code(-0.99 / 32, format), 0) << "toward zero, not down";
  EXPECT_EQ(sign_magnitude_code(1e300, format), 127);
  EXPECT_EQ(sign_magnitude_code(-1e300, format), -127) << "no code -128";
  EXPECT_EQ(truncating_shift(-7, 2), -1);
  EXPECT_EQ(truncated_product(-127, 127, 5, 127), -127);
  EXPECT_EQ(reformatted(-5, {2, 5}, {3, 4}), -2);
  EXPECT_EQ(reformatted(100, {3, 4}, {2, 5}), 127);
  for (std::uint32_t value = 0; value < 65536; ++value)
    ASSERT_EQ(set_bits(static_cast<std::int32_t>(value)), std::popcount(value)) << value;
  // Identical numbers are as alike as can be, zero included; the more apart, the less.
  for (const std::int32_t a : {-127, -1, 0, 1, 127}) EXPECT_EQ(hamming_similarity(a, a, format, 5), 127);
  EXPECT_EQ(hamming_similarity(0, 127, format, 5), 0);
  EXPECT_EQ(hamming_similarity(-1, 0, format, 5), -126);
}

MemN2NShape small_shape(MemoryTying tying) {
  return {.vocabulary = 7,
          .memory = 4,
          .d = 5,
          .hops = 3,
          .sentence = 4,
          .tying = tying,
          .encoding = SentenceEncoding::kWords};
}

std::vector<float> small_parameters(const MemN2NShape& shape) {
  Random random(8);
  std::vector<float> parameters(parameter_count(shape));
  for (float& value : parameters) value = static_cast<float>(0.6 * random.normal());
  for (const MemoryMatrix& matrix : memory_matrices(shape))
    if (matrix.name != "H") std::fill_n(&parameters[matrix.offset], shape.d, 0.0f);
  return parameters;
}

// With the dot product the fixed network is the float one but for truncation: every error is a multiple of the step, so
// six fraction bits more divide it by 64, give or take what the softmax bends.
TEST(MemoryFixed, MoreBitsComeNearTheFloatNetwork) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise}) {
    const MemN2NShape shape = small_shape(tying);
    const std::vector<float> parameters = small_parameters(shape);
    const std::vector<WordNumbers> facts(kFacts.begin(), kFacts.end());
    const MemoryAnswer expected = MemN2NRef(shape, parameters).answer({facts, kWords, {}});
    const auto worst = [&](int bits) {
      MemN2NFixed fixed(shape, {.arithmetic = MemoryArithmetic::kFixed, .bits = bits, .integer_bits = 5});
      fixed.set_parameters(parameters);
      const MemoryAnswer answer = fixed.answer({facts, kWords, {}});
      double error = 0;
      for (std::size_t word = 1; word < shape.vocabulary; ++word)
        error = std::max(error, std::abs(static_cast<double>(answer.scores[word]) - expected.scores[word]));
      return error;
    };
    EXPECT_LT(worst(15), worst(9) / 16);
  }
}

TEST(MemoryFixed, AnEmptyMemoryAnswersFromTheQuestion) {
  const MemN2NShape shape = small_shape(MemoryTying::kAdjacent);
  const std::vector<float> parameters = small_parameters(shape);
  for (const MemorySimilarity similarity : {MemorySimilarity::kDot, MemorySimilarity::kHamming}) {
    MemN2NFixed network(shape, {.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 2, .similarity = similarity});
    network.set_parameters(parameters);
    network.run({{}, kWords, {}});
    EXPECT_EQ(network.hop(2).u, network.hop(0).u);
    MemN2NFixed integers(
        shape,
        {.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 2, .similarity = similarity, .integer_only = true});
    integers.set_parameters(parameters);
    EXPECT_NE(integers.answer_word({{}, kWords, {}}), 0u);
  }
}

TEST(MemoryFixed, SchemesWithoutSenseAreRefused) {
  const auto refused = [](const MemoryScheme& scheme) {
    EXPECT_THROW(MemN2NFixed(small_shape(MemoryTying::kAdjacent), scheme), Error);
  };
  refused({});
  refused({.arithmetic = MemoryArithmetic::kFixed, .bits = 1, .integer_bits = 0});
  refused({.arithmetic = MemoryArithmetic::kFixed, .bits = 16});
  refused({.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 8});
  refused({.arithmetic = MemoryArithmetic::kFixed, .integer_bits = -1});
  refused({.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 0, .hop_formats = true});
  refused({.arithmetic = MemoryArithmetic::kFixed, .integer_bits = 7, .hop_formats = true});
}

}  // namespace
}  // namespace quaver
