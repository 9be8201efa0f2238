// scheme.h - how a memory network computes: in float, or in the fixed point of Q-MANN and of its baselines.
//
// Every ingredient is a switch of its own, so that each can be measured alone; docs/cells/memn2n.md says what each
// does.
#pragma once

#include <cstddef>

#include "quaver/fixed/sign_magnitude.h"

namespace quaver {

enum class MemorySimilarity {
  kDot,      // u . m
  kHamming,  // weighted Hamming similarity: bounded, so it cannot overflow
};

struct MemoryScheme {
  bool fixed = false;    // false: float, and nothing below counts
  int bits = 8;          // word length n, 2..15
  int integer_bits = 5;  // IWL, 0..n-1: bits before the point; the rest but the sign is fraction
  MemorySimilarity similarity = MemorySimilarity::kDot;
  bool hop_formats = false;      // MQ: the first hop has one integer bit more, the last one less
  bool one_bit_query = false;    // 1-bit internal representation: the dot product's query and H's input are +-1
  bool one_bit_weights = false;  // A, B, C, H are +-1 times the mean magnitude of their matrix
  // Softmax (A29) and answer layer in integers too: no float operation is left between the words and the answer.
  bool integer_only = false;
  bool operator==(const MemoryScheme&) const = default;

  SignMagnitudeFormat format() const { return {integer_bits, bits - 1 - integer_bits}; }
  // Of the weights and embeddings of a hop (and of the question's embedding: hop 0).
  SignMagnitudeFormat hop_format(std::size_t hop, std::size_t hops) const {
    const int shift = !hop_formats || hops == 1 ? 0 : hop == 0 ? 1 : hop + 1 == hops ? -1 : 0;
    return {integer_bits + shift, bits - 1 - integer_bits - shift};
  }
  // Bits behind the point with which the Hamming similarity reads its operands: the finest that any hop has.
  int fine_fraction() const { return format().fraction + (hop_formats ? 1 : 0); }
};

inline constexpr int kHammingShift = 3;  // alpha = -3: the sum of the similarities is taken times 2^-3

// Error (usage) naming the field that makes no scheme.
void validate(const MemoryScheme& scheme);

}  // namespace quaver
