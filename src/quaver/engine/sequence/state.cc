#include "quaver/engine/sequence/state.h"

#include "quaver/core/error.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

const StatePart& find(const StateLayout& layout, const std::string& name) {
  std::vector<std::string> names;
  for (const StatePart& part : layout.parts) {
    if (part.name == name) return part;
    names.push_back(part.name);
  }
  throw_bad_input(concat("state has no part '", name, "'; it has: ", join(names, ", ")));
}

}  // namespace

const StateLayout& State::layout() const {
  if (layout_ == nullptr) throw_bad_input("a state that was moved from has no parts; start from initial_state()");
  return *layout_;
}

std::span<const std::byte> State::part(const std::string& name) const {
  const StatePart& part = find(layout(), name);
  return {bytes_.data() + part.offset, part.count * type_bytes(part.type)};
}

std::span<std::byte> State::part(const std::string& name) {
  const StatePart& part = find(layout(), name);
  return {bytes_.data() + part.offset, part.count * type_bytes(part.type)};
}

}  // namespace quaver
