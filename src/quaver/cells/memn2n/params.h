// params.h - the end-to-end memory network (MemN2N, Sukhbaatar et al. 2015): sizes, matrices, what it reads.
//
// Letters are those of docs/cells/memn2n.md. One array of floats holds all matrices, one after the other, row-major:
//   adjacent    E0 .. EK [vocabulary + memory, d]    A^k = E(k-1), C^k = E(k), B = E0, W = EK
//   layer-wise  A, C [vocabulary + memory, d]  B, W [vocabulary, d]  H [d, d]
// Row w < vocabulary belongs to word w, row vocabulary + age to the time word of that age (0: the latest fact). Row 0
// is no word and stays zero in the matrices that embed; an unknown word has number 0, so it adds nothing. W scores the
// words only (the released programs score the time words too; no answer is one).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quaver/core/matrix_view.h"

namespace quaver {

enum class MemoryTying { kAdjacent, kLayerwise };
enum class SentenceEncoding {
  kWords,     // bag of words: l = 1
  kPosition,  // l_kj = 1 + 4 (k - (d+1)/2) (j - (J+1)/2) / (d J), k = 1..d, j = 1..J: the released program's formula
};

struct MemN2NShape {
  std::size_t vocabulary = 1;  // rows of words, number 0 included
  std::size_t memory = 50;     // facts a question can look at
  std::size_t d = 20;          // numbers of an embedding
  std::size_t hops = 3;        // 1..6
  std::size_t sentence = 1;    // words of the longest sentence, 1..4096; slot J = sentence + 1 is the time word's
  MemoryTying tying = MemoryTying::kAdjacent;
  SentenceEncoding encoding = SentenceEncoding::kPosition;
  bool temporal = true;  // facts carry their age as a word
  // Facts of which every softmax sees at least so many: those that were not told are empty, with similarity 0 and
  // nothing to read, so that a hop may look at nothing. 0: only what was told.
  std::size_t slots = 0;
  bool operator==(const MemN2NShape&) const = default;

  std::size_t embedding_rows() const { return vocabulary + memory; }
  // Beside so many facts that were told.
  std::size_t empty_facts(std::size_t told) const { return slots > told ? slots - told : 0; }
};

inline constexpr std::size_t kMaxHops = 6;
inline constexpr std::size_t kMaxSlots = 65536;

// Where a matrix lies in the array of parameters.
struct MemoryMatrix {
  std::string name;
  std::size_t rows, cols, offset;
  std::size_t size() const { return rows * cols; }
};
std::vector<MemoryMatrix> memory_matrices(const MemN2NShape& shape);
std::size_t parameter_count(const MemN2NShape& shape);

// Which matrix (by place in memory_matrices()) plays which part.
struct MemoryRoles {
  explicit MemoryRoles(const MemN2NShape& shape);
  std::vector<std::size_t> A, C;  // a hop
  std::size_t B, W;
  bool has_H;
  std::size_t H = 0;  // where has_H
};

// Error (usage) naming the size that makes no network.
void validate(const MemN2NShape& shape);

using WordNumbers = std::span<const std::int32_t>;

// A question and the memory it is asked of.
struct MemoryQuestion {
  std::span<const WordNumbers> facts{};  // oldest first, at most shape.memory; none: the answer comes from the question
  WordNumbers words{};
  // Time words of the facts, [facts], each below shape.memory. Empty: the natural ones, facts.size() - 1 .. 0.
  std::span<const std::uint32_t> ages{};
  // Numbers of the facts' sentences, [facts]: in all questions between two settings of a network's parameters, facts of
  // the same number have the same words, so that they are embedded once. A table is as long as the largest number.
  // Empty: not known.
  std::span<const std::uint32_t> sentences{};

  std::size_t age(std::size_t fact) const { return ages.empty() ? facts.size() - 1 - fact : ages[fact]; }
};

// The weights l, [J, d]: row j belongs to the word in slot j (counted from 0), the last one to the time word. A word
// beyond the longest sentence has the weights of slot J - 2, the last one of words.
std::vector<float> encoding_weights(const MemN2NShape& shape);
inline std::size_t word_slot(const MemN2NShape& shape, std::size_t place) {
  return std::min(place, shape.sentence - 1);
}

}  // namespace quaver
