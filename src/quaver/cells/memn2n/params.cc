#include "quaver/cells/memn2n/params.h"

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {

std::vector<MemoryMatrix> memory_matrices(const MemN2NShape& shape) {
  std::vector<MemoryMatrix> matrices;
  const auto add = [&](const std::string& name, std::size_t rows) {
    const std::size_t offset = matrices.empty() ? 0 : matrices.back().offset + matrices.back().size();
    matrices.push_back({name, rows, shape.d, offset});
  };
  if (shape.tying == MemoryTying::kAdjacent) {
    for (std::size_t k = 0; k <= shape.hops; ++k) add(concat("E", k), shape.embedding_rows());
  } else {
    add("A", shape.embedding_rows());
    add("C", shape.embedding_rows());
    add("B", shape.vocabulary);
    add("W", shape.vocabulary);
    add("H", shape.d);
  }
  return matrices;
}

std::size_t parameter_count(const MemN2NShape& shape) {
  const std::vector<MemoryMatrix> matrices = memory_matrices(shape);
  return matrices.back().offset + matrices.back().size();
}

MemoryRoles::MemoryRoles(const MemN2NShape& shape) : has_H(shape.tying == MemoryTying::kLayerwise) {
  if (has_H) {
    A.assign(shape.hops, 0);
    C.assign(shape.hops, 1);
    B = 2;
    W = 3;
    H = 4;
    return;
  }
  for (std::size_t k = 0; k < shape.hops; ++k) {
    A.push_back(k);
    C.push_back(k + 1);
  }
  B = 0;
  W = shape.hops;
}

void validate(const MemN2NShape& shape) {
  constexpr std::size_t kLargest = std::size_t{1} << 24;
  const auto require = [](bool ok, const char* what, std::size_t found, const char* expected) {
    if (!ok) throw_usage(concat("memory network: ", what, " is ", found, ", expected ", expected));
  };
  require(shape.vocabulary >= 2 && shape.vocabulary <= kLargest, "the vocabulary", shape.vocabulary,
          "2 to 16777216 words, the empty one included");
  require(shape.memory >= 1 && shape.memory <= kLargest, "the memory", shape.memory, "1 to 16777216 facts");
  require(shape.d >= 1 && shape.d <= 4096, "the embedding", shape.d, "1 to 4096 numbers");
  require(shape.hops >= 1 && shape.hops <= kMaxHops, "the number of hops", shape.hops, "1 to 6");
  // A file may claim any size; this one would be allocated before anything of it is seen.
  require(shape.sentence >= 1 && shape.sentence <= 4096, "the longest sentence", shape.sentence, "1 to 4096 words");
  require(shape.slots <= kMaxSlots, "the number of slots", shape.slots, "0 to 65536");
}

std::vector<float> encoding_weights(const MemN2NShape& shape) {
  const std::size_t slots = shape.sentence + 1;
  std::vector<float> weights(slots * shape.d, 1.0f);
  if (shape.encoding == SentenceEncoding::kWords) return weights;
  const auto d = static_cast<double>(shape.d), J = static_cast<double>(slots);
  for (std::size_t j = 0; j < slots; ++j) {
    for (std::size_t k = 0; k < shape.d; ++k) {
      const double row = static_cast<double>(k + 1) - (d + 1) / 2, slot = static_cast<double>(j + 1) - (J + 1) / 2;
      weights[j * shape.d + k] = static_cast<float>(1 + 4 * row * slot / (d * J));
    }
  }
  return weights;
}

}  // namespace quaver
