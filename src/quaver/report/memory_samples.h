// memory_samples.h - small memory networks and questions for this floor's tests.
#pragma once

#include <cstdint>
#include <vector>

#include "quaver/core/random.h"
#include "quaver/model/memory/memory_network.h"

namespace quaver::samples {

inline constexpr MemN2NShape kMemoryShape{.vocabulary = 9,
                                          .memory = 6,
                                          .d = 5,
                                          .hops = 3,
                                          .sentence = 4,
                                          .tying = MemoryTying::kLayerwise,
                                          .encoding = SentenceEncoding::kWords};

// deviation: of the random weights; 1 saturates a fixed-point dot product, 0.1 does not.
inline MemoryNetwork memory_network(const MemN2NShape& shape, const MemoryScheme& scheme, double deviation = 0.4) {
  MemoryNetwork network;
  network.name = "sample";
  network.shape = shape;
  network.scheme = scheme;
  network.words = {""};
  while (network.words.size() < shape.vocabulary) network.words.push_back("w" + std::to_string(network.words.size()));
  Random random(12);
  network.parameters.resize(parameter_count(shape));
  for (float& value : network.parameters) value = static_cast<float>(deviation * random.normal());
  for (const MemoryMatrix& matrix : memory_matrices(shape))
    if (matrix.name != "H") std::fill_n(&network.parameters[matrix.offset], shape.d, 0.0f);
  return network;
}

// Questions of 0, 1, 2, ... facts of 4 words, up to the memory, in the memory they live in.
struct MemoryQuestions {
  std::vector<std::vector<std::int32_t>> sentences;
  std::vector<std::vector<WordNumbers>> facts;
  std::vector<MemoryQuestion> questions;
};
inline MemoryQuestions memory_questions(const MemN2NShape& shape, std::size_t count) {
  MemoryQuestions all;
  Random random(5);
  const auto largest = static_cast<double>(shape.vocabulary) - 0.001;
  for (std::size_t i = 0; i <= shape.memory; ++i) {
    std::vector<std::int32_t> sentence;
    for (int word = 0; word < 4; ++word) sentence.push_back(static_cast<std::int32_t>(random.uniform(1, largest)));
    all.sentences.push_back(sentence);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = all.sentences.begin() + 1;
    all.facts.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(i % (shape.memory + 1)));
  }
  for (const std::vector<WordNumbers>& facts : all.facts) all.questions.push_back({facts, all.sentences.front(), {}});
  return all;
}

}  // namespace quaver::samples
