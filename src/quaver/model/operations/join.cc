#include "quaver/model/operations/join.h"

#include <algorithm>

namespace quaver {

bool joined_has_time(std::span<const Value* const> inputs) {
  return std::ranges::any_of(inputs, [](const Value* input) { return input->has_time; });
}

void check_joined(const Site& site) {
  const bool has_time =
      std::ranges::any_of(site.inputs, [](const Site::Input& input) { return input.value->has_time; });
  for (std::size_t slot = 0; slot < site.inputs.size(); ++slot) {
    const Site::Input& input = site.inputs[slot];
    if (input.value->format.kind == NumberType::kI32)
      refuse(described(site.node), " joins numbers, but its ", site.input_name(slot), " holds indices (i32)");
    if (has_time && !input.value->has_time && input.follows_time)
      refuse(described(site.node), " joins values of each step, but its ", site.input_name(slot),
             " is known at the end of the sequence only; join it with values that have no time either");
  }
}

}  // namespace quaver
