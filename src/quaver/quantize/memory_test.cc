// Calibration of memory networks: scales fit what is seen, and the integer network answers as the float one.
#include "quaver/quantize/memory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "quaver/cells/memn2n/ref.h"
#include "quaver/cells/memn2n/scaled.h"
#include "quaver/core/error.h"
#include "quaver/core/random.h"

namespace quaver {
namespace {

struct Case {
  explicit Case(MemoryTying tying, std::size_t slots = 0) {
    network.name = "case";
    network.shape = {.vocabulary = 9, .memory = 6, .d = 16, .hops = 3, .sentence = 3, .tying = tying, .slots = slots};
    for (std::size_t i = 0; i < network.shape.vocabulary; ++i)
      network.words.push_back(i == 0 ? "" : "w" + std::to_string(i));
    Random random(4);
    network.parameters.resize(parameter_count(network.shape));
    for (float& value : network.parameters) value = static_cast<float>(0.4 * random.normal());
    const auto sentence = [&] {
      std::vector<std::int32_t> words(3);
      for (std::int32_t& word : words) word = static_cast<std::int32_t>(1 + random.below(8));
      return words;
    };
    for (std::size_t i = 0; i < 200; ++i) sentences.push_back(sentence());
    for (std::size_t i = 0; i < 40; ++i) {
      facts.emplace_back(sentences.begin() + static_cast<std::ptrdiff_t>(i * 4),
                         sentences.begin() + static_cast<std::ptrdiff_t>(i * 4 + 4));
      questions.push_back({facts.back(), sentences[160 + i], {}});
    }
  }
  MemoryNetwork network;
  std::vector<std::vector<std::int32_t>> sentences;
  std::vector<std::vector<WordNumbers>> facts;
  std::vector<MemoryQuestion> questions;
};

constexpr MemoryScheme kInt8{
    .arithmetic = MemoryArithmetic::kScaled, .integer_only = true, .relative_similarity = true};

// Scores of 8 bits lie near the float ones: the range of a tensor is divided into 254 steps.
TEST(MemoryCalibration, IntegersAnswerAsTheFloatNetworkDoes) {
  for (const MemoryTying tying : {MemoryTying::kAdjacent, MemoryTying::kLayerwise})
    for (const bool powers : {false, true})
      for (const bool relative : {false, true}) {
        // Of four facts a question: with empty ones and without.
        const Case test(tying, powers == relative ? 10 : 0);
        MemoryScheme scheme = kInt8;
        scheme.power_of_two_scales = powers;
        scheme.relative_similarity = relative;
        const MemoryNetwork result = quantize_memory(test.network, scheme, test.questions);
        validate(result);
        const MemN2NRef reference(test.network.shape, test.network.parameters);
        MemN2NScaled integers(result.shape, result.scheme, result.scales);
        integers.set_parameters(result.parameters);
        double error = 0, power = 0;
        for (const MemoryQuestion& question : test.questions) {
          const std::vector<float> expected = reference.answer(question).scores,
                                   found = integers.answer(question).scores;
          for (std::size_t word = 1; word < expected.size(); ++word) {
            error += std::pow(static_cast<double>(found[word]) - expected[word], 2);
            power += std::pow(static_cast<double>(expected[word]), 2);
          }
        }
        EXPECT_LT(std::sqrt(error / power), 0.1) << "powers of two " << powers << ", relative " << relative;
      }
}

// The extremes that were seen are the largest codes; one-bit tensors take the mean magnitude.
TEST(MemoryCalibration, ScalesFollowFromWhatIsSeen) {
  const Case test(MemoryTying::kAdjacent);
  MemoryScheme scheme = kInt8;
  const MemoryScales scales = calibrate_memory(test.network.shape, scheme, test.network.parameters, test.questions);
  validate(scales, test.network.shape, scheme);
  MemN2NScaled integers(test.network.shape, scheme, scales);
  integers.set_parameters(test.network.parameters);
  int largest_weight = 0, largest_u = 0;
  for (const std::int8_t code : integers.weights(1)) largest_weight = std::max(largest_weight, std::abs(int{code}));
  for (const MemoryQuestion& question : test.questions) {
    integers.run(question);
    for (const std::int8_t code : integers.hop(0).u) largest_u = std::max(largest_u, std::abs(int{code}));
  }
  EXPECT_EQ(largest_weight, 127);
  EXPECT_NEAR(largest_u, 127, 1);
  scheme.one_bit_query = scheme.one_bit_weights = true;
  const MemoryScales one_bit = calibrate_memory(test.network.shape, scheme, test.network.parameters, test.questions);
  EXPECT_NEAR(one_bit.weights[2], 0.4 * std::sqrt(2 / 3.14159265), 0.05) << "the mean of |N(0, 0.4)|";
  EXPECT_GT(one_bit.query[0], one_bit.u[0]);
  scheme.power_of_two_scales = true;
  for (const float scale : calibrate_memory(test.network.shape, scheme, test.network.parameters, test.questions).u)
    EXPECT_EQ(scale, std::exp2(std::round(std::log2(scale))));
}

TEST(MemoryCalibration, RefusesWhatItCannotUse) {
  const Case test(MemoryTying::kAdjacent);
  const auto refused = [&](const std::function<void(Case&, MemoryScheme&)>& change) {
    Case changed(MemoryTying::kAdjacent);
    MemoryScheme scheme = kInt8;
    change(changed, scheme);
    EXPECT_THROW(quantize_memory(changed.network, scheme, changed.questions), Error);
  };
  refused([](Case& changed, MemoryScheme&) { changed.questions.clear(); });
  refused([](Case& changed, MemoryScheme&) {
    for (MemoryQuestion& question : changed.questions) question.facts = {};
  });
  refused([](Case& changed, MemoryScheme& scheme) {
    scheme.power_of_two_scales = scheme.shared_point = true;
    changed.network.words.pop_back();
  });
  refused([](Case& changed, MemoryScheme&) { changed.network.scheme = {.arithmetic = MemoryArithmetic::kFixed}; });
  refused([](Case& changed, MemoryScheme&) {
    for (float& value : changed.network.parameters) value = 1e30f;
  });
}

}  // namespace
}  // namespace quaver
