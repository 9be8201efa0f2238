// scheme.h - how a memory network computes: in float, in Q-MANN's fixed point, or in our scaled integers.
//
// Every ingredient is a switch of its own, so that each can be measured alone; docs/cells/memn2n.md says what each
// does.
#pragma once

#include <cstddef>

#include "quaver/fixed/sign_magnitude.h"

namespace quaver {

enum class MemoryArithmetic {
  kFloat,   // nothing below counts
  kFixed,   // Q-MANN's and its baselines': one format, products truncated before they are summed (fixed.h)
  kScaled,  // ours: a scale a tensor from calibration, exact sums, one rounding, no float anywhere (scaled.h)
};

enum class MemorySimilarity {
  kDot,      // u . m
  kHamming,  // weighted Hamming similarity: bounded, so it cannot overflow
};

struct MemoryScheme {
  MemoryArithmetic arithmetic = MemoryArithmetic::kFloat;
  int bits = 8;          // word length n, 2..15; kScaled: 2..8
  int integer_bits = 5;  // kFixed, shared_point: IWL, 0..n-1: bits before the point; the rest but the sign is fraction
  MemorySimilarity similarity = MemorySimilarity::kDot;  // kScaled: the dot product
  bool hop_formats = false;      // kFixed: MQ: the first hop has one integer bit more, the last one less
  bool one_bit_query = false;    // 1-bit internal representation: the dot product's query and H's input are +-1
  bool one_bit_weights = false;  // A, B, C, H are +-1 times the mean magnitude of their matrix; kScaled: W too
  // Softmax (A29) and answer layer in integers too: no float operation is left between the words and the answer.
  // kScaled: always.
  bool integer_only = false;
  bool power_of_two_scales = false;  // kScaled: every tensor has a point instead of a scale; shifts, no multiplier
  // kScaled: similarities are coded by how far they lie below the largest one, so that no range can be exceeded;
  // else with a sign and a calibrated scale.
  bool relative_similarity = false;
  // kScaled: the state u is +-1 also where it is added to the read (adjacent): one bit is all that goes from hop to
  // hop. Needs one_bit_query.
  bool one_bit_state = false;
  // kScaled with power_of_two_scales: conventional fixed point but for its sums, to measure what each part is worth.
  bool truncation = false;    // toward zero, not to the nearest
  bool shared_point = false;  // one format for every tensor, of integer_bits; nothing is calibrated
  bool operator==(const MemoryScheme&) const = default;

  bool is_float() const { return arithmetic == MemoryArithmetic::kFloat; }
  bool is_fixed() const { return arithmetic == MemoryArithmetic::kFixed; }
  bool is_scaled() const { return arithmetic == MemoryArithmetic::kScaled; }

  // Of kFixed and shared_point.
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
