// Scaled integers against whole networks made without Quaver (tests/golden/memn2n_scaled), and what must hold beside
// them.
#include "quaver/cells/memn2n/scaled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <string>

#include "quaver/core/error.h"
#include "quaver/core/random.h"
#include "support/places.h"

namespace quaver {
namespace {

const std::vector<std::vector<std::int32_t>> kFacts{{1, 2, 3}, {4, 4, 5}, {6, 1, 0, 2}, {3}};
const std::vector<std::int32_t> kWords{5, 5, 1};

template <typename Number>
std::vector<Number> read_list(std::istream& file, const std::string& name) {
  std::string line, word;
  std::getline(file, line);
  std::istringstream in(line);
  in >> word;
  EXPECT_EQ(word, name);
  std::vector<Number> values;
  for (Number value{}; in >> value;) values.push_back(value);
  return values;
}

template <typename Codes>
std::vector<int> as_ints(const Codes& codes) {
  return {codes.begin(), codes.end()};
}

TEST(MemoryScaledGoldens, WholeNetworksHopByHop) {
  std::ifstream file(testing_support::own_goldens("memn2n_scaled") / "networks.txt");
  ASSERT_TRUE(file.is_open());
  const std::vector<WordNumbers> facts(kFacts.begin(), kFacts.end());
  std::size_t checked = 0;
  for (std::string line; std::getline(file, line); ++checked) {
    std::istringstream in(line);
    std::string word;
    MemoryScheme scheme{.arithmetic = MemoryArithmetic::kScaled, .integer_only = true};
    MemN2NShape shape{.vocabulary = 7, .memory = 4, .d = 5, .hops = 3, .sentence = 4};
    bool layerwise = false, position = false;
    in >> word >> scheme.bits >> scheme.power_of_two_scales >> scheme.relative_similarity >> scheme.one_bit_query >>
        scheme.one_bit_state >> scheme.one_bit_weights >> scheme.truncation >> scheme.shared_point >>
        scheme.integer_bits >> layerwise >> position >> shape.slots;
    ASSERT_FALSE(in.fail()) << line;
    shape.tying = layerwise ? MemoryTying::kLayerwise : MemoryTying::kAdjacent;
    shape.encoding = position ? SentenceEncoding::kPosition : SentenceEncoding::kWords;
    std::vector<float> parameters;
    for (const int code : read_list<int>(file, "parameters")) parameters.push_back(static_cast<float>(code) * 0x1p-10f);
    ASSERT_EQ(parameters.size(), parameter_count(shape));
    MemoryScales scales;
    scales.weights = read_list<float>(file, "weights");
    scales.embedded = read_list<float>(file, "embedded");
    scales.s = read_list<float>(file, "s");
    scales.u = read_list<float>(file, "u");
    scales.query = read_list<float>(file, "query");
    MemN2NScaled network(shape, scheme, scales);
    network.set_parameters(parameters);
    network.run({facts, kWords, {}});
    const MemoryRoles roles(shape);
    for (std::size_t hop = 0; hop < shape.hops; ++hop) {
      const std::string where = line + ", hop " + std::to_string(hop);
      EXPECT_EQ(as_ints(network.embedded(roles.A[hop])), read_list<int>(file, "m")) << where;
      EXPECT_EQ(as_ints(network.embedded(roles.C[hop])), read_list<int>(file, "c")) << where;
      EXPECT_EQ(as_ints(network.hop(hop).t), read_list<int>(file, "t")) << where;
      EXPECT_EQ(as_ints(network.hop(hop).s), read_list<int>(file, "s")) << where;
      EXPECT_EQ(as_ints(network.hop(hop).p), read_list<int>(file, "p")) << where;
      const std::vector<int> u = read_list<int>(file, "u");
      EXPECT_EQ(as_ints(hop + 1 < shape.hops ? network.hop(hop + 1).u : network.output()), u) << where;
    }
    EXPECT_EQ(as_ints(network.scores()), read_list<int>(file, "scores")) << line;
  }
  EXPECT_EQ(checked, 80u);
}

MemN2NShape small_shape() { return {.vocabulary = 7, .memory = 4, .d = 5, .hops = 3, .sentence = 4}; }

MemoryScales unit_scales(const MemN2NShape& shape, float scale = 0x1p-5f) {
  const std::size_t matrices = memory_matrices(shape).size();
  return {.weights = std::vector<float>(matrices, scale),
          .embedded = std::vector<float>(matrices, scale),
          .s = std::vector<float>(shape.hops, scale),
          .u = std::vector<float>(shape.hops + 1, scale),
          .query = std::vector<float>(shape.hops, 1)};
}

std::vector<float> random_parameters(const MemN2NShape& shape, double deviation = 0.6, std::uint64_t seed = 8) {
  Random random(seed);
  std::vector<float> parameters(parameter_count(shape));
  for (float& value : parameters) value = static_cast<float>(deviation * random.normal());
  for (const MemoryMatrix& matrix : memory_matrices(shape))
    if (matrix.name != "H") std::fill_n(&parameters[matrix.offset], shape.d, 0.0f);
  return parameters;
}

constexpr MemoryScheme kScheme{
    .arithmetic = MemoryArithmetic::kScaled, .integer_only = true, .relative_similarity = true};

// All sums at their largest: nothing may overflow (the sanitizers watch), every code stays within its limit.
TEST(MemoryScaled, LongestSentencesAndLargestCodesStayInRange) {
  MemN2NShape shape{.vocabulary = 3, .memory = 2, .d = 40, .hops = 2, .sentence = 4, .tying = MemoryTying::kLayerwise};
  for (const bool relative : {false, true}) {
    MemoryScheme scheme = kScheme;
    scheme.relative_similarity = relative;
    for (const float scale : {0x1p-40f, 0x1p-9f, 8.0f}) {
      if (relative) scheme.power_of_two_scales = true;  // multipliers refuse ratios of 2^30 and more, shifts saturate
      MemoryScales scales = unit_scales(shape, relative ? scale : 0x1p-5f);
      MemN2NScaled network(shape, scheme, scales);
      network.set_parameters(std::vector<float>(parameter_count(shape), 1e30f));
      const std::vector<std::int32_t> longest(100000, 1), other(70000, 2);
      const std::vector<WordNumbers> facts{longest, other};
      EXPECT_NE(network.answer_word({facts, longest, {}}), 0u);
      for (const std::int8_t code : network.output()) EXPECT_GE(code, -127);
    }
  }
}

TEST(MemoryScaled, AnEmptyMemoryAnswersFromTheQuestion) {
  const MemN2NShape shape = small_shape();
  MemN2NScaled network(shape, kScheme, unit_scales(shape));
  network.set_parameters(random_parameters(shape));
  network.run({{}, kWords, {}});
  EXPECT_EQ(network.output(), network.hop(0).u) << "all scales are one: nothing is added and nothing rounded";
  EXPECT_NE(network.answer_word({{}, kWords, {}}), 0u);
}

// With every bit a step halves: three more bits are worth a factor of eight, but for what is limited.
TEST(MemoryScaled, MoreBitsComeNearTheFloatNetwork) {
  const MemN2NShape shape = small_shape();
  const std::vector<WordNumbers> facts(kFacts.begin(), kFacts.end());
  const auto error_of = [&](int bits) {
    MemoryScheme scheme = kScheme;
    scheme.bits = bits;
    MemoryScales scales = unit_scales(shape);
    for (float& scale : scales.weights) scale = std::ldexp(2.0f, 1 - bits);
    for (std::vector<float>* list : {&scales.embedded, &scales.u})
      for (float& scale : *list) scale = std::ldexp(4.0f, 1 - bits);
    for (float& scale : scales.s) scale = std::ldexp(16.0f, -bits);
    MemN2NScaled network(shape, scheme, scales);
    double squares = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const std::vector<float> parameters = random_parameters(shape, 0.3, seed);
      network.set_parameters(parameters);
      const MemoryAnswer expected = MemN2NRef(shape, parameters).answer({facts, kWords, {}});
      const MemoryAnswer answer = network.answer({facts, kWords, {}});
      for (std::size_t word = 1; word < shape.vocabulary; ++word)
        squares += std::pow(static_cast<double>(answer.scores[word]) - expected.scores[word], 2);
    }
    return std::sqrt(squares);
  };
  EXPECT_LT(error_of(8), error_of(5) / 5);
}

TEST(MemoryScaled, SchemesWithoutSenseAreRefused) {
  const auto refused = [](const std::function<void(MemoryScheme&)>& change) {
    MemoryScheme scheme = kScheme;
    change(scheme);
    EXPECT_THROW(MemN2NScaled(small_shape(), scheme, unit_scales(small_shape())), Error);
  };
  MemN2NScaled(small_shape(), kScheme, unit_scales(small_shape()));
  refused([](MemoryScheme& scheme) { scheme.arithmetic = MemoryArithmetic::kFixed; });
  refused([](MemoryScheme& scheme) { scheme.bits = 9; });
  refused([](MemoryScheme& scheme) { scheme.bits = 1; });
  refused([](MemoryScheme& scheme) { scheme.integer_only = false; });
  refused([](MemoryScheme& scheme) { scheme.hop_formats = true; });
  refused([](MemoryScheme& scheme) { scheme.one_bit_state = true; });
  refused([](MemoryScheme& scheme) { scheme.truncation = true; });
  refused([](MemoryScheme& scheme) { scheme.power_of_two_scales = scheme.shared_point = true; });
}

TEST(MemoryScaled, ScalesThatDoNotFitAreRefused) {
  const MemN2NShape shape = small_shape();
  MemoryScheme scheme = kScheme;
  scheme.power_of_two_scales = true;
  const auto refused = [&](const std::function<void(MemoryScales&)>& change) {
    MemoryScales scales = unit_scales(shape);
    validate(scales, shape, scheme);
    change(scales);
    EXPECT_THROW(validate(scales, shape, scheme), Error);
  };
  refused([](MemoryScales& scales) { scales.weights.pop_back(); });
  refused([](MemoryScales& scales) { scales.u.push_back(1); });
  refused([](MemoryScales& scales) { scales.embedded[0] = 0; });
  refused([](MemoryScales& scales) { scales.embedded[0] = -1; });
  refused([](MemoryScales& scales) { scales.embedded[0] = std::numeric_limits<float>::quiet_NaN(); });
  refused([](MemoryScales& scales) { scales.u[1] = 0x1p-41f; });
  refused([](MemoryScales& scales) { scales.u[1] = 3; });
  refused([](MemoryScales& scales) { scales.s[0] = 16; });
  EXPECT_THROW(validate(unit_scales(shape), shape, MemoryScheme{}), Error);
  validate(MemoryScales{}, shape, MemoryScheme{});
}

}  // namespace
}  // namespace quaver
