// scales.h - what one code of each tensor of a scaled memory network is worth (MemoryArithmetic::kScaled).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quaver/cells/memn2n/params.h"
#include "quaver/cells/memn2n/scheme.h"

namespace quaver {

// Real units of one code, each a positive normal float; powers of two where the scheme says so. Empty for other
// arithmetics.
struct MemoryScales {
  std::vector<float> weights{};   // [matrices], in the order of memory_matrices(); one_bit_weights: what +1 stands for
  std::vector<float> embedded{};  // [matrices], facts embedded by the matrix (m and c); 1 for a matrix that embeds none
  std::vector<float> s{};         // [hops], similarities
  std::vector<float> u{};         // [hops + 1], what each hop reads, and W
  std::vector<float> query{};     // [hops], one_bit_query: what +1 stands for; else 1
  bool operator==(const MemoryScales&) const = default;
};

// Error (bad input) naming the list and the element that does not fit shape and scheme.
void validate(const MemoryScales& scales, const MemN2NShape& shape, const MemoryScheme& scheme);

// The code of a weight: the nearest, ties away from zero (A1), or with truncation the one toward zero (M1); limited.
// one_bit_weights: its sign, +1 for 0.
std::int8_t weight_code(float weight, float scale, const MemoryScheme& scheme);
// The parameters as their codes stand for them, code times scale in float: what is coded anew gives the same codes.
// scheme: scaled.
std::vector<float> coded_parameters(const MemN2NShape& shape, const MemoryScheme& scheme, const MemoryScales& scales,
                                    std::span<const float> parameters);

}  // namespace quaver
