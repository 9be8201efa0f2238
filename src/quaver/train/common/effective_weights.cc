#include "quaver/train/common/effective_weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quaver/core/text.h"

namespace quaver {
namespace {

void as_they_are(std::span<const float> values, std::size_t, std::span<float> weights) {
  std::ranges::copy(values, weights.begin());
}

template <int kLargest>
void symmetric_rows(std::span<const float> values, std::size_t rows, std::span<float> weights) {
  const std::size_t cols = values.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<const float> from = values.subspan(row * cols, cols);
    float largest = 0;
    for (const float value : from) largest = std::max(largest, std::abs(value));
    const float scale = largest / static_cast<float>(kLargest);
    for (std::size_t j = 0; j < cols; ++j)
      weights[row * cols + j] = scale == 0 ? 0.0f : std::round(from[j] / scale) * scale;
  }
}

constexpr std::array kRules{EffectiveWeights{"f32", as_they_are}, EffectiveWeights{"int8", symmetric_rows<127>},
                            EffectiveWeights{"int4", symmetric_rows<7>}};

}  // namespace

const EffectiveWeights& find_effective_weights(std::string_view name) {
  if (name.empty()) return kRules.front();
  require_known("weights", std::string(name), effective_weights_names());
  return *std::ranges::find(kRules, name, &EffectiveWeights::name);
}

std::vector<std::string> effective_weights_names() {
  std::vector<std::string> names;
  for (const EffectiveWeights& rule : kRules) names.emplace_back(rule.name);
  return names;
}

}  // namespace quaver
