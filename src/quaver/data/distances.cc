#include "quaver/data/distances.h"

#include <vector>

namespace quaver {

void take_distances(Example& example, std::span<const std::size_t> columns, std::size_t outputs) {
  Sequence& input = example.input;
  const std::vector<float> last(input.values.end() - static_cast<std::ptrdiff_t>(input.features), input.values.end());
  for (std::size_t i = 0; i < input.values.size(); ++i) input.values[i] -= last[i % input.features];
  for (std::size_t i = 0; i < outputs; ++i) example.origin.push_back(last[columns[i % columns.size()]]);
  for (std::size_t i = 0; i < example.targets.size(); ++i) example.targets[i] -= example.origin[i];
}

}  // namespace quaver
