// effective_weights.h - what a network reads in the place of the values that learn: the values themselves, or what
// codes of few bits would stand for. Only weights are coded, so that a rule is a function on a matrix.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quaver {

// The row of one rule. The gradient by the weights is taken for that by the values ("straight through", Bengio et al.
// 2013, Hubara et al. 2016).
struct EffectiveWeights {
  std::string_view name;  // "int4"
  // values [rows, cols], rows one after the other, become the weights that the network reads.
  void (*apply)(std::span<const float> values, std::size_t rows, std::span<float> weights);
};

// f32   the values
// int8  symmetric codes up to 127 of each row's largest magnitude, to the nearest
// int4  the same up to 7
//
// Error (usage) that lists them; of an empty name f32.
const EffectiveWeights& find_effective_weights(std::string_view name);
std::vector<std::string> effective_weights_names();

}  // namespace quaver
